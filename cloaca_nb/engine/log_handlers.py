"""Handlers of `logging` that were made before a run: they keep the stream that was there, not its stand-in.

While runs are going on, such a handler is lent the stand-in, so that what a task logs is the task's, as that handler
formats it. `logging.lastResort` and handlers made meanwhile look the stream up, or have the stand-in anyway.
"""

import logging
from collections.abc import Callable, Iterator
from typing import Any, Final

__all__ = ["lend", "take_back"]

_lent: Final[list[tuple[Callable[[], logging.Handler | None], Any]]] = []


def lend(stand_in_for: Callable[[Any], Any]) -> None:
    """Give handlers the stand-ins of their streams.

    Args:
        stand_in_for: returns a stream's stand-in; None for a stream that has none.
    """
    for reference, handler in _handlers():
        stand_in = stand_in_for(vars(handler).get("stream"))
        if stand_in is not None:
            handler.stream = stand_in  # type: ignore[attr-defined]  # `setStream` waits for whoever logs now
            _lent.append((reference, stand_in))


def take_back() -> None:
    """Give handlers their own streams back, where the stand-ins are still in place."""
    for reference, stand_in in _lent:
        handler = reference()
        if handler is not None and vars(handler).get("stream") is stand_in:
            handler.stream = stand_in.real  # type: ignore[attr-defined, union-attr]  # it had one before
    _lent.clear()


def _handlers() -> Iterator[tuple[Callable[[], logging.Handler | None], logging.Handler]]:
    """Yield all handlers there are, those behind a queue or another handler included, with references to them."""
    for reference in list(logging._handlerList):  # type: ignore[attr-defined] # noqa: SLF001 - no public way finds all
        handler = reference()
        if handler is not None:
            yield reference, handler

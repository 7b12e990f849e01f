"""How `logging` is set up, taken along to another process: what a task logs there looks as it does here.

What goes along: the levels of loggers, and handlers that write to stdout or stderr, each with its level and format.
Handlers on files and sockets stay behind: two processes can't share one.
"""

import logging
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from cloaca_nb.engine.output import stream_name
from cloaca_nb.values.travel import from_bytes, to_bytes

__all__ = ["LogSettings"]


class _Handler(NamedTuple):
    logger: str
    stream: str
    level: int
    format: bytes


class LogSettings(NamedTuple):
    """The settings of one process.

    Attributes:
        process: its id.
        disabled: records up to this level are dropped.
        levels: by logger, where one was set; the root logger's name is "".
        handlers: on stdout and stderr.
    """

    process: int
    disabled: int
    levels: tuple[tuple[str, int], ...]
    handlers: tuple[_Handler, ...]

    @classmethod
    def of_this_process(cls) -> "LogSettings":
        """Return what is set up here and now."""
        loggers = {"": logging.getLogger(), **logging.root.manager.loggerDict}
        real = {name: one for name, one in loggers.items() if isinstance(one, logging.Logger)}
        levels = tuple((name, one.level) for name, one in real.items() if one.level)
        return cls(os.getpid(), logging.root.manager.disable, levels, tuple(_handlers(real)))

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Set up the same while this lasts, on the streams of now; nothing in the process that it comes from.

        A logger that has handlers by now, from a module that sets it up on import, keeps to those.
        """
        if self.process == os.getpid():
            yield
            return
        disabled = logging.root.manager.disable
        levels = [(name, logging.getLogger(name).level) for name, _ in self.levels]
        added = [(logging.getLogger(one.logger), _made(one)) for one in self.handlers if not _has_own(one.logger)]
        _set(self.disabled, self.levels)
        for logger, handler in added:
            logger.addHandler(handler)
        try:
            yield
        finally:
            for logger, handler in added:
                logger.removeHandler(handler)
            _set(disabled, levels)


def _handlers(loggers: dict[str, logging.Logger]) -> Iterator[_Handler]:
    for name, logger in loggers.items():
        for handler in logger.handlers:
            stream = stream_name(vars(handler).get("stream"))
            if stream:
                yield _Handler(name, stream, handler.level, _packed(handler.formatter))


def _packed(formatter: logging.Formatter | None) -> bytes:
    try:
        return to_bytes(formatter)
    except Exception:  # noqa: BLE001 - of the user's own class, with a lock or file in it: records matter more than looks
        return to_bytes(None)


def _made(taken: _Handler) -> logging.Handler:
    handler = logging.StreamHandler(getattr(sys, taken.stream))
    handler.setLevel(taken.level)
    handler.setFormatter(from_bytes(taken.format))
    return handler


def _has_own(logger: str) -> bool:
    return bool(logging.getLogger(logger).handlers)


def _set(disabled: int, levels: Iterable[tuple[str, int]]) -> None:
    logging.disable(disabled)
    for name, level in levels:
        logging.getLogger(name).setLevel(level)

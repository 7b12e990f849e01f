"""Waiting until a condition holds: at once in a plain body, by ``await`` in an async one."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any, Final

__all__ = ["SHORTEST_POLL", "Deferral", "holds", "holds_async", "polled"]

SHORTEST_POLL: Final = 0.001  # seconds between two looks at what a deferred task waits for


class Deferral:
    """What `TaskHandle.defer_until` returns; an async body awaits it, for a plain one it is over already.

    Args:
        wait: makes the coroutine that waits; None: there is nothing to wait for any more.
    """

    __slots__ = ("_wait", "was_awaited")

    def __init__(self, wait: Callable[[], Coroutine[Any, Any, None]] | None = None) -> None:
        self._wait = wait
        self.was_awaited = wait is None

    def __await__(self) -> Generator[Any, None, None]:
        self.was_awaited = True
        return (self._wait or _nothing)().__await__()


def holds(condition: Callable[[], Any]) -> bool:
    """Ask a condition on a thread without an event loop; that of a coroutine is awaited."""
    answer = condition()
    return bool(asyncio.run(_awaited(answer)) if inspect.isawaitable(answer) else answer)


async def holds_async(condition: Callable[[], Any]) -> bool:
    """Ask a condition; that of a coroutine is awaited."""
    answer = condition()
    return bool(await answer if inspect.isawaitable(answer) else answer)


async def polled(condition: Callable[[], Any], poll_s: float) -> None:
    """Ask `condition` at once and then every `poll_s` seconds, until it holds."""
    while not await holds_async(condition):  # noqa: ASYNC110 - the condition is the user's: nothing tells of its change
        await asyncio.sleep(max(poll_s, SHORTEST_POLL))


async def _awaited(answer: Awaitable[Any]) -> Any:
    return await answer


async def _nothing() -> None: ...

"""How many async bodies run at once: a limit of their own, because one that waits costs no thread."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Final

__all__ = ["MOST_ASYNC", "Turns"]

MOST_ASYNC: Final = 1000


class Turns:
    """A number of turns; who comes when none is left is called back, first come first served.

    Args:
        limit: how many there are.
    """

    def __init__(self, limit: int = MOST_ASYNC) -> None:
        self._free = limit
        self._waiting: deque[Callable[[], object]] = deque()
        self._lock = threading.Lock()

    def take(self, later: Callable[[], object]) -> bool:
        """Take a turn; where none is left, return False, and `later` is called as soon as it has one."""
        with self._lock:
            if self._free:
                self._free -= 1
                return True
            self._waiting.append(later)
            return False

    async def wait(self) -> None:
        """Take a turn as soon as there is one; none is taken if this is cancelled."""
        loop = asyncio.get_running_loop()
        granted: asyncio.Future[None] = loop.create_future()
        if self.take(partial(loop.call_soon_threadsafe, self._grant, granted)):
            return
        try:
            await granted
        except asyncio.CancelledError:
            if granted.done() and not granted.cancelled():  # both at once
                self.give_back()
            raise

    def _grant(self, granted: "asyncio.Future[None]") -> None:
        if granted.cancelled():
            self.give_back()
        else:
            granted.set_result(None)

    def give_back(self) -> None:
        """Give a turn back, to who has waited longest; that call must be quick."""
        with self._lock:
            if not self._waiting:
                self._free += 1
                return
            later = self._waiting.popleft()
        later()

"""The lock of a run: reentrant, and made for threads that come by for microseconds at a time.

A thread that blocks on a lock of the standard library is given it by the kernel while another thread has the
interpreter. That one soon comes by again and blocks in turn, and from then on every visit costs two thread switches: a
convoy, which doubled the cost of a task. So a thread that finds the lock taken sleeps a moment and looks again, and
blocks only where somebody keeps the lock for long.
"""

import _thread  # where a class that can be inherited from is; `threading.RLock` is a function
import time
from typing import Final

__all__ = ["RunLock"]

MOMENT: Final = 5e-5  # seconds between two looks
LOOKS: Final = 20


class RunLock(_thread.RLock):  # type: ignore[misc] # final in the stubs, and in no interpreter
    """A reentrant lock; a context manager."""

    def __enter__(self) -> bool:  # type: ignore[override] # called by `with` alone
        return self.acquire(False) or self._wait()  # noqa: FBT003 - twice for every task: a keyword costs as much

    @property
    def is_mine(self) -> bool:
        """Whether the calling thread holds it."""
        return self._is_owned()  # type: ignore[attr-defined,no-any-return] # undocumented, but as old as `RLock`

    def leave(self) -> None:
        """Give it back, however often the calling thread has taken it.

        For a thread that signals reach: one may come when `__enter__` has the lock and the block hasn't begun.
        """
        while self.is_mine:
            self.release()

    def _wait(self) -> bool:
        for _ in range(LOOKS):
            time.sleep(MOMENT)
            if self.acquire(blocking=False):
                return True
        return self.acquire()

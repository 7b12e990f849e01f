"""The lock of a run: reentrant, and made for threads that come by for microseconds at a time.

A thread that blocks on a lock of the standard library is given it by the kernel while another thread has the
interpreter. That one soon comes by again and blocks in turn, and from then on every visit costs two thread switches: a
convoy, which doubled the cost of a task. So a thread that finds the lock taken sleeps a moment and looks again, and
blocks only where somebody keeps the lock for long.
"""

import threading
import time
from typing import Final

__all__ = ["RunLock"]

MOMENT: Final = 5e-5  # seconds between two looks
LOOKS: Final = 20


class RunLock:
    """A reentrant lock; a context manager."""

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        self._lock = threading.RLock()

    def __enter__(self) -> None:
        if not self._lock.acquire(blocking=False):
            self._wait()

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    @property
    def is_mine(self) -> bool:
        """Whether the calling thread holds it."""
        return self._lock._is_owned()  # type: ignore[attr-defined,no-any-return] # noqa: SLF001 - undocumented, but as old as `RLock`

    def _wait(self) -> None:
        for _ in range(LOOKS):
            time.sleep(MOMENT)
            if self._lock.acquire(blocking=False):
                return
        self._lock.acquire()

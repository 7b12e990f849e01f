"""What has a time by which it must be over: attempts and runs that have a timeout."""

import math
import threading
from typing import Final, Protocol

from cloaca_nb.engine.clock import elapsed
from cloaca_nb.engine.loop import Loop

__all__ = ["Deadlines", "Limited"]

NEVER: Final = math.inf


class Limited(Protocol):
    """Something that may take too long."""

    def expire(self) -> None:
        """Take in that its time is up; called on the loop's thread, so it must be quick."""


class Deadlines:
    """Tells what is still there when its time is up.

    Nearly everything ends long before its time, so there is one timer for all, set for the first of the deadlines that
    there were when it was last set: adding a later one, and taking one back, each change an entry of a dict.

    Args:
        loop: keeps the time.
    """

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._due: dict[Limited, float] = {}
        self._next_look = NEVER
        self._lock = threading.Lock()

    def add(self, limited: Limited, seconds: float) -> None:
        """Have `limited` expire in `seconds`, unless it is taken back before."""
        due = self._due[limited] = elapsed() + seconds
        if due < self._next_look:
            with self._lock:
                self._look_at(due)

    def remove(self, limited: Limited) -> None:
        """Take it back; no effect on what isn't there."""
        self._due.pop(limited, None)

    def _look_at(self, due: float) -> None:
        if due < self._next_look:
            self._next_look = due
            self._loop.call_later(max(due - elapsed(), 0.0), self._look)

    def _look(self) -> None:
        """Tell what is overdue, and set the timer for the rest."""
        with self._lock:
            self._next_look = NEVER  # before the entries are read: one that is added from now on sets the timer itself
            now, open_ones = elapsed(), self._due.copy()
            overdue = [limited for limited, due in open_ones.items() if due <= now]
            self._look_at(min((due for due in open_ones.values() if due > now), default=NEVER))
        for limited in overdue:
            if self._due.pop(limited, None) is not None:
                limited.expire()

"""What has a time by which it must be over: attempts and runs that have a timeout."""

import math
import threading
import weakref
from functools import partial
from typing import Final, Protocol

from cloaca_nb.engine.clock import elapsed
from cloaca_nb.engine.loop import Loop

__all__ = ["NEVER", "Deadlines", "Limited"]

NEVER: Final = math.inf


class Limited(Protocol):
    """A run: it knows the deadlines of what goes on in it."""

    def expire(self, at: float) -> float:
        """Give up what was due by then; return the next time at which anything is due, NEVER if nothing is.

        Called on the loop's thread, so it must be quick.
        """


class Deadlines:
    """Asks runs to give up what is overdue. Times are those of `clock.elapsed`.

    Nearly everything ends long before its time, so there is one timer for all. It is set for the first deadline that
    there was when it was last set; a later one costs its attempt a comparison, and nothing when the attempt ends.

    Args:
        loop: keeps the time.
    """

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._runs: weakref.WeakSet[Limited] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._set_for: set[float] = set()  # the times that the timer is set for
        self.next_look = NEVER

    def watch(self, run: Limited) -> None:
        """Ask this run, too, from now on."""
        with self._lock:
            self._runs.add(run)

    def forget(self, run: Limited) -> None:
        """Ask this run no more: it is over."""
        with self._lock:
            self._runs.discard(run)

    def look_by(self, due: float) -> None:
        """Look at that time at the latest. To be called for a deadline before `next_look`, once the run knows it."""
        with self._lock:
            self._look_by(due)

    def _look_by(self, due: float) -> None:
        if due < self.next_look:
            self.next_look = due
            if due not in self._set_for:
                self._set_for.add(due)
                self._loop.call_later(max(due - elapsed(), 0.0), partial(self._look, due))

    def _look(self, due: float) -> None:
        """Ask the runs, now that it was due, and set the timer for what is left."""
        with self._lock:
            self._set_for.discard(due)
            self.next_look = NEVER  # before they are asked: who adds a deadline from now on has the timer set
            runs = list(self._runs)
        now = elapsed()
        for run in runs:
            following = run.expire(now)
            if following < self.next_look:
                self.look_by(following)

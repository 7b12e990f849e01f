"""The engine's own threads: daemons that share one ready queue.

A piece of work is a function that may return the next piece: a worker goes on with it at once, so a chain of tasks
never wakes a second thread. Threads are started when work waits and nobody is idle, up to the limit.

Waking a thread costs more than a short task, so only one is on its way at any time: whoever has been woken wakes the
next one if work is left. Taking a piece, and putting one while everybody is at work, needs no lock: a thread adds
itself to the idle ones and then looks at the queue again, who puts adds to the queue and then looks at the idle ones.

A thread that only waits lends its place to another one and takes it back in turn, before new work, so no more than
the limit work at once. One that is given up never takes it back: it is outside all places until its work ends.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Final, Optional, TypeAlias

__all__ = ["Place", "Work", "Workers"]

Work: TypeAlias = Callable[[], Optional["Work"]]
logger: Final = logging.getLogger("cloaca_nb")


class Place:
    """One thread's place among those that may work at once; changed under the lock of its workers."""

    __slots__ = ("is_given_up", "is_lent", "turn", "wake")

    def __init__(self) -> None:
        self.is_lent = False
        self.is_given_up = False
        self.turn = threading.Event()  # set when a place that was lent is this thread's again
        self.wake = threading.Lock()  # held; released when its idle thread has to look again
        self.wake.acquire()


class Workers:
    """A set of daemon threads that run what is put into their queue.

    Args:
        limit: how many pieces of work run at once, at least 1.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._ready: deque[Work] = deque()
        self._lock = threading.Lock()
        self._idle: list[Place] = []
        self._woken: Place | None = None  # on its way
        self._count = 0
        self._closed = False
        self._returning: deque[Place] = deque()
        self._mine = threading.local()

    def put(self, pieces: Iterable[Work]) -> None:
        """Add work; it starts as soon as a thread is free."""
        self._ready.extend(pieces)
        if self._idle or self._count < self._limit:
            with self._lock:
                self._call_for_hands()

    @contextmanager
    def released(self) -> Iterator[None]:
        """While the calling thread only waits: its place is free for other work. No change for other threads."""
        place = self.place()
        if place is None:
            yield
            return
        with self._lock:
            self._lend(place)
        try:
            yield
        finally:
            self._take_back(place)

    def place(self) -> Place | None:
        """Return the calling thread's place; None for a thread that isn't one of these."""
        return getattr(self._mine, "place", None)

    def give_up(self, place: Place) -> None:
        """Give up on a thread that may not come back: another one may take its place."""
        with self._lock:
            place.is_given_up = True
            self._lend(place)
            if place in self._returning:
                self._returning.remove(place)
                place.turn.set()

    def returned(self, place: Place) -> None:
        """Take note that such a thread's work has ended after all."""
        with self._lock:
            place.is_given_up = False
            if place.is_lent:
                self._restore(place)

    def close(self) -> None:
        """Let every thread end after the work that it has in hand."""
        with self._lock:
            self._closed = True
            while self._returning:
                self._restore(self._returning.popleft())
            for place in self._idle:
                place.wake.release()
            self._idle.clear()

    # -- under the lock

    def _lend(self, place: Place) -> None:
        if not place.is_lent:
            place.is_lent = True
            self._limit += 1
            self._call_for_hands()

    def _restore(self, place: Place) -> None:
        place.is_lent = False
        self._limit -= 1
        place.turn.set()

    def _call_for_hands(self) -> None:
        """Have as many threads at work as there is work for, or on their way."""
        if not self._ready:
            return
        if self._idle:
            if self._woken is None:
                self._wake()
            return
        for _ in range(0 if self._closed else min(len(self._ready), self._limit - self._count)):
            self._start()

    def _wake(self) -> None:
        self._woken = self._idle.pop()
        self._woken.wake.release()

    def _start(self) -> None:
        self._count += 1
        try:
            threading.Thread(target=self._loop, name=f"cloaca-worker-{self._count}", daemon=True).start()
        except RuntimeError:  # the machine has no thread left: those that there are do the work
            self._count -= 1
            if not self._count:
                raise

    def _leave(self) -> None:
        """Count the calling thread out; its place goes to one that is back."""
        self._count -= 1
        if self._returning:
            self._restore(self._returning.popleft())
        self._call_for_hands()

    # -- on a thread

    def _take_back(self, place: Place) -> None:
        """Wait until another thread makes room, where all places are taken."""
        with self._lock:
            if place.is_given_up or not place.is_lent:
                return
            if self._closed or self._count < self._limit:
                self._restore(place)
                return
            place.turn.clear()
            self._returning.append(place)
            if self._idle and self._woken is None:
                self._wake()  # it will see who is returning
        place.turn.wait()

    def _loop(self) -> None:
        place = self._mine.place = Place()
        while (piece := self._next(place)) is not None:
            following: Work | None = piece
            while following is not None:
                try:
                    following = following()
                except BaseException:  # a thread that died would be missed by every run
                    logger.critical("A worker met an error that nobody had answered.", exc_info=True)
                    following = None
            del piece, following  # a waiting thread keeps no run alive

    def _next(self, place: Place) -> Work | None:
        """Wait for work; None: end this thread."""
        while True:
            if not self._returning and self._count <= self._limit:
                try:
                    return self._ready.popleft()
                except IndexError:
                    pass
            if not self._stays(place):
                return None

    def _stays(self, place: Place) -> bool:
        """Wait until there is something to do; False: end this thread."""
        with self._lock:
            if self._returning or self._count > self._limit:  # the latter when one that was given up is back
                self._leave()
                return False
            if self._closed and not self._ready:
                self._leave()
                return False
            self._idle.append(place)
            if self._ready:  # looked at after that, see above; the lock is held, so the last one is still this
                self._idle.pop()
                return True
        place.wake.acquire()
        with self._lock:
            if self._woken is place:
                self._woken = None
                if len(self._ready) > 1:
                    self._call_for_hands()
        return True

"""The engine's own threads: daemons that share one ready queue.

A piece of work is a function that may return the next piece: a worker goes on with it at once, so a chain of tasks
never wakes a second thread. Threads are started when work waits and nobody is idle, up to the limit.

A thread that only waits lends its place to another one and takes it back in turn, before new work, so no more than
the limit work at once. One that is given up never takes it back: it is outside all places until its work ends.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Final, Optional, TypeAlias

__all__ = ["Place", "Work", "Workers"]

Work: TypeAlias = Callable[[], Optional["Work"]]
logger: Final = logging.getLogger("cloaca_nb")


class Place:
    """One thread's place among those that may work at once; changed under the lock of its workers."""

    __slots__ = ("is_given_up", "is_lent", "turn")

    def __init__(self) -> None:
        self.is_lent = False
        self.is_given_up = False
        self.turn = threading.Event()  # set when a place that was lent is this thread's again


class Workers:
    """A set of daemon threads that run what is put into their queue.

    Args:
        limit: how many pieces of work run at once, at least 1.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._ready: SimpleQueue[Work | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._idle = 0
        self._count = 0
        self._closed = False
        self._returning: deque[Place] = deque()
        self._mine = threading.local()

    def put(self, pieces: Iterable[Work]) -> None:
        """Add work; it starts as soon as a thread is free."""
        for piece in pieces:
            self._ready.put(piece)
        with self._lock:
            wanted = min(self._ready.qsize() - self._idle, self._limit - self._count)
            for _ in range(0 if self._closed else wanted):
                self._start()

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
            for _ in range(self._count):
                self._ready.put(None)

    # -- under the lock

    def _lend(self, place: Place) -> None:
        if place.is_lent:
            return
        place.is_lent = True
        self._limit += 1
        self._start_if_wanted()

    def _start_if_wanted(self) -> None:
        if self._ready.qsize() > self._idle and self._count < self._limit and not self._closed:
            self._start()

    def _restore(self, place: Place) -> None:
        place.is_lent = False
        self._limit -= 1
        place.turn.set()

    def _start(self) -> None:
        self._count += 1
        try:
            threading.Thread(target=self._loop, name=f"cloaca-worker-{self._count}", daemon=True).start()
        except RuntimeError:  # the machine has no thread left: those that there are do the work
            self._count -= 1
            if not self._count:
                raise

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
            if self._idle:
                self._ready.put(_do_nothing)  # wakes one that will see who is returning
        place.turn.wait()

    def _loop(self) -> None:
        self._mine.place = Place()
        while (piece := self._next()) is not None:
            following: Work | None = piece
            while following is not None:
                try:
                    following = following()
                except BaseException:  # a thread that died would be missed by every run
                    logger.critical("A worker met an error that nobody had answered.", exc_info=True)
                    following = None
            del piece, following  # a waiting thread keeps no run alive

    def _next(self) -> Work | None:
        """Wait for work; None: end this thread."""
        with self._lock:
            if self._count > self._limit:  # a thread that was given up is back
                self._count -= 1
                return None
            if self._returning:
                self._count -= 1
                self._restore(self._returning.popleft())
                return None
            self._idle += 1
        try:
            piece = self._ready.get()
        finally:
            with self._lock:
                self._idle -= 1
                self._start_if_wanted()  # `put` may have counted on this thread, which was on its way already
        if piece is None:
            with self._lock:
                self._count -= 1
        return piece


def _do_nothing() -> None: ...

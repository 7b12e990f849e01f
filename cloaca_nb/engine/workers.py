"""The engine's own threads: daemons that share one ready queue.

A piece of work is a function that may return the next piece: a worker goes on with it at once, so a chain of tasks
never wakes a second thread. Threads are started when work waits and nobody is idle, up to the limit.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Optional, TypeAlias

__all__ = ["Work", "Workers"]

Work: TypeAlias = Callable[[], Optional["Work"]]


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
        if not getattr(self._mine, "working", False):
            yield
            return
        self._resize(1)
        try:
            yield
        finally:
            self._resize(-1)

    def replace(self) -> None:
        """Give up on a thread that doesn't come back: another one may take its place."""
        self._resize(1)

    def returned(self) -> None:
        """Take note that such a thread came back after all."""
        self._resize(-1)

    def close(self) -> None:
        """Let every thread end after the work that it has in hand."""
        with self._lock:
            self._closed = True
            for _ in range(self._count):
                self._ready.put(None)

    def _resize(self, by: int) -> None:
        with self._lock:
            self._limit += by
            if by > 0 and self._ready.qsize() > self._idle and not self._closed:
                self._start()

    def _start(self) -> None:
        self._count += 1
        threading.Thread(target=self._loop, name=f"cloaca-worker-{self._count}", daemon=True).start()

    def _loop(self) -> None:
        self._mine.working = True
        while (piece := self._next()) is not None:
            following: Work | None = piece
            while following is not None:
                following = following()
            del piece, following  # a waiting thread keeps no run alive

    def _next(self) -> Work | None:
        """Wait for work; None: end this thread."""
        with self._lock:
            if self._count > self._limit:  # a thread that only waited is back
                self._count -= 1
                return None
            self._idle += 1
        try:
            piece = self._ready.get()
        finally:
            with self._lock:
                self._idle -= 1
        if piece is None:
            with self._lock:
                self._count -= 1
        return piece

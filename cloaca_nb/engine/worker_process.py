"""Inside a worker process: it runs one body after the other, and ends with the process that started it.

The main thread runs bodies; a thread beside it listens, and ends the process when nobody is at the other end: the
engine was closed, or its process has died, however that came.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Final

from cloaca_nb.engine.remote import Message, RemoteBody
from cloaca_nb.values.travel import from_bytes

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

__all__ = ["BODY", "GO", "OVER", "RELEASED", "RETURNING", "serve"]

BODY, GO = "body", "go"  # to it: run this, in that folder, with those import paths; the place is yours again
OVER, RELEASED, RETURNING = "over", "released", "returning"  # from it, besides what a body says
LOOK_S: Final = 2.0  # between two looks whether the parent is still there
GRACE_S: Final = 2.0  # for threads that a body has left behind, when the process is to end


def serve(connection: "Connection[Any, Any]") -> None:
    """Run bodies until the other end is closed."""
    _leave_group()
    worker = _Worker(connection)
    threading.Thread(target=worker.listen, name="cloaca-listen", daemon=True).start()
    worker.work()


class _Worker:
    """One worker process, from inside."""

    def __init__(self, connection: "Connection[Any, Any]") -> None:
        self._connection = connection
        self._parent = os.getppid()
        self._bodies: SimpleQueue[bytes | None] = SimpleQueue()
        self._go: SimpleQueue[None] = SimpleQueue()
        self._lock = threading.Lock()  # threads that a body starts may print at the same time
        self._is_busy = False

    def work(self) -> None:
        """Run what comes, on the main thread."""
        while (data := self._bodies.get()) is not None:
            body: RemoteBody = from_bytes(data)
            reply = body.run(self._say, self._released)
            self._is_busy = False
            with suppress(OSError):  # the other end is closed, which the listener is told as well
                self._say((OVER, reply))

    def listen(self) -> None:
        """Take in what the other end says, until there is none; then end."""
        with suppress(EOFError, OSError):
            while self._connection.poll(LOOK_S) or os.getppid() == self._parent:
                if self._connection.poll():
                    self._hear(*self._connection.recv())
        if self._is_busy:  # nobody waits for what it does
            _end_group()
        self._bodies.put(None)
        time.sleep(GRACE_S)
        os._exit(0)

    def _hear(self, word: str, data: bytes = b"", folder: str = "", paths: Sequence[str] = ()) -> None:
        if word == GO:
            self._go.put(None)
            return
        with suppress(OSError):  # the folder was removed: a body that needs it will say so
            os.chdir(folder)
        sys.path[:] = paths
        self._is_busy = True
        self._bodies.put(data)

    def _say(self, message: Message) -> None:
        with self._lock:
            self._connection.send(message)

    @contextmanager
    def _released(self) -> Iterator[None]:
        self._say((RELEASED,))
        try:
            yield
        finally:
            self._say((RETURNING,))
            self._go.get()


def _leave_group() -> None:
    """Be out of reach for Ctrl-C, which is sent to the whole group of the process that started this one."""
    if hasattr(os, "setsid"):  # not on Windows
        os.setsid()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _end_group() -> None:
    """End this process with those that its body has started."""
    if hasattr(os, "killpg"):
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(1)

"""Worker processes: each runs one body at a time, is used again for the next one, and can be killed alone."""

import atexit
import importlib.util
import os
import signal
import sys
import sysconfig
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from cloaca_nb.engine.clock import now
from cloaca_nb.engine.remote import Message, RemoteBody, Reply
from cloaca_nb.engine.worker_process import BODY, GO, OVER, RELEASED, RETURNING, serve
from cloaca_nb.errors import MissingExtraError, TaskCrashedError
from cloaca_nb.values.travel import to_bytes

__all__ = ["Processes", "WorkerProcess", "check_loky"]

INSTALLED: Final = tuple(sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib"))
PATIENCE: Final = 5.0  # seconds that a process gets to be gone after its connection is
_living: Final["weakref.WeakSet[WorkerProcess]"] = weakref.WeakSet()
_at_exit: Final = threading.Lock()


def check_loky() -> None:
    """Raise a MissingExtraError unless tasks can run in processes."""
    if importlib.util.find_spec("loky") is None:
        raise MissingExtraError(
            'Tasks with executor="process" need the library loky: pip install cloaca-nb[process].', name="loky"
        )


class WorkerProcess:
    """One worker process, from outside; used by one thread at a time, killed by any."""

    def __init__(self) -> None:
        from loky.backend import get_context  # noqa: PLC0415 - importing cloaca_nb loads the standard library only

        context = get_context("loky")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs,), name="cloaca-process")
        with _interrupts_held_back():
            self._process.start()
        theirs.close()
        self._started = now()
        self._is_killed = False
        self._lock = threading.Lock()
        self.holder: object = None  # for whom it works now
        _kill_at_exit(self)

    @property
    def is_alive(self) -> bool:
        """Whether it can run a body."""
        return not self._is_killed and self._process.is_alive()

    @property
    def is_current(self) -> bool:
        """Whether the modules that it may have imported are still the same on disk."""
        return all(changed < self._started for changed in _times_of_own_modules())

    def run(self, body: RemoteBody, hear: Callable[[Message], None], released: Callable[[], Any]) -> Reply:
        """Run a body there, and block until it is over.

        Args:
            body: what to run.
            hear: told what it prints and reports.
            released: a context manager, entered while the body only waits.

        Raises:
            TaskCrashedError: if the process ends meanwhile.
        """
        try:
            self._connection.send((BODY, to_bytes(body), _folder(), sys.path))
            while (message := self._connection.recv())[0] != OVER:
                if message[0] == RELEASED:
                    with released():
                        self._hear_until_returning(hear)
                    self._connection.send((GO,))
                else:
                    hear(message)
        except (EOFError, OSError):
            raise TaskCrashedError(self._obituary(body.named)) from None
        reply: Reply = message[1]
        return reply

    def _hear_until_returning(self, hear: Callable[[Message], None]) -> None:
        while (message := self._connection.recv())[0] != RETURNING:
            hear(message)

    def end(self) -> None:
        """Let it end when nothing runs in it."""
        with suppress(OSError):
            self._connection.close()

    def pass_to(self, holder: object) -> None:
        """Have it work for another one; None: for nobody."""
        with self._lock:
            self.holder = holder

    def kill_for(self, holder: object) -> None:
        """Kill it, unless it works for somebody else by now."""
        with self._lock:
            if self.holder is holder:
                self.kill()

    def kill(self) -> None:
        """End it at once, with every process that its body has started."""
        self._is_killed = True
        pid = self._process.pid
        if pid is None or not self._process.is_alive():
            return
        if not hasattr(os, "killpg"):  # Windows
            self._process.terminate()
            return
        for kill in (os.killpg, os.kill):  # it may not be the head of a group of its own yet
            with suppress(ProcessLookupError):
                kill(pid, signal.SIGKILL)

    def _obituary(self, named: str) -> str:
        self._process.join(PATIENCE)
        code = self._process.exitcode
        how = f"was ended by {_signal_name(-code)}" if code is not None and code < 0 else f"ended with exit code {code}"
        return (
            f"The process of task {named} {how} in the middle of it: "
            "os._exit, a crash in a library's native code, or too little memory. Other tasks are not touched."
        )


class Processes:
    """The worker processes of one engine."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[WorkerProcess] = []
        self._is_closed = False

    @contextmanager
    def one_for(self, holder: object) -> Iterator[WorkerProcess]:
        """Have a worker process for oneself: one that is idle, else a new one.

        Args:
            holder: for whom; see `WorkerProcess.kill_for`.
        """
        process = self._take() or WorkerProcess()
        process.pass_to(holder)
        try:
            yield process
        finally:
            process.pass_to(None)
            self._give_back(process)

    def close(self) -> None:
        """End those that are idle, and the others when they are given back."""
        with self._lock:
            self._is_closed = True
            idle, self._idle = self._idle, []
        for process in idle:
            process.end()

    def _take(self) -> WorkerProcess | None:
        with self._lock:
            while self._idle:
                process = self._idle.pop()
                if process.is_alive and process.is_current:
                    return process
                process.end()
        return None

    def _give_back(self, process: WorkerProcess) -> None:
        with self._lock:
            if process.is_alive and not self._is_closed:
                self._idle.append(process)
                return
        process.end()


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Start a process that no Ctrl-C reaches before it has left this one's group: it inherits what is held back."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _kill_at_exit(process: WorkerProcess) -> None:
    """Have it killed before the standard library waits for its end; that is set up when loky is imported, so later."""
    with _at_exit:
        if not _living:
            atexit.unregister(_kill_living)
            atexit.register(_kill_living)
        _living.add(process)


def _kill_living() -> None:
    for process in list(_living):
        process.kill()


def _folder() -> str:
    try:
        return str(Path.cwd())
    except FileNotFoundError:  # it was removed
        return ""


def _times_of_own_modules() -> Iterator[float]:
    """Yield when each imported module that a user may be editing was changed: seconds since the Unix epoch."""
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and not file.startswith(INSTALLED):
            with suppress(OSError):
                yield Path(file).stat().st_mtime


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"

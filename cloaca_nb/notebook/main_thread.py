"""Runs on the main thread of a kernel: there a debugger works, as it can ask the person who looks on."""

import asyncio
import sys
from bdb import BdbQuit
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from inspect import CO_COROUTINE
from pathlib import Path
from queue import Empty, SimpleQueue
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.retry import NO_RETRY
from cloaca_nb.engine.output import real_stream
from cloaca_nb.engine.questions import allowed
from cloaca_nb.engine.run import Run

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["MainThread"]

TICK: Final = 0.05  # seconds between two looks whether the run is over
ENGINE: Final = str(Path(__file__).parent.parent)
QUIT: Final = (KeyboardInterrupt, BdbQuit)


class MainThread(Executor):
    """Runs what is submitted from any thread on the one that waits for the run, one after the other.

    Args:
        shell: whose debugger `breakpoint()` opens.
    """

    def __init__(self, shell: "InteractiveShell") -> None:
        self._shell = shell
        self._queue: SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = SimpleQueue()

    def takes(self, workflow: Workflow) -> Workflow:
        """Return the workflow with tasks that run here, once and for as long as it takes."""
        return workflow.changed(lambda task: replace(task, executor=self, retry=NO_RETRY, timeout=None))

    def submit(self, function: Callable[..., Any], /, *args: Any, **options: Any) -> "Future[Any]":
        """Queue a call."""
        future: Future[Any] = Future()
        self._queue.put((future, partial(function, *args, **options)))
        return future

    def start(self, start: Callable[[], Run]) -> Run:
        """Start a run whose tasks may ask the person."""
        with allowed():
            return start()

    def wait_for(self, run: Run) -> None:
        """Run what its tasks submit until it is over.

        Raises:
            KeyboardInterrupt: on an interrupt, or if the person quits the debugger.
        """
        with self._debugger():
            while not run.is_over:
                with suppress(Empty):
                    _call(*self._queue.get(timeout=TICK))

    @contextmanager
    def _debugger(self) -> Iterator[None]:
        """Have `breakpoint()` open the shell's debugger, on the real stream: what it says is no output of a task."""
        hook = sys.breakpointhook
        sys.breakpointhook = self._break
        try:
            yield
        finally:
            sys.breakpointhook = hook

    def _break(self, *_args: Any, **_options: Any) -> None:
        debugger = _debugger_class(self._shell.debugger_cls)(stdout=real_stream("stdout"))
        debugger.use_rawinput = True  # which `pdb` leaves alone only for the stream that it takes by itself
        debugger.set_trace(sys._getframe(1))  # noqa: SLF001 - as `pdb` itself finds who called it


def _debugger_class(shells: Any) -> Any:
    """Return a shell's class of debuggers, made to stay within the user's code."""

    class Debugger(shells):  # type: ignore[misc]  # a front end may have one of its own
        def stop_here(self, frame: FrameType) -> bool:
            return not _is_ours(frame) and bool(super().stop_here(frame))

        def dispatch_return(self, frame: FrameType, value: Any) -> Any:
            going_on = super().dispatch_return(frame, value)
            if _is_ours(frame.f_back) and not frame.f_code.co_flags & CO_COROUTINE:  # which may only wait
                self.set_continue()
            return going_on

    return Debugger


def _is_ours(frame: FrameType | None) -> bool:
    return frame is not None and frame.f_code.co_filename.startswith(ENGINE)


def _call(future: "Future[Any]", call: Callable[[], Any]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        with _no_loop():
            came_to = call()
    except BaseException as error:  # noqa: BLE001 - it is for who submitted it
        future.set_exception(error)
        return
    if isinstance(came_to, QUIT):  # an attempt returns its error; the run is cancelled, and so is this attempt
        raise KeyboardInterrupt
    future.set_result(came_to)


@contextmanager
def _no_loop() -> Iterator[None]:
    """Let an async body have a loop of its own: the kernel's runs on this thread, and is in the middle of the cell."""
    running = asyncio._get_running_loop()  # noqa: SLF001 - documented for who writes event loops
    asyncio._set_running_loop(None)  # noqa: SLF001 - see above
    try:
        yield
    finally:
        asyncio._set_running_loop(running)  # noqa: SLF001 - see above

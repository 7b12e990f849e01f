"""Work of a library that hears no interrupt: it is done in another thread, and stopped from this one."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Final, TypeVar

__all__ = ["hearing", "interruptible"]

T = TypeVar("T")
PULSE: Final = 0.25  # seconds after which an interrupt is heard that came in another thread's name
HEARD: Final = "Query interrupted"
TICK: Final = 0.05  # seconds between two calls to stop: one may come before there is anything to be stopped


def interruptible(work: Callable[[], T], stop: Callable[[], object]) -> T:
    """Return what `work` returns; an interrupt has it stopped, and is raised when it has ended.

    Args:
        work: what may take long; in the main thread, which alone hears interrupts, it is done in another.
        stop: makes the work end soon; called again until it has.
    """
    if threading.current_thread() is not threading.main_thread():
        return work()
    outcome: Future[T] = Future()
    done = threading.Event()

    def work_aside() -> None:
        try:
            outcome.set_result(work())
        except BaseException as error:  # noqa: BLE001 - raised where it is waited for
            outcome.set_exception(error)
        finally:
            done.set()

    thread = threading.Thread(target=work_aside, name="cloaca-history-question", daemon=True)
    try:
        thread.start()
        while not done.wait(PULSE):
            pass
    except BaseException:
        _stop(stop, thread, done)
        raise
    return outcome.result()


@contextlib.contextmanager
def hearing() -> Iterator[None]:
    """Raise as an interrupt what DuckDB makes of one that it does hear, as it comes just between two statements."""
    try:
        yield
    except RuntimeError as error:
        if str(error) != HEARD:
            raise
        raise KeyboardInterrupt from error


def _stop(stop: Callable[[], object], thread: threading.Thread, done: threading.Event) -> None:
    has_ended = False
    while not has_ended:
        try:
            stop()
            has_ended = done.wait(TICK) or thread.ident is None  # interrupted before it began
        except KeyboardInterrupt:  # it is being seen to
            continue

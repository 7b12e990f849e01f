"""What a package has started and left running, wherever it has hidden from whoever started the package."""

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import psutil

__all__ = ["MARK", "end_all", "end_below", "memory_of"]

# The environment variable by which processes are known as a package's: what they start inherits it.
MARK: Final = "CLOACA_PACKAGE_PROCESS"
ROUNDS: Final = 10  # a process may start another one while it is looked for


def end_all(mark: str) -> None:
    """End every other process of this user whose environment says `mark`, and wait until they are gone.

    One that has left its group, or was orphaned, is found all the same; one that has cleared its environment isn't:
    on Linux that one is below a keeper.
    """
    _end(lambda: _marked(mark))


def end_below(pid: int) -> None:
    """End every process that a process has started, or that was handed to it, and wait until they are gone."""
    _end(lambda: _below(pid))


def _end(look: "Callable[[], Iterable[psutil.Process]]") -> None:
    import psutil  # noqa: PLC0415 - importing cloaca_nb loads the standard library only

    for _ in range(ROUNDS):
        found = list(look())
        for process in found:
            try:
                process.kill()
            except psutil.NoSuchProcess:  # it has ended by itself
                continue
        if not found:
            return
        psutil.wait_procs(found, timeout=1)


def _marked(mark: str) -> "Iterator[psutil.Process]":
    import psutil  # noqa: PLC0415 - see above

    for process in psutil.process_iter():
        try:
            is_marked = process.environ().get(MARK) == mark
            if is_marked and process.pid != os.getpid() and process.status() != psutil.STATUS_ZOMBIE:
                yield process
        except psutil.Error:  # it has ended, or is somebody else's
            continue


def _below(pid: int) -> "Iterator[psutil.Process]":
    import psutil  # noqa: PLC0415 - see above

    with suppress(psutil.Error):  # it has ended
        for process in psutil.Process(pid).children(recursive=True):
            with suppress(psutil.Error):
                if process.status() != psutil.STATUS_ZOMBIE:
                    yield process


def memory_of(pid: int) -> int:
    """Return the bytes of memory that a process and those below it hold; 0 if it has ended."""
    import psutil  # noqa: PLC0415 - see above

    try:
        process = psutil.Process(pid)
        return sum(one.memory_info().rss for one in (process, *process.children(recursive=True)))
    except psutil.Error:  # it has ended, or one of the others has meanwhile: the next look tells more
        return 0

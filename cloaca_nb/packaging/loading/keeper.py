"""The process above a package's: on Linux it is given all that the package starts and lets go, and ends it.

What a process starts and leaves goes to the nearest process above it that asks for such orphans. So nothing gets out
of reach by leaving its group and its environment, as daemons do: it stays below the keeper, until that ends it.
"""

import os
import resource
import select
import shutil
import signal
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final, NoReturn

from cloaca_nb.packaging.loading.remains import end_below

__all__ = ["go_on_below_a_keeper"]

SET_CHILD_SUBREAPER: Final = 36  # prctl(2)


def go_on_below_a_keeper(control: int, replies: Iterable[int], scratch: Path) -> bool:
    """Go on in a child of this process, which ends with that child and takes all below it along.

    Args:
        control: the pipe whose other end somebody holds who waits; when that is closed, it is over too.
        replies: descriptors that are the child's alone.
        scratch: the folder that is removed then.

    Returns:
        Whether there is a keeper: only Linux hands orphans on.
    """
    if sys.platform != "linux" or not _takes_orphans():
        return False
    if child := os.fork():
        for one in replies:
            os.close(one)
        _keep(child, control, scratch)
    return True


def _takes_orphans() -> bool:
    import ctypes  # noqa: PLC0415 - only here, in a process of its own

    refused: int = ctypes.CDLL(None).prctl(SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    return refused == 0


def _keep(child: int, control: int, scratch: Path) -> NoReturn:
    """Wait for the end of either side, and clear up; who reads the streams to their end knows that it is done."""
    signal.signal(signal.SIGINT, lambda number, _: os.kill(child, number))
    ended = os.pidfd_open(child)
    waiting = select.poll()
    waiting.register(ended, select.POLLIN)
    waiting.register(control, 0)  # no data, which are the child's: only that the other end is closed
    waiting.poll()
    end_below(os.getpid())
    if control in dict(waiting.poll(0)):  # whoever would have removed it is gone, maybe just now
        shutil.rmtree(scratch, ignore_errors=True)
    _end_as(os.waitpid(child, 0)[1])


def _end_as(status: int) -> NoReturn:
    """End as the child did."""
    if os.WIFSIGNALED(status):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        with suppress(OSError, ValueError):  # nobody handles SIGKILL
            signal.signal(os.WTERMSIG(status), signal.SIG_DFL)
        os.kill(os.getpid(), os.WTERMSIG(status))
    os._exit(os.waitstatus_to_exitcode(status))

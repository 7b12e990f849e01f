"""A child that a body forks ends where the body does: the threads that its run goes on with stayed in the parent."""

import os
import sys
import traceback
from typing import Final, NoReturn

__all__ = ["FORKS", "Forks", "end_child"]


class Forks:
    """Counts how many forks this process is away from the one that it was made in.

    Attributes:
        count: what it is now; what it was before a body tells whether the body came back in a child.
    """

    def __init__(self) -> None:
        self.count = 0

    def add(self) -> None:
        """Take note that this process was forked off."""
        self.count += 1


FORKS: Final = Forks()
if hasattr(os, "register_at_fork"):  # not on Windows, which can't fork
    os.register_at_fork(after_in_child=FORKS.add)


def end_child(error: BaseException | None) -> NoReturn:
    """End this process as a script ends that returns or raises this.

    Args:
        error: what ended the body; None: it returned.
    """
    code = 1
    try:
        code = _told(error)
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    finally:  # whatever those are here
        os._exit(code)  # nothing that the parent does at its end is done twice


def _told(error: BaseException | None) -> int:
    """Say what a script says of its end, and return its exit code."""
    if isinstance(error, SystemExit) and (error.code is None or isinstance(error.code, int)):
        return error.code or 0
    if error is None:
        return 0
    if isinstance(error, SystemExit):
        print(error.code, file=sys.stderr)  # noqa: T201 - sys.exit("a sentence")
    else:
        traceback.print_exception(error)
    return 1

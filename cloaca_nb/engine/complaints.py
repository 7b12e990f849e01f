"""Errors that change nothing of a run: each is logged with its traceback once, and counted from then on."""

import logging
import threading
import traceback
from collections import Counter
from typing import Final, NamedTuple

from cloaca_nb.declare.place import file_label

__all__ = ["Complaints"]

logger: Final = logging.getLogger("cloaca_nb")


class _Complaint(NamedTuple):
    what: str
    error: str
    filename: str
    line: int


class Complaints:
    """Those of one run: a callback that is broken fails for each of thousands of tasks."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[_Complaint] = Counter()

    def add(self, what: str, named: str, problem: BaseException, then: str) -> None:
        """Log an error, or only count it if one like it was logged before.

        Args:
            what: failed, e.g. "A callback".
            named: the task.
            problem: the error.
            then: what becomes of the task all the same.
        """
        *_, (frame, line) = traceback.walk_tb(problem.__traceback__)
        one = _Complaint(what, type(problem).__name__, frame.f_code.co_filename, line)
        with self._lock:
            self._counts[one] += 1
            is_first = self._counts[one] == 1
        if is_first:
            logger.error("%s of task %s failed; %s.", what, named, then, exc_info=problem)

    def end(self) -> None:
        """Log how many more there were."""
        for one, count in self._counts.items():
            if count > 1:
                place = f"{file_label(one.filename)}, line {one.line}"
                tasks = "1 more task" if count == 2 else f"{count - 1:,} more tasks"  # noqa: PLR2004 - the first was logged
                logger.error("%s of %s failed in the same way: %s (%s).", one.what, tasks, one.error, place)

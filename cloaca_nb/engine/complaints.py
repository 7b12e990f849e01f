"""What is wrong and changes nothing of a run: each is logged once, an error with its traceback, and then counted."""

import logging
import threading
import traceback
from collections import Counter
from typing import Final, NamedTuple

from cloaca_nb.core.task import Task
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
        self._lost: Counter[tuple[str, str]] = Counter()  # by the place of the task, and the key

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

    def lose(self, task: Task, key: str, fix: str) -> None:
        """Log that a task has changed a value which no other task sees so, or only count it as `add` does.

        Args:
            task: which did.
            key: of the value.
            fix: how it would have been passed on.
        """
        one = (task.where or task.id, key)
        with self._lock:
            self._lost[one] += 1
            is_first = self._lost[one] == 1
        if is_first:
            logger.warning(
                "Task %s has changed its own %r in place, which no other task sees: to pass that on, %s; "
                "else change a copy.",
                task.named,
                key,
                fix,
            )

    def end(self) -> None:
        """Log how many more there were."""
        for (place, key), count in self._lost.items():
            if count > 1:
                logger.warning("So have %s more tasks with their own %r (%s).", f"{count - 1:,}", key, place)
        for one, count in self._counts.items():
            if count > 1:
                place = f"{file_label(one.filename)}, line {one.line}"
                tasks = "1 more task" if count == 2 else f"{count - 1:,} more tasks"  # noqa: PLR2004 - the first was logged
                logger.error("%s of %s failed in the same way: %s (%s).", one.what, tasks, one.error, place)

"""What the tasks of a run have written lately: the last lines of each, for who looks on. History has all of it."""

import re
from collections import defaultdict, deque
from collections.abc import Sequence
from typing import Final, NamedTuple

from cloaca_nb.core.events import OutputWritten

__all__ = ["LoggedLine", "TaskLogs"]

ALL_TASKS: Final = 12_000_000  # characters
ONE_TASK: Final = (8_000, 200_000)  # at least, at most
LONGEST: Final = 2_000  # characters of a line
ANSI: Final = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")


class LoggedLine(NamedTuple):
    """One line: of which attempt, to which stream, without its end."""

    attempt: int
    stream: str
    text: str


class TaskLogs:
    """The last lines of each task; not safe for threads.

    Args:
        tasks: how many there are: each may keep its part of a limit on all.
    """

    def __init__(self, tasks: int) -> None:
        least, most = ONE_TASK
        self._room = min(max(ALL_TASKS // max(tasks, 1), least), most)
        self._logs: dict[str, _Log] = defaultdict(_Log)

    def observe(self, event: OutputWritten) -> None:
        """Take in what an attempt wrote."""
        log = self._logs[event.task_id]
        for line in event.text.splitlines():
            log.add(LoggedLine(event.attempt, event.stream, _shown(line)), self._room)

    def count(self, task_id: str) -> int:
        """Return how many lines a task has written."""
        return self._logs[task_id].count if task_id in self._logs else 0

    def since(self, task_id: str, number: int) -> tuple[int, Sequence[LoggedLine]]:
        """Return lines of a task, and the number of the first of them, counted from 0.

        Args:
            task_id: its id.
            number: that of the first line that is wanted; if it is no longer kept, the first that is.
        """
        if task_id not in self._logs:
            return 0, ()
        log = self._logs[task_id]
        first = log.count - len(log.lines)
        start = min(max(number, first), log.count)
        return start, list(log.lines)[start - first :]


class _Log:
    """One task's lines, the oldest of which go when there is no more room."""

    def __init__(self) -> None:
        self.lines: deque[LoggedLine] = deque()
        self.count = 0
        self._size = 0

    def add(self, line: LoggedLine, room: int) -> None:
        self.lines.append(line)
        self.count += 1
        self._size += len(line.text) + 1
        while self._size > room:
            self._size -= len(self.lines.popleft().text) + 1


def _shown(line: str) -> str:
    plain = ANSI.sub("", line)
    return plain if len(plain) <= LONGEST else f"{plain[:LONGEST]}… (line of {len(plain):,} characters)"

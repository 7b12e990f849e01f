"""What a person sees first: the latest runs with what they started from, and what stands beside a run's tasks."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from cloaca_nb.core.duration import duration
from cloaca_nb.core.moment import moment
from cloaca_nb.core.run_id import short
from cloaca_nb.history.followed import Piece
from cloaca_nb.history.location import Location
from cloaca_nb.history.questions import BEGAN, COUNT, LOG_ENDS, RUNS, STARTED_FROM
from cloaca_nb.history.runs_page import Settings, history_bundle
from cloaca_nb.history.store import Reading
from cloaca_nb.history.usual import usual_seconds

__all__ = ["LINES", "LogEnd", "TaskNotes", "count_runs", "heading", "history_shown", "settings_of", "task_notes"]

LATEST: Final = 10  # runs that a history shows of itself
LINES: Final = 20  # of a task's log that are at hand


class LogEnd(NamedTuple):
    """How much a task wrote, and the last of it."""

    lines: int
    pieces: tuple[Piece, ...]


class TaskNotes(NamedTuple):
    """What stands beside the tasks of a run, by task."""

    run_id: str
    usual: Mapping[str, float]  # seconds that it usually takes, in other runs
    logs: Mapping[str, LogEnd]  # of those that wrote something

    def usually(self, task: Mapping[str, Any]) -> str:
        """Return how long a task usually takes, in words, where it is known how long it took this time."""
        return "" if task["duration"] is None else duration(self.usual.get(task["task_id"]))

    def lines(self, task_id: str) -> str:
        """Return how much a task wrote, in words; empty for nothing."""
        count = self.logs[task_id].lines if task_id in self.logs else 0
        return f"{count:,} line{'' if count == 1 else 's'}" if count else ""


def history_shown(reading: Reading, location: Location) -> dict[str, str]:
    """Return a history as display data: its latest runs."""
    runs = reading.rows(RUNS, LATEST)
    settings = settings_of(reading, [run["run_id"] for run in runs])
    return history_bundle(location, count_runs(reading), runs, settings)


def heading(reading: Reading, run_id: str) -> str:
    """Return what heads an answer about a run, named by its whole id: its workflow, its name, and when it began."""
    [run] = reading.rows(BEGAN, run_id)
    return f"{run['workflow']}, run {short(run_id)}, {moment(run['started'])}"


def count_runs(reading: Reading) -> int:
    """Return how many runs there are, tries included."""
    return int(reading.rows(COUNT)[0]["runs"])


def settings_of(reading: Reading, runs: Sequence[str]) -> Settings:
    """Return what runs, named by their whole ids, started from."""
    found: dict[str, dict[str, str]] = {}
    for row in reading.rows(STARTED_FROM, list(runs)):
        found.setdefault(row["run_id"], {})[row["key"]] = row["preview"]
    return found


def task_notes(reading: Reading, run_id: str) -> TaskNotes:
    """Return what stands beside the tasks of a run, named by its whole id."""
    [run] = reading.rows("SELECT workflow FROM runs WHERE run_id = $1", run_id)
    logs: dict[str, LogEnd] = {}
    for row in reading.rows(LOG_ENDS, run_id, LINES):
        _, pieces = logs.get(row["task_id"], (0, ()))
        piece = Piece(*(row[name] for name in Piece._fields))
        logs[row["task_id"]] = LogEnd(int(row["lines"]), (*pieces, piece))
    return TaskNotes(run_id, usual_seconds(reading, run["workflow"], run_id), logs)

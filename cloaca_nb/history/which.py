"""Which run is meant: by its id, the beginning of that, or as the latest."""

from typing import Final, NamedTuple

from cloaca_nb.core.run_id import short
from cloaca_nb.errors import HistoryError, near_miss
from cloaca_nb.history.location import Location
from cloaca_nb.history.questions import OPEN
from cloaca_nb.history.store import Reading

__all__ = ["Resumable", "check_task", "which_run", "which_to_resume"]

RUNNING: Final = "Running"
WORD: Final = "last"  # instead of a run's id
NEAR: Final = 1000  # runs among which a near miss is looked for
LATEST: Final = """
    SELECT run_id FROM runs WHERE kind = 'run' AND ($1 IS NULL OR workflow = $1)
    ORDER BY started DESC, run_id DESC LIMIT 1
"""
LATEST_OVER: Final = """
    SELECT run_id FROM runs WHERE kind = 'run' AND workflow = $1 AND status <> 'Running'
    ORDER BY started DESC, run_id DESC LIMIT 1
"""
NAMED: Final = """
    SELECT run_id FROM runs WHERE starts_with(run_id, $1) OR (length($1) >= 8 AND ends_with(run_id, $1)) LIMIT 5
"""
OF_WORKFLOW: Final = "SELECT 1 FROM runs WHERE workflow = $1 LIMIT 1"
KNOWN: Final = "SELECT run_id FROM runs ORDER BY started DESC, run_id DESC LIMIT $1"


def which_run(reading: Reading, location: Location, run: str | None, workflow: str | None = None) -> str:
    """Return the id of the run that is meant.

    Args:
        reading: the tables.
        location: where they are, for messages.
        run: its id, a beginning that only it has, or the end that messages show; None or "last": the latest.
        workflow: the workflow's name, where the latest run of that one is meant.

    Raises:
        HistoryError: if there is no such run, or several.
    """
    if run in {None, WORD}:
        return _latest(reading, location, workflow)
    found = [str(row["run_id"]) for row in reading.rows(NAMED, run)]
    if run in found or len(found) == 1:
        return run if run in found else found[0]
    if found:
        raise HistoryError(f"{run!r} begins the ids of several runs: {', '.join(found)}. Give more of it.")
    known = [str(row["run_id"]) for row in reading.rows(KNOWN, NEAR)]
    near = near_miss(run, [*known, *map(short, known)])
    if reading.rows(OF_WORKFLOW, run):
        near = " That is a workflow: without a run's name, its latest is meant."
    raise HistoryError(
        f"The history {location} has no run {run!r}.{near} %cloaca_history, runs() or `cloaca-nb history` lists them."
    )


class Resumable(NamedTuple):
    """A run that a new one can go on with."""

    run_id: str
    workflow: str
    passed_over: str = ""  # what is to be said of a later one that is still going on


def which_to_resume(reading: Reading, location: Location, run: str | None, workflow: str | None) -> Resumable:
    """Return the run that a new one can go on with; by default the latest that is over, however it ended.

    Without a workflow's name, that of the latest run is meant, also while that run is still going on.

    Raises:
        HistoryError: if there is none, or the one named is still going on.
    """
    run_id = which_run(reading, location, run, workflow)
    latest = reading.rows(OPEN, run_id)[0]
    if latest["status"] != RUNNING:
        return Resumable(run_id, latest["workflow"])
    workflow = str(latest["workflow"])
    where = "in this process" if latest["pid"] is None else f"in process {latest['pid']} on {latest['host']}"
    going_on = f"Run {short(run_id)} of {workflow!r} is still going on, {where}"
    if run not in {None, WORD}:
        raise HistoryError(f"{going_on}. Cancel it, or wait for its end, first.")
    over = reading.rows(LATEST_OVER, workflow)
    if not over:
        raise HistoryError(f"{going_on}, and no other of {workflow!r} is over. Cancel it, or wait for its end, first.")
    return Resumable(over[0]["run_id"], workflow, going_on)


def check_task(reading: Reading, run_id: str, task: str) -> None:
    """See that a run has a task.

    Raises:
        HistoryError: if it hasn't.
    """
    rows = reading.rows("SELECT task_id FROM task_summary WHERE run_id = $1 ORDER BY position", run_id)
    known = [row["task_id"] for row in rows]
    if task not in known:
        raise HistoryError(
            f"Run {short(run_id)} has no task {task!r}.{near_miss(task, known)} It has {', '.join(known)}."
        )


def _latest(reading: Reading, location: Location, workflow: str | None) -> str:
    latest = reading.rows(LATEST, workflow)
    if not latest:
        of = f" of {workflow!r}" if workflow else ""
        raise HistoryError(f"The history {location} has no run{of} yet: %cloaca_run, or execute(), makes the first.")
    return str(latest[0]["run_id"])

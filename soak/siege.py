"""What the processes of a siege run, and what their history has to hold, whatever became of them."""

import sys
import time
from typing import Any, Final

import cloaca_nb as cloaca
from cloaca_nb.core.graph import Workflow
from cloaca_nb.errors import HistoryError
from cloaca_nb.runner import DefaultRunner

__all__ = ["expected", "initial", "look", "open_runner", "say", "workflow"]

WIDTH: Final = 4
PAUSE: Final = 0.01  # seconds by which each part takes longer than the one before
FINAL: Final = 5  # keys of the final context
ROWS: Final = 1000
LARGE: Final = 100_000  # bytes of a value that a run begins with: while it is written, tasks are over already
SET: Final = 2 + WIDTH + 1  # keys that its tasks set
DELETED: Final = 1
INITIAL: Final = 2


def workflow() -> Workflow:
    """Return a workflow that prints, tells how far it is, sets, deletes and joins, with a value that is an artifact."""
    with cloaca.WorkflowBuilder("siege") as builder:

        @cloaca.task(dependencies=[])
        def load(context: cloaca.Context) -> None:
            context["rows"] = rows(context["count"])
            context["much"] = bytes([context["count"] % 256]) * 10_000

        for number in range(WIDTH):
            part(number)

        @cloaca.task(dependencies=[f"part{number}" for number in range(WIDTH)])
        def join(context: cloaca.Context) -> None:
            context["total"] = sum(context["parts"]) + len(context["large"]) - LARGE
            context.delete("rows")

    return builder.build()


def part(number: int) -> Any:
    """Return one of the tasks that run side by side."""

    @cloaca.task(id=f"part{number}", dependencies=["load"])
    def one(context: cloaca.Context, handle: cloaca.TaskHandle) -> None:
        print(f"part {number}")  # noqa: T201 - what a task prints is kept as well
        handle.progress(1, 2, "half")
        time.sleep(number * PAUSE)
        context["parts"] = [number * 1_000_000 + sum(context["rows"])]

    return one


def rows(count: int) -> list[int]:
    """Return what is small, and another value in each run of a process."""
    return list(range(count % ROWS))


def initial(count: int) -> dict[str, Any]:
    """Return the initial context of a run: one value is small, and one is large and new."""
    return {"count": count, "large": count.to_bytes(8, "big") * (LARGE // 8)}


def expected(count: int) -> dict[str, Any]:
    """Return the final context of a run."""
    parts = [number * 1_000_000 + sum(rows(count)) for number in range(WIDTH)]
    return {**initial(count), "much": bytes([count % 256]) * 10_000, "parts": parts, "total": sum(parts)}


def open_runner(database: str, durability: str = "run") -> DefaultRunner:
    """Return a runner that shows nothing of what tasks print."""
    return DefaultRunner(database, echo_output=lambda _: None, durability=durability)


def look(database: str, finished: set[str]) -> list[str]:
    """Open the history when nobody records in it, and return what is wrong with it."""
    try:
        with open_runner(database) as runner:
            found = runner.history().sql(COUNTED)
    except HistoryError as error:
        return [f"the history doesn't open: {error}"]
    return [*incomplete(found, finished), *strange(found)]


COUNTED: Final = """
    WITH of_tasks AS (SELECT run_id, count(*) AS tasks, count(DISTINCT task_id) AS different FROM tasks GROUP BY ALL),
         of_attempts AS (SELECT run_id, count(*) AS attempts FROM attempts GROUP BY ALL),
         of_logs AS (SELECT run_id, count(*) AS logs FROM logs GROUP BY ALL),
         of_events AS (SELECT run_id, count(*) AS progress FROM events WHERE event = 'ProgressMade' GROUP BY ALL),
         of_values AS (
             SELECT run_id, count(*) FILTER (role = 'final') AS final, count(*) FILTER (role = 'set') AS set,
                    count(*) FILTER (role = 'deleted') AS deleted,
                    count(*) FILTER (role = 'initial' AND digest <> '') AS initial
             FROM artifacts GROUP BY ALL
         )
    SELECT run_id, status, completed, coalesce(of_tasks.tasks, 0) AS tasks, coalesce(different, 0) AS different,
           attempts, logs, progress, final, set, deleted, initial
    FROM runs LEFT JOIN of_tasks USING (run_id) LEFT JOIN of_attempts USING (run_id)
              LEFT JOIN of_logs USING (run_id) LEFT JOIN of_events USING (run_id) LEFT JOIN of_values USING (run_id)
    WHERE resumed_from IS NULL
"""


def incomplete(found: Any, finished: set[str]) -> list[str]:
    """Return what is missing of runs that were reported finished, or there twice."""
    there = found[found["run_id"].isin(finished)]
    wrong = [f"run {run_id} was finished and is lost" for run_id in finished - set(there["run_id"])]
    if not found["run_id"].is_unique:
        wrong.append("a run is there twice")
    tasks = WIDTH + 2
    whole = {
        **dict.fromkeys(("completed", "tasks", "different", "attempts"), tasks),
        **dict.fromkeys(("logs", "progress"), WIDTH),
        "final": FINAL,
        "set": SET,
        "deleted": DELETED,
        "initial": INITIAL,
    }
    for column, value in whole.items():
        odd = there[there[column] != value]
        wrong += [f"run {row.run_id} was finished with {column} {getattr(row, column)}" for row in odd.itertuples()]
    return wrong


def strange(found: Any) -> list[str]:
    """Return which runs of dead processes are neither over nor Interrupted, or have a task twice."""
    odd = found[~found["status"].isin(["Completed", "Interrupted"])]
    twice = found[found["tasks"] != found["different"]]
    wrong = [f"run {row.run_id} is {row.status}" for row in odd.itertuples()]
    return wrong + [f"run {row.run_id} has a task twice" for row in twice.itertuples()]


def say(text: str) -> None:
    """Tell who listens, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()

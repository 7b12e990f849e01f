"""How long the tasks of a workflow usually take."""

from typing import Final

from cloaca_nb.history.store import Reading

__all__ = ["usual_seconds"]

RUNS: Final = 50  # the latest of the workflow that are looked at
TIMES: Final = 20  # the latest of a task that its median is of
QUERY: Final = """
    SELECT task_id, median(duration) AS seconds FROM (
        SELECT task_id, epoch(tasks.ended - tasks.started) AS duration
        FROM tasks JOIN (SELECT run_id FROM runs WHERE kind = 'run' AND workflow = $1 AND run_id <> $2
                         ORDER BY started DESC, run_id DESC LIMIT $3) USING (run_id)
        WHERE outcome = 'Completed' AND taken_from IS NULL AND tasks.started IS NOT NULL
        QUALIFY row_number() OVER (PARTITION BY task_id ORDER BY tasks.started DESC) <= $4
    ) GROUP BY task_id
"""


def usual_seconds(reading: Reading, workflow: str, but_run: str = "") -> dict[str, float]:
    """Return for each task the median of the last times that it was executed and completed, in seconds.

    Args:
        reading: of the tables.
        workflow: its name.
        but_run: the id of a run that doesn't count: the one that is compared.
    """
    return {row["task_id"]: row["seconds"] for row in reading.rows(QUERY, workflow, but_run, RUNS, TIMES)}

"""The rows that a comparison of two runs is made from."""

from collections.abc import Collection, Sequence
from typing import Final

from cloaca_nb.core.run_id import short
from cloaca_nb.declare.fingerprint import Part
from cloaca_nb.errors import HistoryError
from cloaca_nb.history.artifacts import Kept
from cloaca_nb.history.diff import RunRows
from cloaca_nb.history.store import Reading
from cloaca_nb.values.outlines import FORMATS

__all__ = ["pair_with", "read_kept", "read_run", "usual_durations"]

MOST: Final = 100  # runs that tell how long a task usually takes
RUN: Final = "SELECT * FROM run_summary WHERE run_id = $1"
TASKS: Final = """
    SELECT summary.*, tasks.code FROM task_summary AS summary
    LEFT JOIN tasks ON tasks.run_id = summary.run_id AND tasks.task_id = summary.task_id
    WHERE summary.run_id = $1 ORDER BY summary.position
"""
CODE: Final = """
    SELECT task_id, dependencies, source FROM code
    WHERE version = (SELECT version FROM runs WHERE run_id = $1) ORDER BY position
"""
PARTS: Final = """
    SELECT code, name, digest, location, shown FROM code_parts
    WHERE digest IS NOT NULL AND code IN (SELECT code FROM tasks WHERE run_id = $1)
"""
VALUES: Final = """
    SELECT role, key, type, digest, preview, codec FROM artifacts WHERE run_id = $1 AND role <> 'default'
    ORDER BY time, rowid
"""
USUAL: Final = """
    SELECT task_id, list(epoch(tasks.ended - tasks.started)) AS durations
    FROM tasks JOIN (SELECT run_id FROM runs WHERE kind = 'run' AND run_id NOT IN ($1, $2)
                     AND workflow = (SELECT workflow FROM runs WHERE run_id = $1)
                     ORDER BY started DESC LIMIT $3) USING (run_id)
    WHERE outcome = 'Completed' AND taken_from IS NULL AND tasks.started IS NOT NULL
    GROUP BY task_id
"""
# Of values that may be or hold tables: a small one stands in one row of its run, and others refer to that.
KEPT: Final = """
    SELECT digest, any_value(codec) AS codec, max(data) AS data FROM artifacts
    WHERE run_id IN ($1, $2) AND digest IN (SELECT unnest($3::VARCHAR[])) AND list_contains($4, codec)
    GROUP BY digest
"""
# A run and the latest other one of its workflow, in the order of time.
PAIR: Final = """
    SELECT run_id, started FROM runs WHERE run_id = $1
    UNION ALL
    (SELECT run_id, started FROM runs
     WHERE kind = 'run' AND run_id <> $1 AND workflow = (SELECT workflow FROM runs WHERE run_id = $1)
     ORDER BY started DESC, run_id DESC LIMIT 1)
    ORDER BY started, run_id
"""


def pair_with(reading: Reading, run_id: str) -> tuple[str, str]:
    """Return a run and the latest other one of its workflow, the earlier first.

    Raises:
        HistoryError: if there is no other.
    """
    found = [row["run_id"] for row in reading.rows(PAIR, run_id)]
    if len(found) == 1:
        name = short(run_id)
        raise HistoryError(
            f"There is no other run of the workflow to compare run {name} with; name the two to compare."
        )
    return found[0], found[1]


def read_run(reading: Reading, run_id: str) -> RunRows:
    """Return the rows of a run that is there."""
    parts: dict[str, dict[str, Part]] = {}
    for row in reading.rows(PARTS, run_id):
        parts.setdefault(row["code"], {})[row["name"]] = Part(row["digest"], row["location"], row["shown"])
    [run] = reading.rows(RUN, run_id)
    return RunRows(run, reading.rows(TASKS, run_id), reading.rows(CODE, run_id), parts, reading.rows(VALUES, run_id))


def read_kept(reading: Reading, runs: tuple[str, str], digests: Collection[str]) -> dict[str, Kept]:
    """Return by digest how those values of two runs are kept that may be or hold tables."""
    rows = reading.rows(KEPT, *runs, list(digests), list(FORMATS)) if digests else []
    return {row["digest"]: Kept(row["codec"], row["data"]) for row in rows}


def usual_durations(reading: Reading, a: str, b: str) -> dict[str, Sequence[float]]:
    """Return how many seconds each task of a workflow took in its latest runs but these two."""
    return {row["task_id"]: row["durations"] for row in reading.rows(USUAL, a, b, MOST)}

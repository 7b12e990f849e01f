"""How much room a history takes, and how much of it only old runs need: by its rows, as looking at files takes long."""

from pathlib import Path
from typing import Final, NamedTuple

from cloaca_nb.history.artifacts import INLINE
from cloaca_nb.history.store import Store

__all__ = ["Room", "room_of"]

# Runs that have a workflow's `$1` latest before them, and what is an artifact by its size: of all, and of those alone.
TAKEN: Final = """
    WITH ranked AS (
        SELECT run_id, status, tasks,
               row_number() OVER (PARTITION BY workflow, kind ORDER BY started DESC, run_id DESC) AS place
        FROM runs
    ),
    old AS (SELECT run_id, tasks FROM ranked WHERE place > $1 AND status <> 'Running'),
    large AS (
        SELECT digest, any_value(size) AS size, bool_and(old.run_id IS NOT NULL) AS is_old
        FROM artifacts LEFT JOIN old USING (run_id)
        WHERE size > $2 AND codec IS NOT NULL AND data IS NULL GROUP BY digest
    )
    SELECT coalesce(sum(size), 0) AS taken, coalesce(sum(size) FILTER (is_old), 0) AS old,
           coalesce((SELECT sum(tasks) FROM old) / (SELECT sum(tasks) FROM runs), 0) AS share
    FROM large
"""


class Room(NamedTuple):
    """Bytes on the disk, about."""

    taken: int
    old: int  # of those, what would be free without the old runs


def room_of(store: Store, database: Path, keep: int) -> Room:
    """Return the room that a history takes, without what was recorded a moment ago.

    Args:
        store: where its rows are.
        database: its file.
        keep: how many runs of each workflow aren't old.

    Raises:
        HistoryError: if it can't be reached.
    """
    size = database.stat().st_size
    (row,) = store.read(lambda reading: reading.rows(TAKEN, keep, INLINE), up_to_date=False)
    return Room(size + int(row["taken"]), int(size * row["share"]) + int(row["old"]))

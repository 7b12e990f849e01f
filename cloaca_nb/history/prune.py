"""Old runs leave a history: their rows in one transaction, and then the artifacts that no row needs any more.

A run stays if the rule keeps it, if it is still going on, or if a run that stays went on with it and would lack what
was completed there. Whatever is interrupted, the history is whole, and the next call does what is left.
"""

import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from cloaca_nb.errors import HistoryError
from cloaca_nb.history.artifacts import GRACE
from cloaca_nb.history.backlog import Backlog, Segment
from cloaca_nb.history.migration import SCHEMA_VERSION
from cloaca_nb.history.schema import TABLES

if TYPE_CHECKING:
    from cloaca_nb.history.artifacts import ArtifactStore
    from cloaca_nb.history.database import Connection
    from cloaca_nb.history.location import Location
    from cloaca_nb.history.store import Store

__all__ = ["Keep", "Pruned", "amount", "parse_keep", "prune"]

Keep: TypeAlias = int | str | timedelta
UNITS: Final = {"minute": "minutes", "hour": "hours", "day": "days", "week": "weeks"}
PERIOD: Final = re.compile(rf"\s*(\d+)\s*({'|'.join(UNITS)})s?\s*")
OF_RUNS: Final = tuple(table.name for table in TABLES if table.columns[0].name == "run_id")
KILO: Final = 1000
MARGIN: Final = 1.0  # seconds by which the times of files may be off
UNKNOWN: Final = "?"  # in place of the digests that a newer version's journal holds

# The runs that go: neither kept by the rule, nor going on, nor needed by a run that is.
REMOVABLE: Final = """
    WITH RECURSIVE ranked AS (
        SELECT *, row_number() OVER (PARTITION BY workflow, kind ORDER BY started DESC, run_id DESC) AS place FROM runs
    ),
    kept AS (SELECT run_id FROM ranked WHERE status = 'Running' OR place <= $1 OR started >= $2),
    chain AS (
        SELECT run_id AS kept, run_id, 0 AS back FROM kept
        UNION ALL
        SELECT chain.kept, runs.resumed_from, back + 1 FROM chain JOIN runs USING (run_id)
        WHERE runs.resumed_from IS NOT NULL
    ),
    lacking AS (
        SELECT kept, max(nearest) AS back
        FROM (SELECT chain.kept, min(chain.back) AS nearest FROM chain JOIN tasks USING (run_id)
              WHERE outcome = 'Completed' GROUP BY chain.kept, task_id)
        GROUP BY kept
    ),
    needed AS (
        SELECT chain.run_id FROM chain JOIN lacking ON chain.kept = lacking.kept AND chain.back <= lacking.back
        UNION ALL  -- one that goes on may still take any of them
        SELECT chain.run_id FROM chain JOIN runs ON runs.run_id = chain.kept WHERE runs.status = 'Running'
    )
    SELECT run_id FROM runs
    WHERE run_id NOT IN (FROM kept) AND run_id NOT IN (FROM needed) ORDER BY started, run_id
"""
# What belongs to no run any more. Each process says these once, so they stay while one lives that may have said them.
ORPHANS: Final = (
    "DELETE FROM code WHERE version NOT IN (SELECT version FROM runs)",
    """DELETE FROM code_parts WHERE code NOT IN
       (SELECT code FROM tasks WHERE code IS NOT NULL UNION ALL SELECT unnest(read_code) FROM tasks)""",
    "DELETE FROM processes WHERE journal NOT IN (SELECT journal FROM runs)",
)
DIGESTS: Final = """SELECT DISTINCT digest FROM history."{}".artifacts WHERE digest <> ''"""
MERGED: Final = 'SELECT journal, segment, bytes FROM history."{}".merged'
SCHEMAS: Final = """
    SELECT schema_name FROM duckdb_columns()
    WHERE database_name = 'history' AND table_name = 'artifacts' AND column_name = 'digest'
"""


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was removed from a history, or with `dry_run` would be.

    Attributes:
        runs: the ids of the runs, the oldest first.
        rows: how many rows of the tables were theirs.
        artifact_bytes: the bytes of artifacts that only they needed.
        database_bytes: by how much the database file shrank; with `dry_run` an estimate by the number of rows.
        dry_run: whether nothing was removed.
        note: what could not be removed, and why; else empty.
    """

    runs: tuple[str, ...]
    rows: int
    artifact_bytes: int
    database_bytes: int
    dry_run: bool
    note: str = ""

    @property
    def freed(self) -> int:
        """The bytes in all."""
        return self.artifact_bytes + self.database_bytes

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: ARG002, FBT001 - IPython's
        printer.text(str(self))

    def __str__(self) -> str:
        count = f"{len(self.runs):,} run{'' if len(self.runs) == 1 else 's'} ({self.rows:,} rows)"
        sizes = f"{amount(self.artifact_bytes)} of artifacts, {amount(self.database_bytes)} of the database"
        would = "Would remove" if self.dry_run else "Removed"
        free = "would free about" if self.dry_run else "freed"
        return f"{would} {count}; {free} {amount(self.freed)}: {sizes}." + (f" {self.note}" if self.note else "")


@dataclass(frozen=True, slots=True)
class _Removal:
    """What was removed from the tables, and what the other rows need."""

    runs: tuple[str, ...]
    rows: int
    share: float  # of all rows of runs
    used: frozenset[str] | None  # the digests of the values that stay; None: nobody here can tell


def prune(
    store: "Store", artifacts: "ArtifactStore", location: "Location", keep: Keep, now: datetime, *, dry_run: bool
) -> Pruned:
    """Remove old runs; see `History.prune`.

    Args:
        store: where the rows are.
        artifacts: where the values are.
        location: of both.
        keep: see `parse_keep`.
        now: in UTC, without a zone.
        dry_run: whether nothing is to be removed.
    """
    rule = parse_keep(keep)
    before, begun = _size_of(location), time.time()
    lives = location.path is None or _living(location.journals)
    removal = store.change(lambda connection: _remove(connection, location, rule, now, lives=lives, dry_run=dry_run))
    unused = {} if removal.used is None else artifacts.unused(removal.used)
    if dry_run:
        freed = sum(unused.values())
        return Pruned(removal.runs, removal.rows, freed, int(before * removal.share), dry_run, _newer(removal))
    # What was kept since `begun` may be on its way into history; while a process lives, what was kept before as well.
    grace = GRACE if lives else time.time() - begun + MARGIN
    freed = 0 if removal.used is None else artifacts.remove_unused(removal.used, grace=grace)
    store.shrink()
    note = _newer(removal) or _young(sum(unused.values()) - freed)
    return Pruned(removal.runs, removal.rows, freed, max(before - _size_of(location), 0), dry_run, note)


def _size_of(location: "Location") -> int:
    return 0 if location.path is None else location.path.stat().st_size


def _newer(removal: _Removal) -> str:
    return "" if removal.used is not None else "A newer cloaca_nb records here: the artifacts are left to it."


def _young(size: int) -> str:
    return f"{amount(size)} of artifacts were in use lately, and stay until the next time." if size else ""


def parse_keep(keep: Keep) -> int | timedelta:
    """Return what is kept: so many runs of each workflow, or those that are no older than a period.

    Raises:
        HistoryError: if it is neither.

    >>> parse_keep("20"), parse_keep("30 days")
    (20, datetime.timedelta(days=30))
    """
    if isinstance(keep, timedelta) and keep >= timedelta():
        return keep
    if isinstance(keep, int) and not isinstance(keep, bool) and keep >= 0:
        return keep
    text = keep if isinstance(keep, str) else ""
    if text.strip().isdecimal():
        return int(text)
    period = PERIOD.fullmatch(text)
    if period is None:
        raise HistoryError(
            f"keep={keep!r} doesn't say which runs stay. Give how many of each workflow, e.g. 20, "
            "or for how long, e.g. '30 days', '12 hours' or a timedelta."
        )
    return timedelta(**{UNITS[period[2]]: int(period[1])})


def _remove(
    connection: "Connection", location: "Location", rule: int | timedelta, now: datetime, *, lives: bool, dry_run: bool
) -> _Removal:
    """Remove the runs that aren't kept, in one transaction, and look at what the others need.

    Args:
        connection: at the tables, with everything that was recorded in them.
        location: where they are.
        rule: which runs stay.
        now: in UTC, without a zone.
        lives: whether a process lives that may have recorded here.
        dry_run: whether nothing is to be removed.
    """
    latest = rule if isinstance(rule, int) else 0
    oldest = now - rule if isinstance(rule, timedelta) else None
    connection.begin()
    runs = [run_id for (run_id,) in connection.execute(REMOVABLE, [latest, oldest]).fetchall()]
    there = sum(_number(connection, f"SELECT count(*) FROM {table}") for table in OF_RUNS)  # noqa: S608 - our names
    removed = sum(
        _number(connection, f"DELETE FROM {table} WHERE run_id IN (SELECT unnest($1))", [runs])  # noqa: S608 - see above
        for table in OF_RUNS
    )
    backlogs = [] if location.path is None else _backlogs(location.journals)
    if not lives:
        for statement in ORPHANS:
            connection.execute(statement)
        journals = [journal for backlog in backlogs for journal in backlog.journals()]
        connection.execute("DELETE FROM merged WHERE journal NOT IN (SELECT unnest($1))", [journals])
    schemas = [name for (name,) in connection.execute(SCHEMAS).fetchall()]  # they share the artifacts
    used = _digests_in_tables(connection, schemas) | _digests_in_journals(backlogs, _merged(connection, schemas))
    if dry_run:
        connection.rollback()
    else:
        connection.commit()
    share = removed / there if there else 0.0
    return _Removal(tuple(runs), removed, share, None if UNKNOWN in used else used)


def _number(connection: "Connection", sql: str, parameters: list[Any] | None = None) -> int:
    return int(connection.execute(sql, parameters or []).fetchall()[0][0])


def _digests_in_tables(connection: "Connection", schemas: Sequence[str]) -> frozenset[str]:
    """Return the digests of all values in the database."""
    rows = (connection.execute(DIGESTS.format(schema)).fetchall() for schema in schemas)
    return frozenset(digest for found in rows for (digest,) in found)


def _merged(connection: "Connection", schemas: Sequence[str]) -> dict[tuple[str, int], int]:
    """Return up to where the segments of journals are in the tables."""
    rows = (connection.execute(MERGED.format(schema)).fetchall() for schema in schemas)
    return {(journal, segment): size for found in rows for journal, segment, size in found}


# -- what isn't in the tables


def _backlogs(journals: Path) -> list[Backlog]:
    """Return the journals of each schema of a database."""
    folders = sorted(journals.iterdir()) if journals.is_dir() else []
    return [Backlog(folder) for folder in folders if folder.is_dir()]


def _living(journals: Path) -> bool:
    """Whether any process lives that may record in one of the schemas of a database."""
    return not all(backlog.is_dead(journal) for backlog in _backlogs(journals) for journal in backlog.journals())


def _digests_in_journals(backlogs: Sequence[Backlog], merged: Mapping[tuple[str, int], int]) -> frozenset[str]:
    """Return the digests of values that aren't in the tables yet; with `UNKNOWN` if a newer version wrote of some."""
    segments = [one for backlog in backlogs for found in backlog.journals().values() for one in found]
    starts = [merged.get((segment.journal, segment.number), 0) for segment in segments]
    return frozenset(digest for one, start in zip(segments, starts, strict=True) for digest in _in_segment(one, start))


def _in_segment(segment: Segment, start: int) -> list[str]:
    try:
        written_for = segment.schema()
        if written_for is not None and written_for > SCHEMA_VERSION:
            return [UNKNOWN]
        return [digest for line in segment.read(start) for digest in _in_line(line)]
    except FileNotFoundError:  # its process has just removed it, because it held nothing
        return []


def _in_line(line: bytes) -> list[str]:
    try:
        rows = json.loads(line)
        return [digest for table in ("artifacts", "arrivals") for digest in rows.get(table, {}).get("digest", ())]
    except (ValueError, AttributeError):  # damaged: it is set aside when it is merged
        return []


def amount(size: int) -> str:
    """Return a number of bytes in the unit that fits.

    >>> amount(12), amount(4_096), amount(1_234_567_890)
    ('12 B', '4.1 kB', '1.2 GB')
    """
    value, units = float(size), ["B", "kB", "MB", "GB"]
    while abs(value) >= KILO and len(units) > 1:
        value /= KILO
        units.pop(0)
    return f"{value:,.0f} {units[0]}" if units[0] == "B" else f"{value:,.1f} {units[0]}"

"""A history's tables, caught up from the journals at every question.

Merging is idempotent: how far a segment is merged is written in the transaction that writes its rows, and a segment is
removed only after that. What a dead process left is merged by whoever comes next, and its open runs are Interrupted.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from cloaca_nb.history.backlog import Backlog, Segment
from cloaca_nb.history.database import Connection, Database, Desk, select
from cloaca_nb.history.journal import MemoryJournal, remove_lock
from cloaca_nb.history.schema import ENDED, ENDINGS, FROM_ENDED, PROCESSES, SCHEMA_VERSION, TABLES, Table

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Store", "merge_folder", "merge_memory"]

T = TypeVar("T")

JOURNAL_TABLES: Final = (*TABLES, ENDED, PROCESSES, ENDINGS)
# Said again by each process or segment, and taken once: of each such table the column that tells them apart.
ONCE: Final = {"code": "version", "code_parts": "code", "processes": "journal"}
OVER: Final = ("status", "ended", "error", "completed", "failed", "skipped", "cancelled")
INTERRUPT: Final = """
    UPDATE runs SET status = 'Interrupted', completed = tally.completed, failed = tally.failed,
                    skipped = tally.skipped, cancelled = tally.cancelled
    FROM (SELECT run_id, count(*) FILTER (tasks.outcome = 'Completed') AS completed,
                 count(*) FILTER (tasks.outcome = 'Failed') AS failed,
                 count(*) FILTER (tasks.outcome = 'Skipped') AS skipped,
                 count(*) FILTER (tasks.outcome = 'Cancelled') AS cancelled
          FROM runs AS open LEFT JOIN tasks USING (run_id)
          WHERE open.journal = $1 AND open.status = 'Running' GROUP BY run_id) AS tally
    WHERE runs.run_id = tally.run_id
"""


class Store:
    """What is asked of a history.

    Args:
        database: where the tables are.
        catch_up: merges what was recorded since; called before each question.
    """

    def __init__(self, database: Database, catch_up: Callable[[Desk], None]) -> None:
        self._database = database
        self._catch_up = catch_up

    def merge(self) -> None:
        """Bring the tables up to what is recorded.

        Raises:
            HistoryError: if the database can't be reached; nothing is lost then.
        """
        self._database.use(self._catch_up, or_copy=False)

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> "pa.Table":
        """Return what one statement that only reads answers, everything that was recorded so far in view.

        Raises:
            HistoryError: for a mistake in the statement, or a database that can't be reached.
        """
        return self._database.use(partial(self._answer, sql, parameters))

    def change(self, work: Callable[[Connection], T]) -> T:
        """Return what `work` returns, done with everything that was recorded so far in the tables; see `merge`."""

        def caught_up(desk: Desk) -> T:
            self._catch_up(desk)
            return work(desk.connection)

        return self._database.use(caught_up, or_copy=False)

    def shrink(self) -> int:
        """Give the room of deleted rows back to the disk; see `Database.shrink`."""
        return self._database.shrink()

    def close(self) -> None:
        """Let go of the database; idempotent."""
        self._database.close()

    def _answer(self, sql: str, parameters: Sequence[Any], desk: Desk) -> "pa.Table":
        self._catch_up(desk)
        return select(desk.connection, sql, parameters)


def merge_memory(journal: MemoryJournal, desk: Desk) -> None:
    """Merge the lines of a journal in memory, which forgets them then."""
    lines = journal.lines()
    desk.connection.begin()
    _insert(desk.connection, lines)
    desk.connection.commit()
    journal.forget(len(lines))


def merge_folder(backlog: Backlog, desk: Desk) -> None:
    """Merge the journals of a folder; what is merged and over is removed, if the tables last."""
    journals = backlog.journals()
    if not journals:
        return
    merged = _merged(desk.connection)
    for journal, segments in journals.items():
        with backlog.claim(journal) as dead:
            _merge_journal(desk, segments, merged, dead=dead)
            if dead and desk.lasting and not any(segment.path.exists() for segment in segments):
                remove_lock(backlog.folder, journal)


def _merge_journal(
    desk: Desk, segments: Sequence[Segment], merged: Mapping[tuple[str, int], int], *, dead: bool
) -> None:
    ready = [segment for segment in segments if _is_readable(segment)]
    for segment in ready:
        _merge_segment(desk, segment, merged.get((segment.journal, segment.number), 0))
    if dead and ready:
        desk.connection.execute(INTERRUPT, [ready[0].journal])
    if desk.lasting:
        for segment in ready if dead else ready[:-1]:
            segment.path.unlink(missing_ok=True)


def _is_readable(segment: Segment) -> bool:
    """Whether this version may merge it; one that is newer is left to the version that wrote it."""
    written_for = segment.schema()
    return written_for is None or written_for <= SCHEMA_VERSION


def _merged(connection: Connection) -> dict[tuple[str, int], int]:
    rows = connection.execute("SELECT journal, segment, bytes FROM merged").fetchall()
    return {(journal, segment): size for journal, segment, size in rows}


def _merge_segment(desk: Desk, segment: Segment, start: int) -> None:
    if segment.size <= start:
        return
    lines = segment.read(start)
    connection = desk.connection
    connection.begin()
    damaged = _insert(connection, lines)
    if damaged and desk.lasting:
        with segment.path.with_suffix(".damaged").open("ab") as file:
            file.writelines(damaged)
    connection.execute("DELETE FROM merged WHERE journal = ? AND segment = ?", [segment.journal, segment.number])
    end = start + sum(map(len, lines))
    connection.execute("INSERT INTO merged VALUES (?, ?, ?)", [segment.journal, segment.number, end])
    connection.commit()


def _insert(connection: Connection, lines: Sequence[bytes]) -> list[bytes]:
    """Write the rows of journal lines to the tables; return the lines that are damaged."""
    text = _document(lines)
    damaged: list[bytes] = []
    if not connection.execute("SELECT json_valid(?)", [text]).fetchall()[0][0]:
        damaged = [line for line in lines if not _is_sound(line)]
        text = _document([line for line in lines if line not in set(damaged)])
    for table in JOURNAL_TABLES:
        if f'"{table.name}":{{' in text:
            for statement in _insertions(table):
                connection.execute(statement, [text])
    return damaged


def _document(lines: Sequence[bytes]) -> str:
    return (b"[" + b",".join(lines) + b"]").decode(errors="replace")


def _is_sound(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


@cache
def _insertions(table: Table) -> tuple[str, ...]:
    """Return the statements that take a table's rows out of a JSON list of journal lines."""
    types = {column.name: [column.journal_type] for column in table.columns}
    structure = json.dumps([{table.name: types}])
    unnested = ", ".join(f'unnest(line."{table.name}"."{name}") AS "{name}"' for name in table.names)
    rows = ("(SELECT", unnested, f"FROM (SELECT unnest(from_json($1, '{structure}')) AS line))")
    values = ", ".join(f'{column.from_journal} AS "{column.name}"' for column in table.columns)
    selected = ("SELECT", values, "FROM", *rows)
    if table is ENDINGS:
        changes = ", ".join(f"{name} = over.{name}" for name in OVER)
        over = ("FROM (", *selected, ") AS over WHERE runs.run_id = over.run_id")
        return (" ".join(("UPDATE runs SET", changes, *over)),)
    if table is ENDED:
        return tuple(
            " ".join(("INSERT INTO", name, "BY NAME", taken, "FROM (", *selected, ")", which))
            for name, (taken, which) in FROM_ENDED.items()
        )
    key = ONCE.get(table.name)
    new = ("WHERE", key, "NOT IN (SELECT", key, "FROM", table.name, ")") if key else ()
    return (" ".join(("INSERT INTO", table.name, "BY NAME", *selected, *new)),)

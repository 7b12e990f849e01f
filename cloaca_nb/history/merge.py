"""Journals become tables: what every process has recorded since is merged, by whoever asks or has written enough.

Merging is idempotent: how far a segment is merged is written in the transaction that writes its rows, and a segment is
removed only after that. What a dead process left is merged by whoever comes next, and its open runs are Interrupted.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from cloaca_nb.history.backlog import Backlog, Segment
from cloaca_nb.history.database import Connection, Desk
from cloaca_nb.history.insertion import insert
from cloaca_nb.history.journal import SEGMENT_SIZE, MemoryJournal
from cloaca_nb.history.migration import SCHEMA_VERSION

__all__ = ["merge_folder", "merge_memory"]

TURN: Final = 1.0  # seconds after which others that wait for the database are let in
INTERRUPT: Final = """
    UPDATE runs SET status = 'Interrupted', completed = tally.completed, failed = tally.failed,
                    skipped = tally.skipped, cancelled = tally.cancelled
    FROM (SELECT run_id, count(*) FILTER (tasks.outcome = 'Completed') AS completed,
                 count(*) FILTER (tasks.outcome = 'Failed') AS failed,
                 count(*) FILTER (tasks.outcome = 'Skipped') AS skipped,
                 count(*) FILTER (tasks.outcome = 'Cancelled') AS cancelled
          FROM runs AS open LEFT JOIN tasks USING (run_id)
          WHERE open.journal IN (SELECT unnest($1)) AND open.status = 'Running' GROUP BY run_id) AS tally
    WHERE runs.run_id = tally.run_id
"""


class Part(NamedTuple):
    """Lines of a segment that aren't in the tables yet, or some of them."""

    segment: Segment
    end: int  # where in the segment the last one ends
    lines: list[bytes]


def merge_memory(journal: MemoryJournal, desk: Desk) -> bool:
    """Merge the lines of a journal in memory, which forgets them then; return True: that was all."""
    lines = journal.lines()
    desk.connection.begin()
    insert(desk.connection, [lines])
    desk.connection.commit()
    journal.forget(len(lines))
    return True


def merge_folder(backlog: Backlog, desk: Desk) -> bool:
    """Merge the journals of a folder for about a `TURN`; what is merged and over is removed, if the tables last.

    Returns:
        whether that was all. If not, other processes may have their turn: whoever comes next goes on.
    """
    journals = backlog.journals()
    if not journals:
        return True
    dead = {journal for journal in journals if backlog.is_dead(journal)}  # asked first: nothing more comes of those
    ready = {name: [one for one in segments if _is_readable(one)] for name, segments in journals.items()}
    waiting = (segment for segments in ready.values() for segment in segments)
    until = time.monotonic() + TURN
    for batch in _batches(waiting, _merged(desk.connection)):
        _merge_batch(desk, batch)
        if desk.lasting and time.monotonic() > until:  # of a copy nothing would be left
            return False
    left = [journal for journal in sorted(dead) if ready[journal]]
    if left:
        desk.connection.execute(INTERRUPT, [left])
    if desk.lasting:
        for name, segments in ready.items():
            _remove(segments if name in dead else segments[:-1])
        for journal in dead:
            if not any(segment.path.exists() for segment in journals[journal]):
                backlog.forget(journal)
    return True


def _is_readable(segment: Segment) -> bool:
    """Whether this version may merge it; one that is newer is left to the version that wrote it."""
    try:
        written_for = segment.schema()
    except FileNotFoundError:  # its process has just removed it, because it held nothing
        return False
    return written_for is None or written_for <= SCHEMA_VERSION


def _merged(connection: Connection) -> dict[tuple[str, int], int]:
    rows = connection.execute("SELECT journal, segment, bytes FROM merged").fetchall()
    return {(journal, segment): size for journal, segment, size in rows}


def _batches(segments: Iterable[Segment], merged: Mapping[tuple[str, int], int]) -> Iterator[list[Part]]:
    """Yield what isn't merged yet, in transactions' worth: each has its price, and is held in memory."""
    batch, size = list[Part](), 0
    for segment in segments:
        start = merged.get((segment.journal, segment.number), 0)
        known = 1 if start == 0 else 0  # lines: what each segment begins with is worth no transaction
        while len(lines := segment.read(start, SEGMENT_SIZE)) > known:
            end = start + sum(map(len, lines))
            batch.append(Part(segment, end, lines))
            size += end - start
            start, known = end, 0
            if size >= SEGMENT_SIZE:
                yield batch
                batch, size = [], 0
    if batch:
        yield batch


def _merge_batch(desk: Desk, batch: Sequence[Part]) -> None:
    connection = desk.connection
    connection.begin()
    damaged = insert(connection, [part.lines for part in batch])
    for part, lines in zip(batch, damaged, strict=True):
        if lines and desk.lasting:
            with part.segment.path.with_suffix(".damaged").open("ab") as file:
                file.writelines(lines)
    ends = {(part.segment.journal, part.segment.number): part.end for part in batch}
    places = [[journal for journal, _ in ends], [number for _, number in ends]]
    connection.execute("DELETE FROM merged WHERE (journal, segment) IN (SELECT (unnest($1), unnest($2)))", places)
    connection.execute("INSERT INTO merged SELECT unnest($1), unnest($2), unnest($3)", [*places, [*ends.values()]])
    connection.commit()


def _remove(segments: Iterable[Segment]) -> None:
    for segment in segments:
        segment.path.unlink(missing_ok=True)

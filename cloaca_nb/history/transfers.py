"""What each task of a run was given and what it made of that: its inputs and its changes, value by value."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cloaca_nb.errors import HistoryError
from cloaca_nb.history.artifacts import Kept
from cloaca_nb.history.store import Reading

__all__ = ["Large", "Missing", "Transfer", "transfers"]

EVERY: Final = "*"  # among the keys that a task read: it asked which keys there are
# A task that was taken from another run stands there as it was executed.
TASKS: Final = """
    SELECT own.task_id, own.outcome, coalesce(own.taken_from, own.run_id) AS run_id, there.reads, there.read_digests
    FROM tasks AS own LEFT JOIN tasks AS there
        ON there.task_id = own.task_id AND there.run_id = coalesce(own.taken_from, own.run_id)
    WHERE own.run_id = $1 ORDER BY own.position
"""
VALUES: Final = """
    SELECT run_id, task_id, role, key, type, digest, size, preview, codec, data, problem FROM artifacts
    WHERE role <> 'default' AND run_id IN (SELECT unnest($1)) ORDER BY rowid
"""


@dataclass(frozen=True, slots=True)
class Large:
    """A value that was not read, since it is larger than was asked for."""

    digest: str
    size: int
    preview: str


@dataclass(frozen=True, slots=True)
class Missing:
    """A value that history can't give back, and why."""

    why: str


@dataclass(frozen=True, slots=True)
class Transfer:
    """One task of a run.

    Attributes:
        task_id: its id.
        outcome: how it ended.
        inputs: what it read, by key; keys that it asked for and that weren't there are left out.
        outputs: what it set, by key. Values may be `Large` or `Missing`, as in `inputs`.
        deleted: the keys that it deleted.
        reads_every: whether it asked which keys there are, so that `inputs` may not be all that it needs.
    """

    task_id: str
    outcome: str
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]
    deleted: tuple[str, ...]
    reads_every: bool


def transfers(reading: Reading, load: Callable[[str, Kept], Any], run_id: str, most: int) -> list[Transfer]:
    """Return what the tasks of a run were given and made, in registration order.

    Args:
        reading: where the rows are.
        load: gives back the value of a digest.
        run_id: of which run.
        most: bytes of a value that is read.
    """
    tasks = reading.rows(TASKS, run_id)
    rows = reading.rows(VALUES, sorted({run_id, *(task["run_id"] for task in tasks)}))
    by_digest: dict[str, Mapping[str, Any]] = {}
    for row in rows:  # a small value stands in the first of its rows
        if row["digest"] and (row["digest"] not in by_digest or by_digest[row["digest"]]["data"] is None):
            by_digest[row["digest"]] = row
    return [_transfer(task, rows, by_digest, lambda row: _value(row, by_digest, load, most)) for task in tasks]


def _transfer(
    task: Mapping[str, Any],
    rows: Sequence[Mapping[str, Any]],
    by_digest: Mapping[str, Mapping[str, Any]],
    value: Callable[[Mapping[str, Any]], Any],
) -> Transfer:
    own = [row for row in rows if (row["run_id"], row["task_id"]) == (task["run_id"], task["task_id"])]
    reads = dict(zip(task["reads"] or (), task["read_digests"] or (), strict=True))
    inputs: dict[str, Any] = {}
    for key, digest in reads.items():
        if digest is None and key != EVERY:
            inputs[key] = Missing("it can't be compared, so it isn't known by a digest")
        elif digest and key != EVERY:
            inputs[key] = value(by_digest[digest]) if digest in by_digest else Missing("it isn't in the history")
    return Transfer(
        task["task_id"],
        task["outcome"],
        inputs,
        {row["key"]: value(row) for row in own if row["role"] == "set"},
        tuple(row["key"] for row in own if row["role"] == "deleted"),
        EVERY in reads,
    )


def _value(
    row: Mapping[str, Any],
    by_digest: Mapping[str, Mapping[str, Any]],
    load: Callable[[str, Kept], Any],
    most: int,
) -> Any:
    found = by_digest.get(row["digest"], row)
    if found["digest"] and found["size"] is not None and found["size"] > most:
        return Large(found["digest"], found["size"], found["preview"])
    try:
        return load(found["digest"], Kept(found["codec"], found["data"], found["problem"] or ""))
    except HistoryError as error:
        return Missing(str(error))

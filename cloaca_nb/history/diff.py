"""Two runs compared: their values, how their tasks ended, their code and their durations."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import unified_diff
from statistics import quantiles
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from cloaca_nb.core.run_id import short
from cloaca_nb.declare.fingerprint import CodeFingerprint, Part
from cloaca_nb.history.changes import Changes, CodeChange, DurationChange, Side, TaskChange, ValueChange
from cloaca_nb.history.diff_page import diff_html, diff_text
from cloaca_nb.history.table_changes import Tables, table_changes

__all__ = ["RunDiff", "RunRows", "compare", "unequal"]

Row = Mapping[str, Any]
NO_TABLES: Final[Mapping[str, Tables]] = MappingProxyType({})
SHORT: Final = 8  # characters of a digest
FEWEST: Final = 5  # durations from which on a spread can be told
BEGINNING: Final = frozenset({"initial", "parameter"})  # the roles of values that a run began with
LEAST: Final = 0.1  # seconds by which a duration must differ to be worth a word
MUCH: Final = 3.0  # times the spread of the middle half
DETAILS: Final = {"Failed": ("error",), "Skipped": ("reason",), "Cancelled": ("reason",)}  # by outcome: what counts


class RunRows(NamedTuple):
    """The rows of one run, as `diff_rows` reads them."""

    run: Row
    tasks: Sequence[Row]
    code: Sequence[Row]  # of the version of its workflow
    parts: Mapping[str, Mapping[str, Part]]  # by fingerprint: what that code was made of
    values: Sequence[Row]


class RunDiff(Changes):
    """What differs between two runs, showing itself as text and as HTML; made by `History.diff`."""

    def __str__(self) -> str:
        return diff_text(self)

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, str]:
        return {"text/html": diff_html(self), "text/plain": diff_text(self)}


def compare(
    a: RunRows, b: RunRows, usual: Mapping[str, Sequence[float]], tables: Mapping[str, Tables] = NO_TABLES
) -> RunDiff:
    """Return what differs between two runs.

    Args:
        a: the one.
        b: the other.
        usual: by task, how many seconds it took in other runs.
        tables: by digest, which tables a value is or holds; of those that `unequal` names.
    """
    initial = tuple(_values(_initial(a), _initial(b), tables))
    return RunDiff(
        _side(a.run),
        _side(b.run),
        initial,
        tuple(_tasks(a, b)),
        tuple(_code(a, b)),
        tuple(_durations(a, b, usual)),
        tuple(change for change in _values(_final(a), _final(b), tables) if change not in initial),
    )


def unequal(a: RunRows, b: RunRows) -> set[str]:
    """Return the digests of the values that both runs have under one key, and that aren't equal."""
    sides = ((_initial(a), _initial(b)), (_final(a), _final(b)))
    pairs = [(before[key], after[key]) for before, after in sides for key in before.keys() & after.keys()]
    return {row["digest"] for pair in pairs if _identity(pair[0]) != _identity(pair[1]) for row in pair}


def _side(run: Row) -> Side:
    return Side(*(run[name] for name in Side._fields))


def _all_of(one: Iterable[str], other: Iterable[str]) -> list[str]:
    """Return all keys, in the order of the other, and then those that only the one has."""
    return list(dict.fromkeys([*other, *one]))


# -- values


def _initial(run: RunRows) -> dict[str, Row]:
    return {row["key"]: row for row in run.values if row["role"] in BEGINNING}


def _final(run: RunRows) -> dict[str, Row]:
    """Return the final context; of a run that never ended, what it held last."""
    if run.run["ended"] is not None:
        return {row["key"]: row for row in run.values if row["role"] == "final"}
    latest = {row["key"]: row for row in run.values}
    return {key: row for key, row in latest.items() if row["role"] != "deleted"}


def _values(a: Mapping[str, Row], b: Mapping[str, Row], tables: Mapping[str, Tables]) -> Iterator[ValueChange]:
    for key in _all_of(a, b):
        before, after = a.get(key), b.get(key)
        if before is None or after is None:
            yield ValueChange(key, _shown(before), _shown(after))
        elif _identity(before) != _identity(after):
            alike = before["preview"] == after["preview"]
            details = table_changes(*(tables.get(row["digest"], {}) for row in (before, after)))
            yield ValueChange(key, _shown(before, in_full=alike), _shown(after, in_full=alike), details)


def _identity(value: Row) -> tuple[str, ...]:
    """Return what is equal for equal values, as far as that can be told of one without a digest."""
    return (value["digest"],) if value["digest"] else ("", value["type"], value["preview"])


def _shown(value: Row | None, *, in_full: bool = False) -> str | None:
    """Show a value by its preview, which is the whole of a small one, and shape and columns of a frame."""
    if value is None:
        return None
    digest = value["digest"][:SHORT]
    if in_full:
        return f"{value['preview']} ({value['type']}, digest {digest})"
    is_small = value["codec"] == "json" and not value["preview"].endswith("…")
    return str(value["preview"]) if is_small or not digest else f"{value['preview']} (digest {digest})"


# -- tasks


def _tasks(a: RunRows, b: RunRows) -> Iterator[TaskChange]:
    before, after = _by_task(a.tasks), _by_task(b.tasks)
    for task_id in _all_of(before, after):
        one, other = before.get(task_id), after.get(task_id)
        if one is None or other is None or _ended_otherwise(one, other):
            yield TaskChange(task_id, _told(one), _told(other))


def _by_task(rows: Iterable[Row]) -> dict[str, Row]:
    return {row["task_id"]: row for row in rows}


def _ended_otherwise(one: Row, other: Row) -> bool:
    """Whether a task ended in another way; one that was taken has ended as it did where it was executed."""
    if one["outcome"] != other["outcome"]:
        return True
    if one["outcome"] == "Completed":
        both_executed = not (one["taken_from"] or other["taken_from"])
        return both_executed and one["attempts"] != other["attempts"]
    return any(one[name] != other[name] for name in DETAILS.get(one["outcome"], ()))


def _told(task: Row | None) -> str | None:
    if task is None:
        return None
    attempts = f" after {task['attempts']} attempts" if task["attempts"] > 1 else ""
    taken = f", taken from run {short(task['taken_from'])}" if task["taken_from"] else ""
    why = f" ({task['reason']})" if task["reason"] and not taken else ""
    return f"{task['outcome']}{attempts}{taken}{why}" + (f": {task['error']}" if task["error"] else "")


# -- code


def _code(a: RunRows, b: RunRows) -> Iterator[CodeChange]:
    before, after = _by_task(a.code), _by_task(b.code)
    made_of = _by_task(a.tasks), _by_task(b.tasks)
    for task_id in _all_of(before, after):
        one, other = before.get(task_id), after.get(task_id)
        text = _text_diff(one, other)
        parts = [*_parts(a, made_of[0].get(task_id), b, made_of[1].get(task_id)), *_dependencies(one, other)]
        if text:  # says more than that it was changed
            parts = [part for part in parts if not part.startswith("task body")]
        if text or parts:
            yield CodeChange(task_id, tuple(parts), text)


def _text_diff(one: Row | None, other: Row | None) -> str:
    before, after = ((row["source"] or "" if row else "").splitlines() for row in (one, other))
    return "\n".join(list(unified_diff(before, after, lineterm=""))[2:])


def _parts(a: RunRows, one: Row | None, b: RunRows, other: Row | None) -> list[str]:
    """Say which helpers, constants and libraries changed, where both runs have noted them."""
    before = a.parts.get((one or {}).get("code") or "")
    after = b.parts.get((other or {}).get("code") or "")
    return CodeFingerprint("", after).differences(before) if before and after else []


def _dependencies(one: Row | None, other: Row | None) -> Iterator[str]:
    if one is not None and other is not None and set(one["dependencies"]) != set(other["dependencies"]):
        before, after = (", ".join(row["dependencies"]) or "nothing" for row in (one, other))
        yield f"depends on {after} now, was {before}"


# -- durations


def _durations(a: RunRows, b: RunRows, usual: Mapping[str, Sequence[float]]) -> Iterator[DurationChange]:
    before, after = _executed(a), _executed(b)
    for task_id in _all_of(before, after):
        if task_id not in before or task_id not in after:
            continue
        one, other, spread = before[task_id], after[task_id], _spread(usual.get(task_id, ()))
        if abs(other - one) > _remarkable(one, other, spread):
            yield DurationChange(task_id, one, other, spread)


def _executed(run: RunRows) -> dict[str, float]:
    completed = (row for row in run.tasks if row["outcome"] == "Completed" and not row["taken_from"])
    return {row["task_id"]: row["duration"] for row in completed if row["duration"] is not None}


def _spread(durations: Sequence[float]) -> tuple[float, float] | None:
    """Return the bounds of the middle half, where there is enough to tell."""
    if len(durations) < FEWEST:
        return None
    low, _, high = quantiles(durations, n=4, method="inclusive")
    return low, high


def _remarkable(one: float, other: float, spread: tuple[float, float] | None) -> float:
    """Return the seconds beyond which a difference is no accident: without other runs, twice as long."""
    return max(LEAST, min(one, other) if spread is None else MUCH * (spread[1] - spread[0]))

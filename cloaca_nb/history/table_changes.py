"""In what the tables of two values differ, as sentences: rows, columns added, gone and retyped."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Final, TypeAlias

from cloaca_nb.values.outlines import Found, Table

__all__ = ["Tables", "table_changes"]

MOST: Final = 12  # sentences; tables behind these aren't looked at
Tables: TypeAlias = Mapping[str, Found]  # by where they are in a value, see `tables_in`
Columns: TypeAlias = Mapping[tuple[str | None, int], str]  # by label, and its number among equal ones: the dtype
RANGE: Final = "a range (0, 1, 2, …)"  # what an index is that nobody gave


def table_changes(before: Tables, after: Tables) -> tuple[str, ...]:
    """Return in what the tables of two values that aren't equal differ; nothing where neither has any."""
    said = list(islice(_sentences(before, after), MOST + 1))
    return (*said[:MOST], "… and more") if len(said) > MOST else tuple(said)


def _sentences(before: Tables, after: Tables) -> Iterator[str]:
    for path in dict.fromkeys([*before, *after]):
        one, other = before.get(path), after.get(path)
        if one is not None and other is not None and one.digest and one.digest == other.digest:
            continue
        tables = (one and one.look(), other and other.look())
        yield from (f"{path}: {sentence}" if path else sentence for sentence in _between(path, *tables))


def _between(path: str, one: Table | None, other: Table | None) -> Iterator[str]:
    if one is not None and other is not None:
        yield from _differences(one, other)
    elif path and other is not None:
        yield f"{_shape(other)} that are new"
    elif path and one is not None:
        yield f"{_shape(one)} that are gone"


def _shape(table: Table) -> str:
    return f"{table.rows:,} rows × {len(table.columns)} columns"


def _differences(one: Table, other: Table) -> Iterator[str]:
    if one.rows != other.rows:
        yield f"{other.rows:,} rows now, was {one.rows:,}"
    before, after = _numbered(one.columns), _numbered(other.columns)
    yield from (_gone(column[0], dtype) for column, dtype in before.items() if column not in after)
    for column, dtype in after.items():
        if column not in before:
            yield _new(column[0], dtype)
        elif before[column] != dtype:
            yield f"{_named(column[0])} is {dtype} now, was {before[column]}"
    if [column for column in before if column in after] != [column for column in after if column in before]:
        yield "columns stand in another order"
    if one.rows == other.rows and one.columns == other.columns:
        yield "the same columns and as many rows, with other values"


def _named(label: str | None) -> str:
    return "the index" if label is None else f"column {label}"


def _new(label: str | None, dtype: str) -> str:
    return f"{_named(label)} ({dtype}) is new" if label is not None else f"the index is {dtype} now, was {RANGE}"


def _gone(label: str | None, dtype: str) -> str:
    return f"{_named(label)} ({dtype}) is gone" if label is not None else f"the index is {RANGE} now, was {dtype}"


def _numbered(columns: Sequence[tuple[str | None, str]]) -> Columns:
    seen: Counter[str | None] = Counter()
    numbered = {}
    for label, dtype in columns:
        numbered[label, seen[label]] = dtype
        seen[label] += 1
    return numbered

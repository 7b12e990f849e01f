"""Which tables a kept value is or holds, told from the heads of their files: no column is read, and no pickle."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final, NamedTuple

from cloaca_nb.values import arrays, frames, large_frames
from cloaca_nb.values.arrays import Buffer
from cloaca_nb.values.tagged import TAG, Part, parts_of

__all__ = ["FORMATS", "Found", "Table", "tables_in"]

FORMATS: Final = ("pandas", "pyarrow", "polars", "json")  # in which there may be tables
_LONGEST: Final = 1 << 24  # bytes of a document: what is longer isn't looked through
_REFERS: Final = b'[["'  # how a document begins that refers to parts
_RECORD: Final = "record"
Open = Callable[[Part], Buffer]  # returns the bytes of a part that is kept on its own


class Table(NamedTuple):
    """What a frame, series or table is like."""

    rows: int
    columns: tuple[tuple[str | None, str], ...]  # label and dtype; first an index that isn't a range, without a label


class Found(NamedTuple):
    """What may be a table, and how to look at it: a value may hold thousands, of which few are asked for."""

    digest: str  # of what is within another value; empty: the value itself
    look: Callable[[], Table | None]  # None: it is no table


def tables_in(format_: str, data: Buffer, open_part: Open) -> dict[str, Found]:
    """Return what may be tables of a value that was written in a format, by where they are in it.

    Args:
        format_: what `encode` said.
        data: what was written: bytes, or a map, of which little is read.
        open_part: returns what a document refers to.

    Returns:
        By path: ``""`` for the value itself, ``"['daily'][0]"`` and so on for what is within a container.

    Raises:
        Exception: whatever the libraries raise for damaged bytes, and `open_part` for a part that isn't there; here
            and when it is looked at.
    """
    if format_ != "json":
        return {"": Found("", partial(_table, format_, data))} if format_ in FORMATS else {}
    if bytes(data[: len(_REFERS)]) != _REFERS or len(data) > _LONGEST:
        return {}
    whole = bytes(data)
    walk = _Walk(parts_of(whole), open_part)
    return dict(walk.through(json.loads(whole.rpartition(b"\n")[2]), ""))


def _table(format_: str, data: Buffer) -> Table | None:
    found = frames.heading(format_, data)
    return None if found is None else Table(*found)


class _Walk:
    """One walk through a document."""

    def __init__(self, parts: list[Part], open_part: Open) -> None:
        self._parts = parts
        self._open = open_part

    def through(self, found: Any, path: str) -> Iterator[tuple[str, Found]]:
        if isinstance(found, list):
            for place, item in enumerate(found):
                yield from self.through(item, f"{path}[{place}]")
        elif isinstance(found, dict):
            yield from self._tagged(found, path) if TAG in found else self._items(found.items(), path)

    def _tagged(self, found: dict[str, Any], path: str) -> Iterator[tuple[str, Found]]:
        kind, payload = found[TAG], found["v"]
        if kind == "part":
            yield from self._part(self._parts[payload], path)
        elif kind == large_frames.TAG:
            yield path, Found("", partial(self._large, payload))
        elif kind == "dict":
            yield from self._items(payload, path)
        elif kind == _RECORD:
            for name, value in payload[2]:
                yield from self.through(value, f"{path}.{name}")
        elif isinstance(payload, list):  # a tuple, a set
            yield from self.through(payload, path)

    def _items(self, items: Any, path: str) -> Iterator[tuple[str, Found]]:
        for name, value in items:
            yield from self.through(value, f"{path}[{name!r}]")

    def _part(self, part: Part, path: str) -> Iterator[tuple[str, Found]]:
        if part.format in FORMATS:
            yield path, Found(part.digest, partial(self._of_part, part))

    def _of_part(self, part: Part) -> Table | None:
        data = self._data(part)
        if part.format != "json":
            return _table(part.format, data)
        by_columns = tables_in("json", data, self._open).get("")
        return by_columns.look() if by_columns is not None else None

    def _large(self, payload: list[Any]) -> Table:
        """Tell of a frame that is kept by columns; its labels and its index are parts as well."""
        labels, index = (self._parts[one["v"]] for one in payload[:2])
        columns = [self._parts[one["v"]] for one in payload[3]]
        named = zip(map(str, frames.read("pandas", self._data(labels))), map(self._dtype, columns), strict=True)
        rows, of_index = frames.heading("pandas", self._data(index)) or (0, ())
        return Table(rows, (*of_index, *named))

    def _dtype(self, column: Part) -> str:
        data = self._data(column)
        if column.format == "npy":
            return str(arrays.heading(data)[1])
        _, ((_, dtype),) = frames.heading(column.format, data) or (0, (("", ""),))
        return dtype

    def _data(self, part: Part) -> Buffer:
        return self._open(part) if part.data is None else part.data

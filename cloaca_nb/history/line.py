"""One line of a journal: the rows of a commit as JSON, whatever is in them."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from cloaca_nb.history.opening import Row
from cloaca_nb.history.schema import ARRIVALS, ENDED, ENDINGS, TABLES

__all__ = ["encode"]

LARGEST: Final = 1 << 63  # what an integer of JSON can't reach
NAMES: Final = {table.name: table.names for table in (*TABLES, ENDED, ARRIVALS, ENDINGS)}


def encode(rows: Mapping[str, Sequence[Row]]) -> bytes:
    """Return rows by table as one line of JSON: for each table its columns by name."""
    import orjson  # noqa: PLC0415 - loaded by the writer thread, when there is something to write

    line = {
        table: dict(zip(NAMES[table], zip(*of_table, strict=True), strict=True)) for table, of_table in rows.items()
    }
    try:
        return orjson.dumps(line, default=str)
    except TypeError:  # half of a surrogate pair, as undecodable bytes become; a number of more than 64 bits
        return orjson.dumps(_readable(line))


def _readable(item: Any) -> Any:
    """Return the same with all text as valid Unicode, what wasn't spelled as an escape, and all else as JSON."""
    if isinstance(item, str):
        return str(item).encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(item, Mapping):
        return {key: _readable(value) for key, value in item.items()}
    if isinstance(item, list | tuple):
        return [_readable(value) for value in item]
    if item is None or isinstance(item, bool | float) or (isinstance(item, int) and abs(item) < LARGEST):
        return item
    return _spelled(item)


def _spelled(item: Any) -> str:
    try:
        return _readable(str(item))  # type: ignore[no-any-return]  # text comes back as text
    except BaseException:  # noqa: BLE001 - a user's own code: what can't be spelled mustn't cost what can
        return f"<{type(item).__qualname__}>"

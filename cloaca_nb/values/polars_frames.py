"""polars' frames and series: clones that share their data, equal by schema and columns in Arrow's form."""

from collections.abc import Iterable
from typing import Any, Final

from cloaca_nb.values.adapter import Digest, Isolation, Verdict

__all__ = ["LIBRARY", "TYPES", "altered", "equal", "isolate", "parts", "preview"]

LIBRARY: Final = "polars"
TYPES: Final = ("DataFrame", "Series")
COMPARED_BYTES: Final = 1_000_000


def isolate(value: Any, copies: Isolation) -> Any:  # noqa: ARG001 - the interface's: a clone shares no change
    """Return a clone, which costs nothing: polars copies what is written to."""
    return value.clone()


def altered(before: Any, now: Any) -> Verdict:
    """Compare a clone with its original: shapes, names and dtypes; elements only up to `COMPARED_BYTES`."""
    if before.shape != now.shape or _outline(before) != _outline(now):
        return True
    return before.estimated_size() <= COMPARED_BYTES and not before.equals(now, null_equal=True)


def equal(a: Any, b: Any) -> bool | None:
    """Say no at once to another shape."""
    return None if a.shape == b.shape else False


def parts(value: Any, digest: Digest) -> Iterable[Any]:  # noqa: ARG001 - the interface's: a frame is ordered
    """Take apart: names and dtypes first, then the columns."""
    yield _outline(value)
    for column in _columns(value):
        yield column.to_list() if str(column.dtype) == "Object" else _in_arrow(column)


def preview(value: Any) -> str:
    """Show ``336776 rows × 19 columns: year Int64, …``."""
    if not hasattr(value, "get_columns"):
        return f"{len(value)} rows: {value.name} {value.dtype}"
    columns = ", ".join(f"{name} {dtype}" for name, dtype in value.schema.items())
    return f"{value.height} rows × {value.width} columns: {columns}"


def _in_arrow(column: Any) -> Any:
    try:
        return column.to_arrow()
    except ValueError:  # whole numbers of 128 bits, alone or in lists: Arrow has no such type
        return column.to_list()


def _columns(value: Any) -> list[Any]:
    return value.get_columns() if hasattr(value, "get_columns") else [value]


def _outline(value: Any) -> list[tuple[str, str]]:
    return [(column.name, repr(column.dtype)) for column in _columns(value)]

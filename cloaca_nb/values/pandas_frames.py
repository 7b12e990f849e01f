"""pandas' frames, series, indexes, arrays and scalars: copy-on-write copies, and the columns that make them equal."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

from cloaca_nb.values import arrow_tables
from cloaca_nb.values.adapter import Apart, Digest, Either, Isolation, Verdict
from cloaca_nb.values.plain import ATOMS

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

__all__ = ["LIBRARY", "TYPES", "altered", "column_arrays", "equal", "isolate", "parts", "preview"]

LIBRARY: Final = "pandas"
TYPES: Final = (
    *("DataFrame", "Series", "Index", "ExtensionArray"),
    *("Timestamp", "Timedelta", "Period", "Interval", "NaTType", "NAType"),
)

_BUFFERS: Final = ("_ndarray", "_data", "_mask")  # attributes of pandas' arrays that hold their elements

# What `infer_dtype` says of object columns of which it has looked at every element.
_UNCHANGEABLE: Final = frozenset(
    {"string", "bytes", "boolean", "integer", "floating", "decimal", "complex", "empty", "date", "time"}
    | {"datetime", "datetime64", "timedelta", "timedelta64", "period", "interval", "mixed-integer-float"}
)


def isolate(value: Any, copies: Isolation) -> Any:
    """Copy without copying data: pandas does that when one of the two is written to."""
    import pandas as pd

    if isinstance(value, pd.DataFrame):
        return _isolate_frame(value, copies)
    if isinstance(value, pd.Series):
        return _isolate_series(value, copies)
    if isinstance(value, pd.Index):
        return value.copy(deep=False)
    return value.copy() if isinstance(value, pd.api.extensions.ExtensionArray) else value


def altered(before: Any, now: Any) -> Verdict:
    """Compare a copy with its original: by where their data lies, and by the data only where that has been moved."""
    import pandas as pd

    if isinstance(now, pd.Index):
        return list(before.names) != list(now.names)
    if isinstance(now, pd.api.extensions.ExtensionArray):
        return _array_altered(before, now)
    if not isinstance(now, pd.DataFrame | pd.Series):
        return False
    if not all(map(_same_axis, before.axes, now.axes)):
        return True
    told = [(before.attrs, now.attrs)]
    if isinstance(now, pd.Series):
        return (*told, (before.name, now.name), (column_array(before.array), column_array(now.array)))
    return told if _lie_together(before, now) else (*told, *zip(column_arrays(before), column_arrays(now), strict=True))


def equal(a: Any, b: Any) -> bool | None:
    """Say no at once to another shape."""
    return None if getattr(a, "shape", None) == getattr(b, "shape", None) else False


def parts(value: Any, digest: Digest) -> Iterable[Any]:  # noqa: ARG001 - the interface's: a frame is ordered
    """Take apart: what the axes and columns are first, then their data."""
    import pandas as pd

    if isinstance(value, pd.DataFrame):
        yield from _frame_parts(value)
    elif isinstance(value, pd.Series):
        yield value.name
        yield value.attrs
        yield from _index_parts(value.index)
        yield from _array_parts(value.array)
    elif isinstance(value, pd.Index):
        yield from _index_parts(value)
    elif isinstance(value, pd.api.extensions.ExtensionArray):
        yield from _array_parts(value)
    else:
        yield from _scalar_parts(value)


def preview(value: Any) -> str:
    """Show ``336776 rows × 19 columns: year int64, …`` for a frame, length and dtype for a series."""
    import pandas as pd

    if isinstance(value, pd.DataFrame):
        columns = ", ".join(f"{name} {dtype}" for name, dtype in zip(value.columns[:20], value.dtypes, strict=False))
        return f"{len(value)} rows × {value.shape[1]} columns: {columns}"
    if isinstance(value, pd.Series):
        return f"{len(value)} rows: {value.name} {value.dtype}"
    if isinstance(value, pd.Index | pd.api.extensions.ExtensionArray):
        return f"{len(value)} × {value.dtype}"
    return repr(value)


def _isolate_frame(frame: "pd.DataFrame", copies: Isolation) -> "pd.DataFrame":
    import pandas as pd

    copy = frame.copy(deep=False)
    for place, dtype in enumerate(frame.dtypes):
        if pd.api.types.is_object_dtype(dtype) and _holds_changeable(column := frame.iloc[:, place]):
            copy.isetitem(place, _isolate_series(column, copies).array)
    return copy


def _isolate_series(series: "pd.Series[Any]", copies: Isolation) -> "pd.Series[Any]":
    import numpy as np
    import pandas as pd

    copy = series.copy(deep=False)
    if pd.api.types.is_object_dtype(series.dtype) and _holds_changeable(series):
        elements = np.empty(len(series), object)
        for place, element in enumerate(series.array):
            elements[place] = copies(element)
        copy.iloc[:] = elements
    return copy


def _holds_changeable(column: "pd.Series[Any]") -> bool:
    """Whether a column of objects holds lists, dicts or the like."""
    import pandas as pd

    if pd.api.types.infer_dtype(column) in _UNCHANGEABLE:
        return False
    return not ATOMS.issuperset(map(type, column.array))


def _frame_parts(frame: "pd.DataFrame") -> Iterator[Any]:
    yield [_dtype_name(dtype) for dtype in frame.dtypes]
    yield frame.attrs
    yield from _index_parts(frame.columns)
    yield from _index_parts(frame.index)
    yield from map(_column, column_arrays(frame))


def column_arrays(frame: "pd.DataFrame") -> list[Any]:
    """Return the data of each column, as numpy's arrays where they are; nothing is copied."""
    return [column_array(frame.iloc[:, place].array) for place in range(frame.shape[1])]


def column_array(array: Any) -> Any:
    """Return the data of one column, as one of numpy's arrays where it is; nothing is copied."""
    import pandas as pd

    return array.to_numpy() if isinstance(array, pd.arrays.NumpyExtensionArray) else array


def _same_axis(before: "pd.Index[Any]", now: "pd.Index[Any]") -> bool:
    return (now.is_(before) and list(now.names) == list(before.names)) or before.identical(now)


def _lie_together(before: "pd.DataFrame", now: "pd.DataFrame") -> bool:
    """Whether all data of two frames is the same memory: it is, until one of them is written to."""
    mine, theirs = (frame._mgr.blocks for frame in (before, now))  # noqa: SLF001 - by column it takes a hundred times longer
    return len(mine) == len(theirs) and all(
        (one.mgr_locs.as_array == other.mgr_locs.as_array).all() and _lies_there(one.values, other.values)
        for one, other in zip(mine, theirs, strict=True)
    )


def _lies_there(before: Any, now: Any) -> bool:
    """Whether two arrays are the same memory; no, where that isn't known."""
    mine, theirs = _memory(before), _memory(now)
    return mine is not None and mine == theirs


def _memory(array: Any) -> Any:
    """Return what tells where the elements of an array lie: two arrays of equal shape are the same if it is equal."""
    import numpy as np

    if isinstance(array, np.ndarray):
        interface = array.__array_interface__
        return interface["data"][0], array.strides
    if (held := getattr(array, "_pa_array", None)) is not None:  # of Arrow, which nobody can write to
        return id(held)
    found = [_memory(one) for name in _BUFFERS if (one := getattr(array, name, None)) is not None]
    return found if found and None not in found else None


def _array_altered(before: Any, now: Any) -> bool:
    return not _lies_there(before, now) and not (before.dtype == now.dtype and before.equals(now))


def _column(array: Any) -> Either:
    return Either(lambda: Apart(array), lambda: array)


def _index_parts(index: "pd.Index[Any]") -> Iterator[Any]:
    """Take apart: names and levels; for equality a RangeIndex counts as its numbers, and `freq` doesn't."""
    yield list(index.names)
    for level in range(index.nlevels):
        yield _level(index.get_level_values(level))


def _level(index: "pd.Index[Any]") -> Either:
    return Either(lambda: _exact(index), lambda: index.array)


def _exact(index: "pd.Index[Any]") -> Any:
    import pandas as pd

    if isinstance(index, pd.RangeIndex):
        return index.start, index.stop, index.step
    frequency = getattr(index, "freqstr", None)
    return index.array if frequency is None else (frequency, index.array)


def _array_parts(array: Any) -> Iterator[Any]:
    """Take one column apart; missing elements count, what is stored in their places doesn't."""
    import pandas as pd

    dtype = array.dtype
    yield _dtype_name(dtype)
    if isinstance(dtype, pd.CategoricalDtype):
        yield array.ordered
        yield from _index_parts(array.categories)
        yield array.codes
    elif isinstance(dtype, pd.StringDtype):
        yield array.__arrow_array__().cast("large_string")
    elif isinstance(dtype, pd.ArrowDtype):
        yield array.__arrow_array__()
    elif isinstance(dtype, pd.IntervalDtype):
        yield from _array_parts(array.left.array)
        yield from _array_parts(array.right.array)
    elif pd.api.types.is_object_dtype(dtype):
        yield from _object_parts(array.to_numpy())
    else:
        yield from _as_numpy(array)


def _object_parts(elements: "np.ndarray[Any, Any]") -> Iterator[Any]:
    """Take a column of objects apart; its text goes to Arrow, where that is several times faster."""
    import numpy as np

    kinds = set(map(type, elements))
    if str not in kinds:
        yield elements
        return
    if len(kinds) > 1:
        is_text = np.fromiter((type(element) is str for element in elements), bool, len(elements))
        yield is_text
        yield elements[~is_text]
        elements = elements[is_text]
    try:
        yield arrow_tables.text_array(elements)
    except UnicodeEncodeError:  # half of a surrogate pair, which Arrow refuses
        yield elements


def _as_numpy(array: Any) -> "Iterator[np.ndarray[Any, Any]]":
    import pandas as pd

    dtype = array.dtype
    if isinstance(dtype, pd.DatetimeTZDtype | pd.PeriodDtype):
        yield array.view("int64")  # instants and ordinals; zone, unit and frequency are in the dtype's name
    elif isinstance(array, pd.arrays.IntegerArray | pd.arrays.FloatingArray | pd.arrays.BooleanArray):
        yield array.isna()
        yield array.to_numpy(dtype=dtype.numpy_dtype, na_value=dtype.numpy_dtype.type(0))
    else:
        yield array.to_numpy()


def _dtype_name(dtype: Any) -> str:
    return str(dtype)


def _scalar_parts(value: Any) -> Iterator[Any]:
    import pandas as pd

    if isinstance(value, pd.Interval):
        yield value.left
        yield value.right
        yield value.closed
    elif isinstance(value, pd.Timestamp):
        yield value.tz_localize(None).isoformat(timespec="nanoseconds")
        yield value.fold
        yield value.unit
        yield value.tzinfo
    elif isinstance(value, pd.Timedelta):
        yield value.isoformat()
        yield value.unit
    else:
        yield repr(value)  # a Period says its frequency; NaT and NA are the only ones of their types

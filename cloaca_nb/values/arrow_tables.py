"""Arrow's tables, batches, arrays and scalars: shared as they are, equal by schema, missing elements and values."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from cloaca_nb.values.adapter import Digest, Either, Isolation, Raw

__all__ = ["LIBRARY", "TYPES", "equal", "isolate", "parts", "preview", "text_array"]

LIBRARY: Final = "pyarrow"
TYPES: Final = ("Table", "RecordBatch", "ChunkedArray", "Array", "Scalar")

_BLOCK_BYTES: Final = 1 << 20


def isolate(value: Any, copies: Isolation) -> Any:  # noqa: ARG001 - the interface's: nothing here can be changed
    """Return the value itself: Arrow data is immutable."""
    return value


def equal(a: Any, b: Any) -> bool | None:
    """Say no at once to another schema, type or length."""
    if hasattr(a, "schema"):
        return None if a.shape == b.shape and a.schema.equals(b.schema, check_metadata=True) else False
    return None if a.type == b.type else False


def parts(value: Any, digest: Digest) -> Iterable[Any]:  # noqa: ARG001 - the interface's: a table is ordered
    """Take apart into schema and columns; chunks, offsets and what lies under missing elements don't count."""
    import pyarrow as pa

    if hasattr(value, "schema"):
        yield value.schema.to_string(truncate_metadata=False)
        yield value.num_rows
        yield from value.columns
    elif isinstance(value, pa.Scalar):
        yield from _array_parts(pa.array([value], value.type))
    elif isinstance(value, pa.ChunkedArray):
        yield from _chunked_parts(value)
    else:
        yield from _array_parts(value)


def preview(value: Any) -> str:
    """Show ``336776 rows × 19 columns: year int64, …`` for a table, length and type for an array."""
    if hasattr(value, "schema"):
        columns = ", ".join(f"{field.name} {field.type}" for field in value.schema)
        return f"{value.num_rows} rows × {value.num_columns} columns: {columns}"
    return f"{len(value)} × {value.type}" if hasattr(value, "__len__") else repr(value)


def text_array(elements: Iterable[str]) -> Any:
    """Return a column of text as an Arrow array; half of a surrogate pair is a UnicodeEncodeError."""
    import pyarrow as pa

    return pa.array(elements, pa.large_string())


def _chunked_parts(value: Any) -> Iterator[Any]:
    import pyarrow as pa

    whole = value.chunk(0) if value.num_chunks == 1 else value.combine_chunks()
    if isinstance(whole, pa.ChunkedArray):  # more text than one array can hold
        yield whole.to_pylist()
    else:
        yield from _array_parts(whole)


def _array_parts(array: Any) -> Iterator[Any]:
    """Take apart: type, which elements are missing, and the values of the others."""
    yield str(array.type)
    yield len(array)
    find = _values_of(array.type)
    if find is None:
        yield array.storage if hasattr(array, "storage") else array.to_pylist()
        return
    yield array.null_count
    if array.null_count:
        yield array.is_valid().to_numpy(zero_copy_only=False)
        array = array.drop_null()
    yield from find(array)


def _values_of(kind: Any) -> Callable[[Any], Iterator[Any]] | None:
    """Return what takes apart an array of this type that misses no element; None if only Python objects will do."""
    from pyarrow import types

    for fits, find in (
        (types.is_null, _no_values),
        (types.is_boolean, _numbers),
        (types.is_floating, _numbers),
        (types.is_primitive, _fixed_width),
        (types.is_decimal, _fixed_width),
        (types.is_fixed_size_binary, _fixed_width),
        (_is_text, _text),
        (_is_list, _list_values),
        (types.is_struct, _struct_values),
        (types.is_dictionary, _dictionary_values),
    ):
        if fits(kind):
            return find
    return None


def _is_text(kind: Any) -> bool:
    from pyarrow import types

    return any(fits(kind) for fits in (types.is_string, types.is_binary, types.is_large_string, types.is_large_binary))


def _is_list(kind: Any) -> bool:
    from pyarrow import types

    return any(fits(kind) for fits in (types.is_list, types.is_large_list, types.is_fixed_size_list))


def _no_values(_array: Any) -> Iterator[Any]:
    return iter(())


def _numbers(array: Any) -> Iterator[Any]:
    yield array.to_numpy(zero_copy_only=False)  # numpy's adapter knows about NaN


def _fixed_width(array: Any) -> Iterator[Either]:
    width = array.type.bit_width // 8
    return _blocks(array.buffers()[1], array.offset * width, len(array) * width)


def _text(array: Any) -> Iterator[Any]:
    from pyarrow import compute

    yield compute.binary_length(array)
    if len(array):
        raw = memoryview(array.buffers()[1]).cast("B")
        offsets = raw.cast("q") if str(array.type).startswith("large") else raw.cast("i")
        first, last = offsets[array.offset], offsets[array.offset + len(array)]
        yield from _blocks(array.buffers()[2], first, last - first)


def _blocks(buffer: Any, start: int, length: int) -> Iterator[Either]:
    if buffer is not None:  # there is none for no elements
        data = memoryview(buffer).cast("B")[start : start + length]
        for place in range(0, length, _BLOCK_BYTES):
            yield _block(data[place : place + _BLOCK_BYTES])


def _block(data: memoryview) -> Either:
    return Either(lambda: Raw(data), data.tobytes)


def _list_values(array: Any) -> Iterator[Any]:
    from pyarrow import compute

    yield compute.list_value_length(array)
    yield array.flatten()


def _struct_values(array: Any) -> Iterator[Any]:
    yield from array.flatten()


def _dictionary_values(array: Any) -> Iterator[Any]:
    yield array.dictionary_decode()

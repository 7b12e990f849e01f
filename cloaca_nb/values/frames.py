"""Tables in files of Arrow: pandas' objects, Arrow's own, and those of polars, which writes its own.

What pays, for a frame of 1,000,000 rows × 10 columns (times in ms to write and to read into Arrow, size in MB): Arrow
uncompressed 49, 0.2 (memory-mapped), 78; lz4 168, 24, 36; zstd 190, 63, 20; Parquet 254 to 307, 46 to 64, 16 to 12. For
100 rows: Arrow 1.3 and 0.1, Parquet 2.1 and 1.2. So Arrow, uncompressed, at every size: a resumed run reads at once and
without a copy what it needs. Parquet is a third to a sixth of the size, and neither maps nor keeps every type.
Large frames are kept by columns, see `large_frames`.
"""

import json
from collections.abc import Callable
from typing import IO, Any, Final

from cloaca_nb.values.arrays import Buffer
from cloaca_nb.values.columns import Reader, Writer, dtype_of, of_side, side, tag, untag
from cloaca_nb.values.tagged import Unsuitable

__all__ = ["Heading", "Write", "fits", "heading", "prepare", "read"]

Write = Callable[[IO[bytes]], None]
Heading = tuple[int, tuple[tuple[str | None, str], ...]]  # rows; label and dtype of each column
_NOTE: Final = b"cloaca_nb"
_LIBRARIES: Final = frozenset({"pandas", "pyarrow", "polars"})
_SCALARS: Final = frozenset({"Timestamp", "Timedelta", "Period", "Interval", "NaTType", "NAType"})


def fits(value: Any) -> bool:
    """Whether a value is a table, a column or an index of a library whose form this module knows."""
    kind = type(value)
    return str(kind.__module__).partition(".")[0] in _LIBRARIES and kind.__name__ not in _SCALARS


def prepare(value: Any) -> tuple[str, Write]:
    """Return the format of a table or the like, and what writes it; columns of numbers aren't copied.

    Raises:
        Unsuitable: if Arrow can't hold it exactly.
    """
    library = str(type(value).__module__).partition(".")[0]
    if library == "polars":
        return "polars", _writer_of_polars(value)
    note, names, arrays, metadata = _of_pandas(value) if library == "pandas" else _of_arrow(value)
    return library, _writer(json.dumps(note), names, arrays, metadata)


def read(format_: str, data: Buffer) -> Any:
    """Return what was written; on the memory of a map where the library allows that."""
    if format_ == "polars":
        return _read_polars(data)
    import pyarrow as pa

    table = pa.ipc.open_file(pa.py_buffer(data)).read_all()
    metadata = dict(table.schema.metadata)
    note = json.loads(metadata.pop(_NOTE))
    if format_ == "pandas":
        return _to_pandas(note, Reader(table, data))
    return _to_arrow(note, table.replace_schema_metadata(metadata if metadata or note["metadata"] else None))


def heading(format_: str, data: Buffer) -> Heading | None:
    """Return how many rows and which columns were written, without reading these; None for what has no columns.

    An index that isn't a range counts as the first column, whose label is None; the array of a column that is kept on
    its own counts as a column as well.
    """
    import pyarrow as pa

    if format_ == "polars":
        return _heading_of_polars(pa.ipc.open_file(pa.py_buffer(data).slice(1)).read_all())
    table = pa.ipc.open_file(pa.py_buffer(data)).read_all()  # uncompressed: its columns stay where they are
    note = json.loads(table.schema.metadata[_NOTE])
    if format_ == "pandas":
        return _heading_of_pandas(note, table)
    is_table = note["kind"] in {"Table", "RecordBatch"}
    return (table.num_rows, tuple((field.name, str(field.type)) for field in table.schema)) if is_table else None


def _heading_of_pandas(note: dict[str, Any], table: Any) -> Heading:
    index = note.get("index", {})
    rows = len(range(*index["range"])) if "range" in index else table.num_rows
    columns: list[tuple[str | None, str]] = []
    if "column" in index:
        columns.append((None, dtype_of(index["column"], table.schema)))
    if "array" in note:
        columns.append(("", dtype_of(note["array"], table.schema)))
    elif "column" in note:
        columns.append((str(untag(note["name"])), dtype_of(note["column"], table.schema)))
    elif "data" in note:
        dtypes = (dtype_of(column, table.schema) for column in note["data"])
        columns += zip(map(str, of_side(note["columns"])), dtypes, strict=True)
    return rows, tuple(columns)


def _heading_of_polars(table: Any) -> Heading:
    from polars import from_arrow

    empty: Any = from_arrow(table.schema.empty_table())
    return table.num_rows, tuple((name, str(dtype)) for name, dtype in empty.schema.items())


def _writer(note: str, names: list[str], arrays: list[Any], metadata: dict[bytes, bytes]) -> Write:
    import pyarrow as pa

    fields = [
        name if isinstance(name, pa.Field) else pa.field(name, array.type)
        for name, array in zip(names, arrays, strict=True)
    ]
    schema = pa.schema(fields, metadata={**metadata, _NOTE: note})
    table = pa.Table.from_arrays(arrays, schema=schema)

    def write(file: IO[bytes]) -> None:
        with pa.ipc.new_file(file, schema) as sink:
            sink.write_table(table)

    return write


_Taken = tuple[dict[str, Any], list[Any], list[Any], dict[bytes, bytes]]


def _of_pandas(value: Any) -> _Taken:
    import pandas as pd

    writer = Writer()
    if type(value) is pd.DataFrame:
        note = _note_of_frame(value, writer)
    elif type(value) is pd.Series:
        _check_flags(value)
        column = writer.column(value.array, str(value.name))
        note = {
            "index": writer.index(value.index),
            "column": column,
            "name": tag(value.name),
            "attrs": tag(value.attrs),
        }
    elif isinstance(value, pd.Index):
        note = {"index": writer.index(value)}
    elif isinstance(value, pd.api.extensions.ExtensionArray):
        note = {"array": writer.column(value, "array")}
    else:
        raise Unsuitable(f"a {type(value).__qualname__} has no form in Arrow")
    return note, [name for name, _ in writer.fields], [array for _, array in writer.fields], {}


def _note_of_frame(frame: Any, writer: Writer) -> dict[str, Any]:
    _check_flags(frame)
    labels = frame.columns
    return {
        "data": [writer.column(frame.iloc[:, place].array, str(label)) for place, label in enumerate(labels)],
        "index": writer.index(frame.index),
        "columns": side(labels),
        "attrs": tag(frame.attrs),
    }


def _check_flags(value: Any) -> None:
    if not value.flags.allows_duplicate_labels:
        raise Unsuitable("its flag against duplicate labels has no form in Arrow")


def _to_pandas(note: dict[str, Any], reader: Reader) -> Any:
    import pandas as pd

    if "array" in note:
        array = reader.column(note["array"])
        return (
            array
            if isinstance(array, pd.api.extensions.ExtensionArray)
            else pd.array(array, dtype=array.dtype, copy=False)
        )
    index = reader.index(note["index"])
    if "data" in note:
        columns = {place: _series(reader.column(column), index) for place, column in enumerate(note["data"])}
        value = pd.DataFrame(columns, index=index, copy=False)
        value.columns = of_side(note["columns"])
    elif "column" in note:
        value = _series(reader.column(note["column"]), index, untag(note["name"]))
    else:
        return index
    value.attrs = untag(note["attrs"])
    return value


def _series(array: Any, index: Any, name: Any = None) -> Any:
    import pandas as pd

    return pd.Series(array, index=index, dtype=array.dtype, name=name, copy=False)


def _of_arrow(value: Any) -> _Taken:
    import pyarrow as pa

    if type(value) in (pa.Table, pa.RecordBatch):
        metadata = value.schema.metadata
        note = {"kind": type(value).__name__, "metadata": metadata is not None}
        return note, list(value.schema), value.columns, metadata or {}
    note = {"kind": "ChunkedArray" if isinstance(value, pa.ChunkedArray) else "Array", "metadata": False}
    if isinstance(value, pa.Scalar):
        note["kind"], value = "Scalar", pa.array([value], value.type)
    return note, ["values"], [value], {}


def _to_arrow(note: dict[str, Any], table: Any) -> Any:
    kind = note["kind"]
    if kind == "Table":
        return table
    if kind == "RecordBatch":
        batches = table.combine_chunks().to_batches()
        return batches[0] if batches else _empty_batch(table.schema)
    column = table.column(0)
    if kind == "ChunkedArray":
        return column
    return column[0] if kind == "Scalar" else column.combine_chunks()


def _empty_batch(schema: Any) -> Any:
    import pyarrow as pa

    return pa.RecordBatch.from_arrays([pa.array([], field.type) for field in schema], schema=schema)


def _writer_of_polars(value: Any) -> Write:
    from polars import DataFrame, Object

    is_frame = isinstance(value, DataFrame)
    frame = value if is_frame else value.to_frame()
    if type(value).__name__ not in ("DataFrame", "Series") or Object in frame.dtypes:
        raise Unsuitable("polars writes no Python objects")

    def write(file: IO[bytes]) -> None:
        file.write(b"\1" if is_frame else b"\0")
        frame.write_ipc(file)

    return write


def _read_polars(data: Buffer) -> Any:
    from polars import read_ipc

    frame = read_ipc(bytes(data[1:]), use_pyarrow=False)
    return frame if data[:1] == b"\1" else frame.to_series()

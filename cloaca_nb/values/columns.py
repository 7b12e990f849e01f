"""pandas' columns and indexes as Arrow arrays and a JSON-like note of all that Arrow's types don't say."""

from base64 import b64decode, b64encode
from typing import Any, Final

from cloaca_nb.values.arrays import Buffer, memory
from cloaca_nb.values.tagged import Tagger, Unsuitable, document, value_of

__all__ = ["Reader", "Writer", "dtype_of", "of_side", "side", "tag", "untag"]

_PLAIN: Final = "iuf"


def tag(value: Any) -> Any:
    """Return the JSON form of a label, a name or the like.

    Raises:
        Unsuitable: if it has none.
    """
    return document(Tagger(None, lambda _: False)(value)).decode()


def untag(text: str) -> Any:
    """Return what `tag` was given."""
    return value_of(text.encode(), lambda _: None, load=False)


class Writer:
    """Takes columns and indexes apart; `fields` gathers the Arrow arrays, all of one length."""

    def __init__(self) -> None:
        self.fields: list[tuple[str, Any]] = []

    def column(self, array: Any, name: str) -> dict[str, Any]:  # noqa: PLR0911 - one for each kind of dtype
        """Take a column apart, and return the note that `Reader.column` needs.

        Raises:
            Unsuitable: for a dtype that has no exact form in Arrow.
        """
        import pandas as pd

        dtype = array.dtype
        if isinstance(dtype, pd.CategoricalDtype):
            codes = self._field(array.codes, name)
            return {"categories": side(dtype.categories), "ordered": bool(dtype.ordered), "codes": codes}
        if isinstance(dtype, pd.IntervalDtype):
            ends = [self.column(end.array, f"{name}.{label}") for label, end in (("l", array.left), ("r", array.right))]
            return {"interval": dtype.closed, "ends": ends}
        if isinstance(dtype, pd.PeriodDtype):
            return {"period": dtype.name, "at": self._field(array.view("int64"), name)}
        if isinstance(dtype, pd.DatetimeTZDtype):
            return {"zone": tag(dtype.tz), "unit": dtype.unit, "at": self._times(array, name, dtype.unit, "UTC")}
        if isinstance(dtype, pd.StringDtype):
            missing = "NA" if dtype.na_value is pd.NA else "nan"
            return {"text": dtype.storage, "missing": missing, "at": self._field(array.__arrow_array__(), name)}
        if isinstance(dtype, pd.ArrowDtype):
            return {"arrow": True, "at": self._field(array.__arrow_array__(), name)}
        if isinstance(array, pd.arrays.IntegerArray | pd.arrays.FloatingArray | pd.arrays.BooleanArray):
            return {"nullable": dtype.name, "at": self._field(array.__arrow_array__(), name)}
        return self._of_numpy(array, name)

    def index(self, index: Any, name: str = "index") -> dict[str, Any]:
        """Take an index apart, and return the note that `Reader.index` needs.

        Raises:
            Unsuitable: for a kind of index, a frequency or a name that can't be written exactly.
        """
        import pandas as pd

        names = tag(list(index.names))
        if type(index) is pd.RangeIndex:
            return {"range": [index.start, index.stop, index.step], "names": names}
        if type(index) is pd.MultiIndex:
            codes = [self._field(code, f"{name}.{place}") for place, code in enumerate(index.codes)]
            return {"levels": [side(level) for level in index.levels], "codes": codes, "names": names}
        if type(index) not in _index_types():
            raise Unsuitable(f"a {type(index).__qualname__} has no form in Arrow")
        frequency = _frequency(index) if type(index) in (pd.DatetimeIndex, pd.TimedeltaIndex) else None
        return {"column": self.column(index.array, name), "frequency": frequency, "names": names}

    def _field(self, array: Any, name: str) -> int:
        import pyarrow as pa

        self.fields.append((name, array if isinstance(array, pa.Array | pa.ChunkedArray) else pa.array(array)))
        return len(self.fields) - 1

    def _times(self, array: Any, name: str, unit: str, zone: str | None = None) -> int:
        import pyarrow as pa

        numbers = pa.array(array.view("int64"))  # NaT stays the number that numpy writes for it
        return self._field(numbers.view(pa.timestamp(unit, zone)), name)

    def _of_numpy(self, array: Any, name: str) -> dict[str, Any]:
        import numpy as np
        import pandas as pd

        dtype = getattr(array.dtype, "numpy_dtype", array.dtype)
        if not isinstance(dtype, np.dtype) or isinstance(array, pd.arrays.SparseArray):
            raise Unsuitable(f"a column of dtype {dtype} has no form in Arrow")
        if dtype.kind == "O":
            return self._objects(array.to_numpy(), name)
        if dtype.kind == "M":
            return {"numpy": dtype.str, "at": self._times(array.to_numpy(), name, np.datetime_data(dtype)[0])}
        if dtype.kind == "m":
            return {"numpy": dtype.str, "at": self._field(array.to_numpy().view("int64"), name)}
        if dtype.kind == "b" or (dtype.kind in _PLAIN and dtype.isnative and dtype.itemsize <= 8):  # noqa: PLR2004 - bytes
            return {"numpy": dtype.str, "at": self._field(array.to_numpy(), name)}
        raise Unsuitable(f"a column of dtype {dtype} has no form in Arrow")

    def _objects(self, elements: Any, name: str) -> dict[str, Any]:
        """Write text as text, and any other objects each in its JSON form."""
        import pyarrow as pa

        is_text = set(map(type, elements)) <= {str, type(None)}
        try:
            texts = pa.array(elements if is_text else [tag(element) for element in elements], pa.large_string())
        except UnicodeEncodeError as error:
            raise Unsuitable(f"Arrow can't hold its text: {error}") from error
        return {"objects": "text" if is_text else "tagged", "at": self._field(texts, name)}


class Reader:
    """Puts columns and indexes together again, on the memory of a mapped file where that is possible."""

    def __init__(self, table: Any, data: Buffer) -> None:
        import pyarrow as pa

        self._table = table
        self._data = data
        self._start = pa.py_buffer(data).address

    def column(self, note: dict[str, Any]) -> Any:
        """Return the array of a note of `Writer.column`."""
        import pandas as pd

        if "categories" in note:
            dtype = pd.CategoricalDtype(of_side(note["categories"]), note["ordered"])
            return pd.Categorical.from_codes(self._numbers(note["codes"], None), dtype=dtype)
        if "interval" in note:
            left, right = map(self.column, note["ends"])
            return pd.arrays.IntervalArray.from_arrays(left, right, closed=note["interval"])
        if "period" in note:
            return pd.arrays.PeriodArray(self._numbers(note["at"], "i8"), dtype=note["period"])
        if "zone" in note:
            instants = pd.array(self._numbers(note["at"], f"M8[{note['unit']}]"), copy=False)
            return instants.tz_localize("UTC").tz_convert(untag(note["zone"]))
        if "numpy" in note:
            return self._numbers(note["at"], note["numpy"])
        return self._others(note, self._table.column(note["at"]))

    def index(self, note: dict[str, Any]) -> Any:
        """Return the index of a note of `Writer.index`."""
        import pandas as pd

        names = untag(note["names"])
        if "range" in note:
            start, stop, step = note["range"]
            return pd.RangeIndex(start, stop, step, name=names[0])
        if "levels" in note:
            levels, codes = map(of_side, note["levels"]), [self._numbers(code, None) for code in note["codes"]]
            return pd.MultiIndex(list(levels), codes, names=names, verify_integrity=False)
        array = self.column(note["column"])
        index = pd.Index(array, dtype=array.dtype, copy=False)
        index.names = names
        if note["frequency"] is not None:
            index.freq = note["frequency"]
        return index

    def _others(self, note: dict[str, Any], column: Any) -> Any:
        import numpy as np
        import pandas as pd

        if "text" in note:
            missing = pd.NA if note["missing"] == "NA" else np.nan
            text: Any = pd.StringDtype(note["text"], missing)
            return text.__from_arrow__(column)
        if "nullable" in note:
            nullable: Any = pd.api.types.pandas_dtype(note["nullable"])
            return nullable.__from_arrow__(column)
        if "arrow" in note:
            return pd.arrays.ArrowExtensionArray(column)
        texts = column.to_pylist()
        elements = np.empty(len(texts), object)
        elements[:] = texts
        if note["objects"] == "tagged":
            for place, text in enumerate(texts):
                elements[place] = untag(text)
        return elements

    def _numbers(self, place: int, dtype: str | None) -> Any:
        """Return a column of fixed width as an array that can be written to."""
        import numpy as np

        column = self._table.column(place)
        if dtype is None:
            dtype = np.dtype(column.type.to_pandas_dtype()).str
        if np.dtype(dtype).kind == "b":
            return np.array(column.to_numpy())
        chunks = [self._chunk(chunk, np.dtype(dtype)) for chunk in column.chunks if len(chunk)]
        if len(chunks) == 1:
            return chunks[0]
        return np.concatenate(chunks) if chunks else np.empty(0, dtype)

    def _chunk(self, chunk: Any, dtype: Any) -> Any:
        start = chunk.buffers()[1].address - self._start + chunk.offset * dtype.itemsize
        return memory(self._data, dtype, len(chunk), start)


def dtype_of(note: dict[str, Any], schema: Any) -> str:  # noqa: PLR0911 - one for each kind of dtype
    """Return the name of the dtype that a column has; of a note of `Writer.column`, and the schema of its table."""
    import numpy as np

    if "categories" in note:
        return "category"
    if "interval" in note:
        return f"interval[{dtype_of(note['ends'][0], schema)}, {note['interval']}]"
    if "zone" in note:
        return f"datetime64[{note['unit']}, {untag(note['zone'])}]"
    if "text" in note:
        return "string" if note["missing"] == "NA" else "str"
    if "arrow" in note:
        return f"{schema.field(note['at']).type}[pyarrow]"
    if "objects" in note:
        return "object"
    return str(note.get("period") or note.get("nullable") or np.dtype(note["numpy"]))


def side(index: Any) -> str:
    """Return an index whose length is its own (labels of columns, categories, levels) as text."""
    import pyarrow as pa

    writer = Writer()
    note = writer.index(index)
    sink = pa.BufferOutputStream()
    schema = {"note": _json(note)}
    table = pa.Table.from_arrays([array for _, array in writer.fields], [name for name, _ in writer.fields])
    table = table.replace_schema_metadata(schema)
    with pa.ipc.new_file(sink, table.schema) as file:
        file.write_table(table)
    return b64encode(sink.getvalue()).decode("ascii")


def of_side(text: str) -> Any:
    """Return the index that `side` was given."""
    import json

    import pyarrow as pa

    data = b64decode(text)
    table = pa.ipc.open_file(pa.py_buffer(data)).read_all()
    return Reader(table, data).index(json.loads(table.schema.metadata[b"note"]))


def _json(note: dict[str, Any]) -> str:
    import json

    return json.dumps(note)


def _index_types() -> tuple[type, ...]:
    import pandas as pd

    return (
        pd.Index,
        pd.DatetimeIndex,
        pd.TimedeltaIndex,
        pd.PeriodIndex,
        pd.IntervalIndex,
        pd.CategoricalIndex,
    )


def _frequency(index: Any) -> str | None:
    import pandas as pd

    if index.freq is None:
        return None
    text: str = index.freqstr
    try:
        exact = pd.tseries.frequencies.to_offset(text) == index.freq
    except ValueError:
        exact = False
    if not exact:
        raise Unsuitable(f"the frequency {index.freq!r} has no name")
    return text

"""What the heads of kept values tell of the tables in them: the same as the values themselves."""

from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from cloaca_nb.values import codec, describe, large_frames
from cloaca_nb.values.outlines import Table, tables_in

COLUMNS = {
    "whole": [1, 5],
    "half": np.array([0.5, 1], "f2"),
    "is": [True, False],
    "text": ["a", None],
    "nullable": pd.array(["a", None], "string"),
    "whole or missing": pd.array([1, None], "Int64"),
    "true or missing": pd.array([True, None], "boolean"),
    "number or missing": pd.array([1, None], "Float32"),
    "kind": pd.Categorical(["x", "y"]),
    "zone": pd.date_range("2020", periods=2, tz="Europe/Berlin"),
    "time": pd.date_range("2020", periods=2),
    "took": pd.to_timedelta([1, 2], "s"),
    "month": pd.period_range("2020", periods=2, freq="M"),
    "between": pd.interval_range(0, 2),
    "lists": pd.array([[1], None], pd.ArrowDtype(pa.list_(pa.int64()))),
    "anything": pd.Series([{"a": 1}, 2], dtype=object),
    7: [1, 2],
}
WIDE = pd.DataFrame({f"column {number}": np.arange(4) for number in range(20)})
FRAMES = {
    "every dtype": pd.DataFrame(COLUMNS),
    "twenty columns": WIDE,
    "one name twice": pd.DataFrame([[1, "x"]], columns=["a", "a"]),
    "no columns": pd.DataFrame(index=range(3)),
    "no rows": WIDE.iloc[:0],
    "nothing": pd.DataFrame(),
    "names of two levels": pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_product([["a"], [1, 2]])),
    "by columns": pd.DataFrame({"a": np.arange(large_frames.LARGE // 8), "b": pd.array([1], "Int8").repeat(1 << 22)}),
}


class Files(dict[str, bytes]):
    """Keeps each part of a value on its own, as history does with large ones."""

    def keep(self, value: Any, _digest: str = "") -> codec.Part:
        part = codec.Part(self.write(value), describe(value).digest, None)
        self[part.digest] = self.written
        return part

    def write(self, value: Any) -> str:
        def sink(write: Any) -> bytes:
            file = BytesIO()
            write(file)
            self.written = file.getvalue()
            return self.written

        return codec.encode(value, describe(value).digest, sink, self.keep, self.read).format

    def read(self, part: codec.Part) -> Any:
        return codec.decode(part.format, self[part.digest], self.read)


def told(value: Any) -> dict[str, Table]:
    files = Files()
    format_ = files.write(value)
    found = tables_in(format_, files.written, lambda part: files[part.digest])
    return {path: table for path, one in found.items() if (table := one.look()) is not None}


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)
def test_a_frame_is_told_as_it_is(frame: pd.DataFrame) -> None:
    named = zip(map(str, frame.columns), map(str, frame.dtypes), strict=True)
    assert told(frame) == {"": Table(len(frame), tuple(named))}


@pytest.mark.parametrize("name", ["month", "zone", "kind", "text"])
def test_an_index_that_is_no_range_is_a_column_without_a_label(name: str) -> None:
    frame = pd.DataFrame(COLUMNS)[[name, "half"]]
    assert told(frame.set_index(name)) == {"": Table(2, ((None, str(frame[name].dtype)), ("half", "float16")))}
    assert told(frame[name]) == {"": Table(2, ((name, str(frame[name].dtype)),))}


def test_tables_of_other_libraries() -> None:
    table = pa.table({"a": [1, None], "b": [["x"], None]})
    expected = Table(2, (("a", "int64"), ("b", "list<item: string>")))
    assert (
        told(table)[""]
        == told(table.to_batches()[0])[""]
        == expected._replace(columns=tuple((field.name, str(field.type)) for field in table.schema))
    )
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame({"a": [1, None], "when": [None, None], "text": ["x", "y"]})
    assert told(frame) == {"": Table(2, tuple((name, str(dtype)) for name, dtype in frame.schema.items()))}


@dataclass
class Report:
    daily: Any
    title: str = ""


def test_tables_within_a_value_are_told_by_their_places() -> None:
    one, other = pd.DataFrame({"a": [1]}), pa.table({"b": ["x"]})
    held = {"daily": [1, (one, "text")], 3: {"deep": Report(other)}, "array": np.arange(3)}
    found = told(held)
    assert set(found) == {"['daily'][1][0]", "[3]['deep'].daily"}
    assert found["['daily'][1][0]"].columns == (("a", "int64"),)
    assert found["[3]['deep'].daily"].columns == (("b", "string"),)


@pytest.mark.parametrize(
    "value", [3, "text", [1, 2], {"a": [["x"]]}, [["a", "b", None]], np.arange(3), {1, 2}, pa.scalar(1)]
)
def test_of_what_holds_no_table_nothing_is_told(value: Any) -> None:
    assert told(value) == {}


def test_what_is_within_a_value_is_found_with_its_digest_and_opened_when_it_is_looked_at() -> None:
    frame = pd.DataFrame({"a": [1, 2]})
    files = Files()
    format_ = files.write({"frame": frame})
    opened: list[codec.Part] = []

    def open_part(part: codec.Part) -> bytes:
        opened.append(part)
        return files[part.digest]

    [(path, found)] = tables_in(format_, files.written, open_part).items()
    assert (path, found.digest, opened) == ("['frame']", describe(frame).digest, [])
    assert found.look() == Table(2, (("a", "int64"),))
    assert [part.digest for part in opened] == [found.digest]
    encoded, data = codec.in_memory({"frame": frame})  # the part stands in the document
    inside = tables_in(encoded.format, data, open_part)["['frame']"]
    assert inside.look() == found.look()
    assert len(opened) == 2  # by the second look at the first

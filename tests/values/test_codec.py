"""Values as bytes and back: equal, of the same type, with the same digest, in the plainest form that holds them."""

import enum
import sys
import threading
from dataclasses import dataclass, field, make_dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from pathlib import Path, PureWindowsPath
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as numpy_st
from hypothesis.extra.pandas import column, data_frames, indexes, range_indexes

from cloaca_nb.values import codec, describe, equal
from cloaca_nb.values.codec import Damaged, Unreadable, Unstorable, decode, in_memory

ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/St_Johns", timezone(timedelta(hours=5, minutes=45))])


def comes_back(value, *, trusted=False):
    """Check that a value comes back, and return the format in which it was kept."""
    encoded, data = in_memory(value)
    found = decode(encoded.format, data, allow_pickle=trusted)
    assert type(found) is type(value)
    assert equal(found, value)
    assert describe(found).digest == describe(value).digest
    assert encoded.note == ""
    return encoded.format, found


@dataclass(frozen=True)
class Point:
    x: object
    y: object = None


class Pair(NamedTuple):
    left: object
    right: object


class Colour(enum.Enum):
    RED = 1
    BLUE = "blue"


class Access(enum.Flag):
    READ = enum.auto()
    WRITE = enum.auto()


class Model:
    """Neither record nor of a library: only pickle holds it."""

    def __init__(self, weights):
        self.weights = weights

    def __eq__(self, other):
        return type(other) is Model and equal(self.weights, other.weights)

    __hash__ = None


paths = st.lists(st.text("ab.~ ü", min_size=1, max_size=3), max_size=3).map(lambda names: Path(*names))
atoms = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.complex_numbers()
    | st.text()
    | st.text(st.characters(categories=["Cs"]), max_size=1)
    | st.binary()
    | st.decimals().filter(lambda number: not number.is_snan())  # it can't be in a set
    | st.fractions()
    | st.dates()
    | st.datetimes(timezones=st.none() | st.timezones())
    | st.times(timezones=st.none() | st.just(timezone(timedelta(hours=1), "CET")))
    | st.timedeltas()
    | st.uuids()
    | st.sampled_from([..., 10**400, -0.0, range(3), np.float32("nan"), np.datetime64("NaT", "ns")])
    | st.sampled_from([np.str_("a"), pd.NA])
    | st.sampled_from([pd.Timestamp("2020-01-01 12:00:00.123456789", tz="Europe/Berlin"), pd.NaT, pd.Period("2020-01")])
    | st.sampled_from([pd.Timedelta("1ns"), pd.Interval(0, 1.5, closed="both")])
    | st.sampled_from([*Colour, *Access, Access.READ | Access.WRITE])
    | paths
    | paths.map(PureWindowsPath)
)
hashables = st.recursive(
    atoms,
    lambda inner: (
        st.tuples(inner) | st.frozensets(inner, max_size=2) | st.builds(Point, inner) | st.builds(Pair, inner, inner)
    ),
    max_leaves=3,
)
plain = st.recursive(
    atoms | st.sets(hashables, max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=2) | st.just("$"), inner, max_size=3)
        | st.dictionaries(hashables, inner, max_size=2)
        | st.tuples(inner, inner)
        | st.lists(inner, max_size=2).map(lambda items: pd.Series([1, 2], name=len(items)))
        | st.builds(Point, inner, inner)
        | st.builds(Pair, inner, inner)
    ),
    max_leaves=8,
)


@given(plain)
@settings(max_examples=300, deadline=None)
def test_plain_values_come_back_without_a_pickle(value):
    comes_back(value)


@given(
    st.recursive(
        plain.map(Model), lambda inner: st.lists(inner, max_size=2) | st.builds(Point, inner) | inner.map(Model)
    )
)
@settings(deadline=None)
def test_objects_of_any_class_come_back_as_pickles(value):
    form, found = comes_back(value, trusted=True)
    assert form == ("pickle" if type(value) is Model else "json")
    assert found is not value


arrays = numpy_st.arrays(
    numpy_st.scalar_dtypes() | numpy_st.array_dtypes(max_size=2), numpy_st.array_shapes(min_dims=0, min_side=0)
)


@given(arrays)
@settings(deadline=None)
def test_arrays_come_back_and_can_be_written_to(array):
    form, found = comes_back(array, trusted=True)
    assert form == ("npy" if repr(array.dtype).isascii() else "pickle")
    assert found.flags.writeable


DTYPES = ["int8", "uint64", "float32", "float64", "bool", "datetime64[ns]", "timedelta64[ns]"]
labels = st.text(max_size=3) | st.integers() | st.tuples(st.text(max_size=1), st.integers()) | st.none() | st.floats()


NULLABLE = {  # what may be missing: dtypes, elements
    "numbers": (["Int64", "Int8", "UInt16"], st.integers(0, 9)),
    "parts": (["Float64", "Float32"], st.floats(width=32, allow_nan=False)),
    "flags": (["boolean"], st.booleans()),
    "texts": (["string", "string[python]", "string[pyarrow]"], st.text(max_size=2)),
    "of arrow": ([pd.ArrowDtype(pa.int32()), pd.ArrowDtype(pa.float64())], st.integers(-9, 9)),
}


@st.composite
def frames(draw):
    columns = [column(f"c{place}", dtype=dtype) for place, dtype in enumerate(draw(st.lists(st.sampled_from(DTYPES))))]
    objects = column("o", elements=st.text(max_size=2) | st.none() | st.integers() | st.floats(), dtype=object)
    index = range_indexes() | indexes(dtype="int64") | indexes(dtype="datetime64[ns]") | indexes(dtype="float64")
    frame = draw(data_frames([*columns, objects], index=index))
    rows = len(frame)
    ends = np.arange(rows, dtype="float64")
    frame["zone"] = pd.date_range("2020-03-28", periods=rows, freq="6h", tz=draw(ZONES))
    frame["category"] = pd.Categorical(
        draw(st.lists(st.sampled_from(["a", "b", None]), min_size=rows, max_size=rows)),
        categories=["b", "unused", "a"],
        ordered=draw(st.booleans()),
    )
    frame["text"] = pd.array(draw(st.lists(st.text(max_size=2) | st.none(), min_size=rows, max_size=rows)), "str")
    for name, (dtypes, elements) in NULLABLE.items():
        drawn = draw(st.lists(elements | st.none(), min_size=rows, max_size=rows))
        frame[name] = pd.array(drawn, draw(st.sampled_from(dtypes)))
    frame["interval"] = pd.arrays.IntervalArray.from_arrays(ends, ends + 1, closed="left")
    frame["period"] = pd.period_range("2020", periods=rows, freq="M")
    frame["lists"] = pd.Series([[place, None] for place in range(rows)], dtype=object, index=frame.index)
    if draw(st.booleans()):
        frame = frame.set_index(["category", "zone"])
    if draw(st.booleans()):
        frame.columns = pd.MultiIndex.from_tuples([(place % 2, name) for place, name in enumerate(frame.columns)])
    elif draw(st.booleans()):
        names = draw(st.lists(labels, min_size=frame.shape[1], max_size=frame.shape[1]))
        frame.columns = pd.Index(names, dtype=object, tupleize_cols=False)
    elif draw(st.booleans()):
        frame.columns = ["twice", "once", *["twice"] * (frame.shape[1] - 2)][: frame.shape[1]]
    frame.index.names = [draw(labels) for _ in range(frame.index.nlevels)]
    frame.attrs = draw(st.dictionaries(st.text(max_size=2), st.tuples(st.integers()), max_size=2))
    return frame


@given(frames())
@settings(deadline=None, max_examples=60)
def test_frames_come_back_as_arrow(frame):
    form, found = comes_back(frame)
    assert form == "pandas"
    assert type(found.index) is type(frame.index)
    assert list(map(repr, found.columns)) == list(map(repr, frame.columns))
    if len(frame.columns) and len(frame):
        found.iloc[0, 0] = found.iloc[-1, 0]


INDEXES = [
    pd.RangeIndex(2, 9, 3, name="r"),
    pd.date_range("2020", periods=3, freq="MS", tz="Europe/Berlin"),
    pd.date_range("2020", periods=3, freq="3h").as_unit("s"),
    pd.timedelta_range("1s", periods=3, freq="2s"),
    pd.period_range("2020", periods=3, freq="Q"),
    pd.interval_range(0, 3, name="i"),
    pd.CategoricalIndex(["a", "b"], categories=["b", "a", "c"], ordered=True),
    pd.MultiIndex.from_product([["a", None], [1, 2]], names=["l", None]),
    pd.Index([1, "a", None, (1, 2)], dtype=object, tupleize_cols=False),
    pd.Index(["a", None], dtype="string"),
    pd.Index([1, None], dtype="Int64"),
]


@pytest.mark.parametrize("index", INDEXES, ids=range(len(INDEXES)))
def test_an_index_comes_back_as_what_it_is(index):
    form, found = comes_back(index)
    assert form == "pandas"
    assert getattr(found, "freq", None) == getattr(index, "freq", None)
    form, frame = comes_back(pd.DataFrame(index=index))
    assert form == "pandas"
    assert type(frame.index) is type(index)


class OldZone(tzinfo):
    """A zone as older libraries make them."""

    def utcoffset(self, _when):
        return timedelta(hours=2)

    def dst(self, _when):
        return timedelta(0)

    def tzname(self, _when):
        return "old"

    def __eq__(self, other):
        return isinstance(other, OldZone)

    def __repr__(self):
        return "OldZone()"

    __hash__ = object.__hash__


ONLY_PICKLES = [
    ("sparse", pd.Series(pd.arrays.SparseArray([0, 1]))),
    ("half a pair", pd.Series(["\ud800"], dtype=object)),
    ("masked", np.ma.array([1, 2], mask=[True, False])),
    ("a function", len),
    ("no duplicate labels", pd.DataFrame({"a": [1]}).set_flags(allows_duplicate_labels=False)),
    ("old zone", pd.DataFrame({"t": pd.date_range("2020", periods=2, tz=OldZone())})),
]


@pytest.mark.parametrize("value", [value for _, value in ONLY_PICKLES], ids=[name for name, _ in ONLY_PICKLES])
def test_what_nothing_else_holds_is_pickled_and_not_read_unasked(value):
    form, _ = comes_back(value, trusted=True)
    assert form == "pickle"
    encoded, data = in_memory({"f": value})
    assert encoded.format == "json"
    with pytest.raises(Unreadable, match="allow_pickle=True"):
        decode(encoded.format, data)


def test_two_halves_of_a_character_dont_become_one():
    assert comes_back("\ud800\udc00", trusted=True)[0] == "pickle"
    assert comes_back(["\ud800", "\udc00"])[0] == "json"


class Told:
    """Can be pickled, but not unpickled."""

    def __init__(self, what, why):
        self.text = f"{what}: {why}"

    def __reduce__(self):
        return Told, (self.text,)


UNSTORABLE = [
    threading.Lock(),
    {"lock": threading.Lock()},
    (n for n in [1]),
    Told("a", "b"),
    [Told("a", "b")],
]


@pytest.mark.parametrize("value", UNSTORABLE, ids=range(len(UNSTORABLE)))
def test_what_cant_be_kept_says_why(value):
    with pytest.raises(Unstorable, match=f"A {type(value).__qualname__} can't be kept: it can't be pickled"):
        in_memory(value)


def test_a_circle_is_pickled():
    circle = [1]
    circle.append(circle)
    encoded, data = in_memory(circle)
    assert encoded.format == "pickle"
    assert equal(decode(encoded.format, data, allow_pickle=True), circle)


def test_a_damaged_pickle_is_never_unpickled():
    data = in_memory(len)[1]
    with pytest.raises(Damaged, match="aren't those that were written"):
        decode("pickle", data[:-2] + b"x.", allow_pickle=True)


def test_a_value_that_changes_meanwhile_is_found():
    value = np.zeros(10)
    digest = describe(value).digest
    value[0] = 1

    def sink(write):
        import io  # noqa: PLC0415 - one line

        file = io.BytesIO()
        write(file)
        return file.getvalue()

    with pytest.raises(Unstorable, match="changed while it was being written"):
        codec.encode(value, digest, sink, keep=None)


@dataclass
class Prepared:
    """Has as many attributes as fields, and other ones."""

    x: int
    unit: str = field(init=False, default="km")

    def __post_init__(self):
        self.double = 2 * self.x


class Slotted:
    __slots__ = ("__held",)

    def hold(self, value):
        self.__held = value
        return self

    def held(self):
        return self.__held


@dataclass(slots=True)
class SlottedPoint(Slotted):
    x: int


@dataclass
class Refusal(Exception):  # noqa: N818 - a record that isn't made as one
    code: int


@dataclass
class Measured(complex):
    unit: str = "km"


BESIDE_FIELDS = {
    "set after init": (Prepared(3), lambda found: (found.unit, found.double), ("km", 6)),
    "in a slot": (SlottedPoint(1).hold([2]), Slotted.held, [2]),
    "of an exception": (Refusal(404), lambda found: (found.args, found.code), ((404,), 404)),
    "of a number": (Measured(), lambda found: (found + 1, found.unit), (1, "km")),
}


@pytest.mark.parametrize(("value", "look", "expected"), BESIDE_FIELDS.values(), ids=BESIDE_FIELDS)
def test_what_a_record_holds_beside_its_fields_comes_back(value, look, expected):
    _, found = comes_back(value, trusted=True)
    assert look(found) == expected


def test_what_a_record_holds_beside_its_fields_has_a_digest_of_its_own():
    a, b = Prepared(3), Prepared(3)
    b.double = 7
    assert equal(a, b)  # by its fields, as Python says
    assert describe(a).digest != describe(b).digest
    assert describe(a).digest == describe(Prepared(3)).digest


@pytest.fixture
def here(monkeypatch):
    """A module of the session, whose classes are made anew as those of cells are."""
    module = SimpleNamespace()
    monkeypatch.setitem(sys.modules, "cell_module", module)

    def define(kind):
        kind.__module__, kind.__qualname__ = "cell_module", kind.__name__
        setattr(module, kind.__name__, kind)
        return kind

    define.module = module
    return define


def test_a_record_comes_back_as_an_instance_of_the_sessions_class(here):
    old = here(make_dataclass("Row", ["x", "f"]))
    encoded, data = in_memory([old(1, pd.Series([1]))])
    assert encoded.format == "json"
    new = here(make_dataclass("Row", ["x", "f"]))
    (found,) = decode("json", data)
    assert type(found) is new
    assert (found.x, found.f[0]) == (1, 1)
    here(make_dataclass("Row", ["x"]))
    with pytest.raises(Unreadable, match="Row has changed: the value was kept with the fields x, f, and the class now"):
        decode("json", data)
    del here.module.Row
    with pytest.raises(Unreadable, match="a class that isn't there: import cell_module"):
        decode("json", data)


def test_an_enum_member_that_has_changed_says_so(here):
    here(enum.Enum("Level", {"LOW": 1}))
    data = in_memory({"level": here.module.Level.LOW})[1]
    assert decode("json", data) == {"level": here.module.Level.LOW}
    here(enum.Enum("Level", {"LOW": 2}))
    with pytest.raises(Unreadable, match="Level has no member 'LOW' with the value 1 any more"):
        decode("json", data)


def test_several_flags_that_have_changed_say_so(here):
    here(enum.Flag("Mode", {"READ": 1, "WRITE": 2}))
    mode = here.module.Mode
    for value in (mode.READ | mode.WRITE, mode(0)):
        encoded, data = in_memory([value])
        assert encoded.format == "json"
        assert decode("json", data) == [value]
    data = in_memory(mode.READ | mode.WRITE)[1]
    here(enum.Flag("Mode", {"READ": 1, "WRITE": 4}))
    with pytest.raises(Unreadable, match="Mode has no members READ, WRITE that make 3 any more"):
        decode("json", data)
    here(enum.Flag("Mode", {"READ": 1}))
    with pytest.raises(Unreadable, match="Mode has no members READ, WRITE that make 3 any more"):
        decode("json", data)


def test_a_class_made_in_a_function_is_pickled_whole():
    @dataclass
    class Local:
        x: int

    encoded, data = in_memory(Local(1))
    assert encoded.format == "pickle"
    assert decode(encoded.format, data, allow_pickle=True).x == 1


def test_a_frame_in_a_container_isnt_pickled_with_its_neighbours():
    frame = pd.DataFrame({"a": [1, 2]})
    encoded, data = in_memory({"model": len, "frame": frame, "again": frame})
    assert encoded.format == "json"
    assert [part.format for part in codec.parts_of(data)] == ["pandas", "pickle"]
    found = decode("json", data, allow_pickle=True)
    assert found["frame"] is found["again"]
    assert found["model"] is len


@pytest.mark.parametrize(
    "labels", [["a", "a"], ["a", "b", "a"], [None, None], [1, 1.0], [("a", 1), ("a", 1)]], ids=repr
)
@pytest.mark.parametrize("rows", [0, 3])
def test_columns_of_one_name_come_back_each_as_it_was(labels, rows):
    columns = [pd.Series([place] * rows, dtype=dtype) for place, dtype in enumerate(["int8", "str", "float64"])]
    frame = pd.concat(columns[: len(labels)], axis=1)
    frame.columns = pd.Index(labels, dtype=object, tupleize_cols=False)
    for value in (frame, frame.set_axis(pd.MultiIndex.from_tuples([(one, 1) for one in labels]), axis=1)):
        form, found = comes_back(value)
        assert form == "pandas"
        assert list(map(repr, found.columns)) == list(map(repr, value.columns))
        assert list(found.dtypes) == list(value.dtypes)


NOTES = st.dictionaries(st.text("kv", min_size=1, max_size=2), st.text(max_size=2), min_size=1, max_size=2)
METADATA = st.none() | NOTES
PAIRS = st.dictionaries(st.text(max_size=1), st.integers(-9, 9), max_size=2).map(lambda items: list(items.items()))
FIELDS = st.fixed_dictionaries({"x": st.floats(), "y": st.text(max_size=1)})
MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2030, 1, 1))  # noqa: DTZ001 - the zone is the column's
ARROW_TYPES = [  # with what stands in a column of it
    (pa.int8(), st.integers(-128, 127)),
    (pa.uint64(), st.integers(0, 2**64 - 1)),
    (pa.float32(), st.floats(width=32)),
    (pa.bool_(), st.booleans()),
    (pa.string(), st.text(max_size=3)),
    (pa.large_string(), st.text(max_size=3)),
    (pa.string_view(), st.text(max_size=3)),
    (pa.binary(), st.binary(max_size=3)),
    (pa.decimal128(9, 2), st.decimals(-1000, 1000, places=2)),
    (pa.date32(), st.dates()),
    (pa.time64("us"), st.times()),
    (pa.timestamp("us", "Europe/Berlin"), MOMENTS),
    (pa.duration("ms"), st.integers(-(10**9), 10**9)),
    (pa.list_(pa.int64()), st.lists(st.integers(-9, 9) | st.none(), max_size=2)),
    (pa.struct({"x": pa.float64(), "y": pa.string()}), FIELDS),
    (pa.map_(pa.string(), pa.int64()), PAIRS),
    (pa.dictionary(pa.int8(), pa.string()), st.sampled_from(["a", "b"])),
]


@st.composite
def arrow_tables(draw):
    rows = draw(st.integers(0, 4))
    fields, columns = [], []
    for place, (kind, elements) in enumerate(draw(st.lists(st.sampled_from(ARROW_TYPES), max_size=4))):
        drawn = draw(st.lists(elements | st.none(), min_size=rows, max_size=rows))
        columns.append(pa.array(drawn, kind))
        fields.append(pa.field(draw(st.sampled_from(["a", "b", f"c{place}"])), kind, metadata=draw(METADATA)))
    table = pa.Table.from_arrays(columns, schema=pa.schema(fields, metadata=draw(METADATA)))
    table = pa.concat_tables([table, table]) if draw(st.booleans()) else table  # of several chunks
    return table.slice(draw(st.integers(0, rows)))


@given(arrow_tables())
@settings(deadline=None)
def test_arrow_tables_come_back_as_they_are(table):
    form, found = comes_back(table)
    assert form == "pyarrow"
    assert found.schema.equals(table.schema, check_metadata=True)
    for value in (*table.columns, *table.to_batches()):
        assert comes_back(value)[0] == "pyarrow"


ARROW = [pa.table({"a": [1, None]}, metadata={"k": "v"}), pa.table({}), pa.array(["a", None]), pa.scalar(1.5)]


@pytest.mark.parametrize("value", ARROW, ids=range(len(ARROW)))
def test_arrow_comes_back_as_arrow(value):
    assert comes_back(value)[0] == "pyarrow"


def test_polars_comes_back_as_polars():
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame({"a": [1, None], "s": ["x", "y"], "e": pl.Series(["u", "v"], dtype=pl.Enum(["u", "v"]))})
    assert comes_back(frame)[0] == "polars"
    assert comes_back(frame["a"])[0] == "polars"


def test_any_frame_of_polars_comes_back_as_polars():
    pl = pytest.importorskip("polars")
    parametric = pytest.importorskip("polars.testing.parametric")

    @given(parametric.dataframes(max_cols=4, max_size=4, excluded_dtypes=[pl.Object]))
    @settings(deadline=None, max_examples=60)
    def check(frame):
        form, found = comes_back(frame)
        assert form == "polars"
        assert found.schema == frame.schema
        for series in frame.get_columns():
            assert comes_back(series)[0] == "polars"

    check()


@pytest.mark.parametrize("name", ["Int128", "UInt128"])
def test_polars_numbers_that_arrow_doesnt_know_come_back(name):
    pl = pytest.importorskip("polars")
    kind = getattr(pl, name)
    frame = pl.DataFrame({"a": [1, 2**100, None], "l": [[1], [], None]}, {"a": kind, "l": pl.List(kind)})
    assert comes_back(frame)[0] == "polars"
    assert not equal(frame, frame.head(2).extend(frame.head(1)))

"""The contract that every adapter keeps, on values of each: one table, one suite."""

from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, Flag, IntEnum
from fractions import Fraction
from pathlib import Path, PurePosixPath
from types import SimpleNamespace
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from cloaca_nb.values import describe, equal, isolate, key
from cloaca_nb.values.codec import Unstorable, decode, in_memory

LISTS = pd.ArrowDtype(pa.list_(pa.int64()))
NAN = float("nan")


@dataclass
class Point:
    x: Any
    y: Any = NAN


@dataclass(frozen=True, slots=True)
class Frozen:
    items: list = field(default_factory=list)


class Pair(NamedTuple):
    left: Any
    right: Any


class Colour(Enum):
    RED = 1
    BLUE = 2


class Level(IntEnum):
    LOW = 1


class Mode(Flag):
    READ = 1
    WRITE = 2


class Model:
    """A class of a user's: neither library nor record."""

    def __init__(self, weights):
        self.weights = weights

    def __eq__(self, other):
        return isinstance(other, Model) and self.weights == other.weights

    __hash__ = None


class Case(NamedTuple):
    name: str
    make: Callable[[], Any]  # an equal value at every call
    others: list[Any]  # values that differ from it, and from each other
    change: Callable[[Any], Any] | None = None  # in place


def frame(**columns):
    return pd.DataFrame({"a": [1, 2], "b": ["x", None]} | columns)


def labelled(unit):
    value = frame()
    value.attrs["unit"] = unit
    return value


PLAIN = [
    Case("None", lambda: None, [0, False, ""]),
    Case("bool", lambda: True, [1, 1.0, False, "True"]),
    Case("int", lambda: 1, [True, 1.0, "1", 2, 10**5000]),
    Case("float", lambda: 1.5, [NAN, float("inf"), Decimal("1.5")]),
    Case("NaN", lambda: float("nan"), [0.0, None, "nan"]),
    Case("complex", lambda: complex(NAN, 1), [complex(1, NAN), complex(NAN, NAN)]),
    Case("str", lambda: "\ud800 ä", ["", "a", b"a"]),
    Case("bytes", lambda: b"ab", [bytearray(b"ab"), "ab"]),
    Case("bytearray", lambda: bytearray(b"ab"), [b"ab", bytearray(b"a")], lambda value: value.append(1)),
    Case("date", lambda: date(2020, 1, 1), [datetime(2020, 1, 1), date(2020, 1, 2)]),  # noqa: DTZ001 - no zone is meant
    Case(
        "datetime",
        lambda: datetime(2020, 1, 1, 12, tzinfo=timezone(timedelta(hours=1))),
        [
            datetime(2020, 1, 1, 11, tzinfo=UTC),
            datetime(2020, 1, 1, 12, tzinfo=ZoneInfo("Europe/Berlin")),
            datetime(2020, 1, 1, 12),  # noqa: DTZ001 - no zone is meant
        ],
    ),
    Case("fold", lambda: time(2, fold=1), [time(2), time(2, 0, 0, 1)]),
    Case("timedelta", lambda: timedelta(1), [timedelta(1, 1)]),
    Case("Decimal", lambda: Decimal("1.0"), [Decimal("1.00"), Decimal(1), Decimal("sNaN"), 1]),
    Case("Fraction", lambda: Fraction(1, 2), [Fraction(1, 3), 0.5]),
    Case("UUID", lambda: UUID(int=1), [UUID(int=2), str(UUID(int=1))]),
    Case("Path", lambda: Path("a/b"), [PurePosixPath("a/b"), "a/b", Path("a")]),
    Case("range", lambda: range(3), [range(4), [0, 1, 2]]),
    Case("slice", lambda: slice(1, None, [2]), [slice(1, None, 2)]),
    Case("Ellipsis", lambda: ..., ["Ellipsis", None]),
    Case("enum", lambda: Colour.RED, [Colour.BLUE, 1, Level.LOW, Mode.READ]),
    Case("flag", lambda: Mode.READ | Mode.WRITE, [Mode.READ, 3]),
    Case("empty list", list, [(), {}, set(), [[]], None], lambda value: value.append(1)),
    Case("list", lambda: [1, NAN, "a", None], [[1, NAN, "a"], [True, NAN, "a", None]], lambda value: value.pop()),
    Case("zeros", lambda: [0.0, "-0.0"], [[0.0, "0.0"], [0, "-0.0"]], lambda value: value.clear()),
    Case("list of texts", lambda: ["a"], [[b"['a']"], [b"a"], [["a"]], "['a']"], lambda value: value.append("b")),
    Case("nested list", lambda: [1, [2, [3]]], [[1, 2, 3], [1, [2, [4]]]], lambda value: value[1][1].append(4)),
    Case("list of ...", lambda: [..., 1], [[1, ...], [...], ["Ellipsis", 1]], lambda value: value.pop()),
    Case("huge numbers", lambda: [10**5000, [1]], [[10**5000 + 1, [1]], [[1], 10**5000]], lambda value: value.pop()),
    Case("dict", lambda: {"a": 1, "b": 2}, [{"b": 2, "a": 1}, {"a": 1}, {"a": 1, "b": True}], lambda v: v.pop("a")),
    Case(
        "nested dict", lambda: {"a": {"b": [1]}}, [{"a": {"b": [2]}}, {"a": {}}], lambda value: value["a"]["b"].clear()
    ),
    Case("dict with any keys", lambda: {(1, 2): [1], 3: 4}, [{(1, 2): [1], True: 4}], lambda value: value.clear()),
    Case("tuple", lambda: (1, [2]), [(1, [3]), [1, [2]], (1, (2,))], lambda value: value[1].append(3)),
    Case("set", lambda: {"a", 1, None, (1, 2)}, [{"a", 1, None}, frozenset({"a"})], lambda value: value.add(9)),
    Case("set of numbers", lambda: {0.0, 1.5}, [{0, 1.5}, {1.5}], lambda value: value.clear()),
    Case("frozenset", lambda: frozenset({"a", "b"}), [frozenset({"a"}), {"a", "b"}]),
    Case("deque", lambda: deque([[1], 2], maxlen=3), [deque([[1], 2])], lambda value: value[0].append(1)),
    Case("OrderedDict", lambda: OrderedDict(a=[1]), [{"a": [1]}], lambda value: value["a"].append(1)),
    Case(
        "defaultdict", lambda: defaultdict(list, a=[1]), [defaultdict(None, a=[1])], lambda value: value["a"].append(1)
    ),
    Case("Counter", lambda: Counter("aab"), [Counter("ab")], lambda value: value.update("c")),
    Case("namespace", lambda: SimpleNamespace(a=[1]), [SimpleNamespace(a=[2])], lambda value: value.a.append(1)),
    Case("dataclass", lambda: Point([1]), [Point([2]), Point([1], 2)], lambda value: value.x.append(1)),
    Case("frozen dataclass", lambda: Frozen([[1]]), [Frozen()], lambda value: value.items[0].append(1)),
    Case("named tuple", lambda: Pair([1], NAN), [Pair([1], 0), ([1], NAN)], lambda value: value.left.append(1)),
    Case("frames in it", lambda: {"f": [frame()]}, [{"f": [frame(a=[1, 3])]}], lambda v: v["f"][0].__setitem__("a", 0)),
]

NUMPY = [
    Case("float64", lambda: np.float64("nan"), [NAN, np.float32("nan"), np.float64(1)]),
    Case("datetime64", lambda: np.datetime64("2020-01-01"), [np.datetime64("2020-01-01", "ns")]),
    Case(
        "array",
        lambda: np.arange(4.0),
        [np.arange(4), np.arange(5.0), np.arange(4.0).reshape(2, 2)],
        lambda v: v.fill(9),
    ),
    Case("NaN array", lambda: np.array([NAN, 0.0, -NAN]), [np.array([NAN, 1.0, NAN])], lambda value: value.fill(9)),
    Case("float16", lambda: np.array([1, NAN], "f2"), [np.array([1, NAN], ">f2")], lambda value: value.fill(9)),
    Case("long double", lambda: np.array([1.1], np.longdouble), [np.array([1.2], np.longdouble)], lambda v: v.fill(9)),
    Case(
        "complex array", lambda: np.array([complex(NAN, 1)]), [np.array([complex(1, NAN)])], lambda value: value.fill(9)
    ),
    Case("times", lambda: np.array(["2020", "NaT"], "M8[s]"), [np.array(["2020", "NaT"], "M8[ms]")]),
    Case("fixed text", lambda: np.array(["a", "bc"]), [np.array(["a", "bd"]), np.array([b"a", b"bc"])]),
    Case("any text", lambda: np.array(["a", "bc"], np.dtypes.StringDType()), [np.array(["a", "bc"])]),
    Case("scalar array", lambda: np.array(3.0), [np.array([3.0]), np.float64(3)], lambda value: value.fill(9)),
    Case("no elements", lambda: np.zeros((0, 3)), [np.zeros((3, 0)), np.zeros(0)]),
    Case(
        "records",
        lambda: np.array([(1, NAN), (2, 0.5)], [("a", "i4"), ("b", "f8")]),
        [np.array([(1, NAN), (2, 0.6)], [("a", "i4"), ("b", "f8")])],
        lambda value: value["a"].fill(9),
    ),
    Case(
        "objects", lambda: np.array([{"a": [1]}, None]), [np.array([{"a": [2]}, None])], lambda v: v[0]["a"].append(2)
    ),
    Case(
        "objects in records",
        lambda: np.array([({"a": 1}, 2)], [("o", "O"), ("n", "i4")]),
        [np.array([({"a": 2}, 2)], [("o", "O"), ("n", "i4")])],
        lambda value: value["o"][0].clear(),
    ),
    Case(
        "masked array",
        lambda: np.ma.array([1.0, 2.0], mask=[False, True]),
        [np.ma.array([1.0, 2.0]), np.array([1.0, 2.0])],
        lambda value: value.__setitem__(1, 5),
    ),
]

PANDAS = [
    Case(
        "frame",
        frame,
        [
            frame(a=[1.0, 2.0]),
            frame(a=[1, 3]),
            frame()[["b", "a"]],
            frame().set_index("a"),
            frame().rename(columns={"a": "c"}),
            frame().astype({"b": "object"}),
            frame().astype({"b": "category"}),
            frame().rename_axis("n"),
            frame(c=1),
            frame().iloc[:1],
        ],
        lambda value: value.__setitem__("a", 0),
    ),
    Case("one cell", frame, [frame(a=[9, 2])], lambda value: value.iloc.__setitem__((0, 0), 9)),
    Case("name of the index", frame, [frame().rename_axis("n")], lambda value: setattr(value.index, "name", "n")),
    Case("no rows", lambda: frame().iloc[:0], [pd.DataFrame(), frame(a=[1.0, 2.0]).iloc[:0]]),
    Case("lists", lambda: frame(c=[[1], {"a": 1}]), [frame(c=[[2], {"a": 1}])], lambda v: v.loc[0, "c"].append(5)),
    Case("one name twice", lambda: pd.DataFrame([[1, [2]]], columns=["a", "a"]), [], lambda v: v.iloc[0, 1].pop()),
    Case("attrs", lambda: labelled([1]), [frame(), labelled([2])], lambda value: value.attrs["unit"].append(1)),
    Case(
        "mixed objects",
        lambda: frame(c=pd.Series(["x", None], dtype=object)),
        [frame(c=pd.Series(["x", NAN], dtype=object)), frame(c=pd.Series([None, "x"], dtype=object))],
    ),
    Case("half a pair", lambda: pd.Series(["\ud800"], dtype=object), [pd.Series(["\ud801"], dtype=object)]),
    Case("missing numbers", lambda: pd.array([1, None], "Int64"), [pd.array([1, 0], "Int64"), pd.array([1, 0])[:1]]),
    Case("missing floats", lambda: pd.array([1, None], "Float64"), [pd.array([1, 0], "Float64")]),
    Case("missing booleans", lambda: pd.array([True, None]), [pd.array([True, False])]),
    Case("text", lambda: pd.Series(["a", None]), [pd.Series(["a", None], dtype="string"), pd.Series(["a", "b"])]),
    Case(
        "categories",
        lambda: pd.Series(["a", "b"], dtype=pd.CategoricalDtype(["a", "b"])),
        [
            pd.Series(["a", "b"], dtype=pd.CategoricalDtype(["b", "a"])),
            pd.Series(["a", "b"], dtype=pd.CategoricalDtype(["a", "b"], ordered=True)),
            pd.Series(["a", "b"]),
        ],
        lambda value: value.iloc.__setitem__(0, "b"),
    ),
    Case(
        "zones",
        lambda: pd.Series(pd.date_range("2020", periods=2, tz="UTC")),
        [pd.Series(pd.date_range("2020", periods=2)), pd.Series(pd.date_range("2020", periods=2, tz="Europe/Berlin"))],
    ),
    Case(
        "periods", lambda: pd.Series(pd.period_range("2020", periods=2, freq="M")), [pd.Series(["2020-01", "2020-02"])]
    ),
    Case(
        "intervals", lambda: pd.interval_range(0, 2), [pd.interval_range(0, 2, closed="left"), pd.interval_range(1, 3)]
    ),
    Case("sparse", lambda: pd.Series(pd.arrays.SparseArray([0, 1])), [pd.Series([0, 1])]),
    Case("Arrow column", lambda: pd.Series([[1], None], dtype=LISTS), [pd.Series([[2], None], dtype=LISTS)]),
    Case("series", lambda: pd.Series([1, 2], name="a"), [pd.Series([1, 2])], lambda value: value.__setitem__(0, 9)),
    Case("series of lists", lambda: pd.Series([[1], [2]]), [pd.Series([[1], [3]])], lambda value: value[0].append(5)),
    Case("index", lambda: pd.Index([1, 2], name="i"), [pd.Index([1, 2]), pd.Index([1.0, 2.0], name="i")]),
    Case("levels", lambda: pd.MultiIndex.from_tuples([(1, "a")]), [pd.MultiIndex.from_tuples([(1, "b")])]),
    Case(
        "Timestamp", lambda: pd.Timestamp("2020", tz="UTC"), [pd.Timestamp("2020"), pd.Timestamp("2020").as_unit("s")]
    ),
    Case("Timedelta", lambda: pd.Timedelta("1s"), [pd.Timedelta("2s"), timedelta(seconds=1)]),
    Case("Period", lambda: pd.Period("2020-01"), [pd.Period("2020-01-01"), "2020-01"]),
    Case("Interval", lambda: pd.Interval(0, 1), [pd.Interval(0, 1, closed="both"), pd.Interval(0, 1.0)]),
    Case("missing", lambda: pd.NA, [pd.NaT, None, NAN]),
]


def table(**columns):
    return pa.table({"a": [1, None], "f": [NAN, 1.0]} | columns)


ARROW = [
    Case(
        "table",
        table,
        [
            table(a=[1, 2]),
            table(f=[None, 1.0]),
            table().select(["f", "a"]),
            table().replace_schema_metadata({"k": "v"}),
            table(a=pa.array([1, None], pa.int32())),
            table()[:1],
        ],
    ),
    *(
        Case(
            str(kind),
            lambda kind=kind, values=values: pa.chunked_array([pa.array(values, kind)]),
            [pa.chunked_array([pa.array(values[::-1], kind)])],
        )
        for kind, values in (
            (pa.bool_(), [True, None, False]),
            (pa.float16(), [NAN, None, 1.0]),
            (pa.decimal128(5, 2), [Decimal("1.10"), None, Decimal(2)]),
            (pa.string(), ["a", None, "bc"]),
            (pa.large_binary(), [b"a", None, b"bc"]),
            (pa.string_view(), ["a", None, "bc"]),
            (pa.binary(2), [b"ab", None, b"cd"]),
            (pa.timestamp("s", "UTC"), [0, None, 1]),
            (pa.list_(pa.float64()), [[NAN, None], None, []]),
            (pa.list_(pa.int64(), 2), [[1, 2], None, [3, 4]]),
            (pa.struct({"x": pa.float64()}), [{"x": NAN}, None, {"x": None}]),
            (pa.map_(pa.string(), pa.int64()), [[("a", 1)], None, []]),
            (pa.dictionary(pa.int8(), pa.string()), ["a", None, "b"]),
            (pa.uuid(), [bytes(16), None, b"a" * 16]),
        )
    ),
    Case("nulls", lambda: pa.nulls(2), [pa.nulls(3), pa.array([None, None], pa.int64())]),
    Case("batch", lambda: table().to_batches()[0], [table(), table().to_batches()[0][:1]]),
    Case("scalar", lambda: pa.scalar(1.5), [pa.scalar(1), pa.scalar(2.5), 1.5]),
]

OTHERS = [
    Case("object", lambda: Model([1, 2]), [Model([1]), [1, 2]], lambda value: value.weights.append(3)),
    Case("function", lambda: len, [max, int]),
    Case("class", lambda: Model, [Point, "Model"]),
]

COMPARED_BY_THEMSELVES = {"object", "function", "class", "defaultdict"}  # each has a part that only `__eq__` compares


def polars_cases():
    pl = pytest.importorskip("polars")
    return [
        Case(
            "polars frame",
            lambda: pl.DataFrame({"a": [1, None], "s": ["x", "y"], "f": [NAN, 1.0]}),
            [pl.DataFrame({"a": [1, None]}), pl.DataFrame({"a": [1.0, None], "s": ["x", "y"], "f": [NAN, 1.0]})],
            lambda value: value.__setitem__((0, "a"), 9),
        ),
        Case("polars series", lambda: pl.Series("a", [1, 2]), [pl.Series("b", [1, 2]), pl.Series("a", [1, 3])]),
        Case("polars categories", lambda: pl.Series(["a"], dtype=pl.Categorical), [pl.Series(["a"])]),
        Case("polars objects", lambda: pl.Series([Level.LOW], dtype=pl.Object), [pl.Series([1])]),
    ]


CASES = [*PLAIN, *NUMPY, *PANDAS, *ARROW, *OTHERS]
for_every_case = pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])


def check_copy(case):
    value = case.make()
    copy = isolate(value)
    assert type(copy) is type(value)
    assert equal(copy, value)
    if case.change is not None:
        case.change(copy)
        assert equal(value, case.make()), "the original has changed with its copy"
        assert not equal(copy, value)


def check_equality(case):
    a, b = case.make(), case.make()
    assert equal(a, b)
    assert equal(b, a)
    for other in case.others:
        assert equal(a, other) is False
        assert equal(other, a) is False


def check_digest(case):
    a, b = describe(case.make()), describe(case.make())
    assert a == b
    digests = [a.digest, *(describe(other).digest for other in case.others)]
    assert len(set(digests)) == len(digests)
    assert all(len(digest) == 32 for digest in digests)


def check_key(case):
    a, b = key(case.make()), key(case.make())
    assert a == b
    assert (a is None) == (case.name in COMPARED_BY_THEMSELVES)
    assert not [other for other in case.others if a is not None and key(other) == a]


def check_preview(case):
    for value in (case.make(), [case.make()], *case.others):
        preview = describe(value).preview
        assert 0 < len(preview) <= 200
        assert "\n" not in preview
        assert "can't be pickled" not in preview


CHECKS = [check_copy, check_equality, check_digest, check_key, check_preview]


@for_every_case
@pytest.mark.parametrize("check", CHECKS)
def test_the_contract(check, case):
    check(case)


@pytest.mark.parametrize("check", CHECKS)
def test_the_contract_for_polars(check):
    for case in polars_cases():
        check(case)


# -- what history gives back

CONTAINERS = {"itself": lambda value: value, "held": lambda value: {"key": [value, 1], "again": (value,)}}


def check_way_back(value):
    encoded, data = in_memory(value)
    found = decode(encoded.format, data, allow_pickle=True)
    assert type(found) is type(value)
    assert equal(found, value)
    assert describe(found).digest == describe(value).digest
    assert encoded.note == ""


@pytest.mark.parametrize("held", CONTAINERS)
@for_every_case
def test_every_value_comes_back_from_history(case, held):
    check_way_back(CONTAINERS[held](case.make()))


@pytest.mark.parametrize("held", CONTAINERS)
def test_polars_comes_back_from_history(held):
    for case in polars_cases():
        value = CONTAINERS[held](case.make())
        if case.name == "polars objects":  # polars itself refuses to give these away
            with pytest.raises(Unstorable, match="type Object is not supported"):
                in_memory(value)
        else:
            check_way_back(value)

"""Whether a task has changed its copy of a value: told for each kind, never where it only read."""

import random
import threading
from collections import OrderedDict, defaultdict, deque
from dataclasses import dataclass, field
from functools import cached_property
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, strategies as st

from cloaca_nb.values import isolate, lost
from cloaca_nb.values.alterations import altered

DICE = random.Random(1)  # noqa: S311 - no secret


class Model:
    def __init__(self):
        self.weights = np.zeros(3)
        self.many = np.zeros(300_000)
        self.fitted = False
        self._cache = {}
        self.lock_free = [1, {"a": {2}}]

    @cached_property
    def size(self):
        return len(self.weights)

    def predict(self):
        self._cache["last"] = 1
        return self.size

    def fit(self):
        self.fitted = True

    __eq__ = None  # asking it would raise
    __hash__ = object.__hash__


class Lazy:
    """Loads its data when they are asked for; and knows its size by then."""

    def __init__(self):
        self.path = "rows.csv"
        self._data = None

    @property
    def data(self):
        if self._data is None:
            self._data = [1, 2, 3]
            self._size = 3
        return self._data


class Circle:
    def __init__(self):
        self.me, self.items, self.kept = self, [self], {self}


class Slots:
    __slots__ = ("items",)

    def __init__(self):
        self.items = [1]


class Named(NamedTuple):
    items: list
    n: int


class Rows(list):
    pass


@dataclass(frozen=True)
class Record:
    items: list = field(default_factory=lambda: [1])


def frame():
    return pd.DataFrame(
        {
            "a": range(5),
            "b": np.array([1.0, np.nan, 3.0, 4.0, 5.0]),
            "c": range(5),
            "s": list("abcde"),
            "t": pd.date_range("2020", periods=5, tz="UTC"),
            "o": [[1], {2}, None, 3, "x"],
            "k": pd.Categorical(list("aabbc")),
            "i": pd.array([1, 2, None, 4, 5], dtype="Int64"),
        }
    )


def loaded():
    lazy = Lazy()
    lazy.data  # noqa: B018 - that loads them
    return lazy


CHANGES = [
    # what, a value, how it is changed in place
    ("a list", [1, [2]], lambda own: own[1].append(3)),
    ("an item that was equal", [1.5, "a"], lambda own: own.__setitem__(0, 2.5)),
    ("a number for NaN", [float("nan")], lambda own: own.__setitem__(0, 1.0)),
    ("shuffled", list(range(20)), DICE.shuffle),
    ("rows", [{"a": 1}, {"a": 2}], lambda own: own[1].update(a=3)),
    ("rows that grow", [[1], [2]], lambda own: own[1].append(3)),
    ("rows, one replaced", [{"a": 1}, {"a": 2}], lambda own: own.__setitem__(0, None)),
    ("a dict", {"a": {"b": 1}}, lambda own: own["a"].clear()),
    ("another key", {"a": 1}, lambda own: own.__setitem__("b", own.pop("a"))),
    ("keys that are copied", {(1, "x"): [1]}, lambda own: own[1, "x"].append(2)),
    ("a defaultdict", defaultdict(list, a=[1]), lambda own: own["a"].append(2)),
    ("an ordered dict", OrderedDict(a=[1]), lambda own: own["a"].append(2)),
    ("a set", {1, 2}, lambda own: own.add(3)),
    ("a deque", deque([1]), lambda own: own.appendleft(0)),
    ("bytes", bytearray(b"ab"), lambda own: own.reverse()),
    ("in a tuple", (1, [2]), lambda own: own[1].append(3)),
    ("a namespace", SimpleNamespace(items=[1]), lambda own: own.items.append(2)),
    ("a named tuple", Named([1], 2), lambda own: own.items.append(2)),
    ("a dataclass", Record(), lambda own: own.items.append(2)),
    ("a subclass of list", Rows([1]), lambda own: own.append(2)),
    ("slots", Slots(), lambda own: own.items.append(2)),
    ("an object", Model(), Model.fit),
    ("beside what it loads", Lazy(), lambda own: own.data and setattr(own, "path", "x")),
    ("what it had loaded", loaded(), lambda own: own.data.append(4)),
    ("what it had loaded goes", loaded(), lambda own: setattr(own, "_data", None)),
    ("an object's array", Model(), lambda own: own.weights.__setitem__(0, 1)),
    ("deep in an object", Model(), lambda own: own.lock_free[1]["a"].add(3)),
    ("a circle", Circle(), lambda own: own.items.append(1)),
    ("one item in two places", [[1], [1]], lambda own: own.__setitem__(1, own[0]) or own[0].append(2)),
    ("a random generator", DICE, lambda own: own.random()),
    ("an array", np.arange(5.0), lambda own: own.__setitem__(0, 9)),
    ("an array of NaN", np.array([np.nan, 1.0]), lambda own: own.__setitem__(0, 9)),
    ("its shape", np.zeros((2, 3)), lambda own: setattr(own, "shape", (3, 2))),
    ("every second element", np.arange(10)[::2], lambda own: own.__setitem__(0, 9)),
    ("complex numbers", np.zeros(3, complex), lambda own: own.__setitem__(0, 1j)),
    ("times", np.array(["2020", "NaT"], "datetime64[D]"), lambda own: own.__setitem__(1, "2021")),
    ("an array of objects", np.array([[1], 2], object), lambda own: own[0].append(9)),
    ("a mask", np.ma.array([1, 2, 3], mask=[0, 1, 0]), lambda own: own.__setitem__(0, np.ma.masked)),
    ("a structured array", np.zeros(3, [("a", "f8"), ("b", "i4")]), lambda own: own["a"].__setitem__(0, 9)),
    ("a new column", frame(), lambda own: own.__setitem__("z", 1)),
    ("a cell", frame(), lambda own: own.loc.__setitem__((0, "a"), 99)),
    ("a text", frame(), lambda own: own.loc.__setitem__((0, "s"), "z")),
    ("a missing number", frame(), lambda own: own.loc.__setitem__((0, "i"), None)),
    ("a category", frame(), lambda own: own.loc.__setitem__((0, "k"), "c")),
    ("a time", frame(), lambda own: own.loc.__setitem__((0, "t"), pd.Timestamp(0, tz="UTC"))),
    ("a list in a frame", frame(), lambda own: own["o"][0].append(4)),
    ("a column less", frame(), lambda own: own.pop("a")),
    ("columns' names", frame(), lambda own: setattr(own, "columns", list("abcdefgh"))),
    ("the index's name", frame(), lambda own: setattr(own.index, "name", "row")),
    ("the index", frame(), lambda own: setattr(own, "index", range(1, 6))),
    ("attrs", frame(), lambda own: own.attrs.update(source="x")),
    ("a series", pd.Series([1, 2]), lambda own: own.__setitem__(0, 9)),
    ("its name", pd.Series([1, 2]), lambda own: setattr(own, "name", "x")),
    ("an index", pd.Index([1, 2]), lambda own: setattr(own, "name", "x")),
    ("an array of pandas", pd.array([1, None], dtype="Int64"), lambda own: own.__setitem__(0, 9)),
    ("a frame in a dict", {"frame": frame()}, lambda own: own["frame"].__setitem__("z", 1)),
    ("a polars frame", pl.DataFrame({"a": [1, 2]}), lambda own: own.insert_column(1, pl.Series("b", [1, 2]))),
    ("a polars cell", pl.DataFrame({"a": [1, 2]}), lambda own: own.__setitem__((0, "a"), 5)),
]  # fmt: skip


@pytest.mark.parametrize(("value", "change"), [one[1:] for one in CHANGES], ids=[one[0] for one in CHANGES])
def test_a_change_in_place_is_found_and_a_copy_as_it_was_is_not(value, change):
    own = isolate(value)
    assert not altered(value, own)
    change(own)
    assert altered(value, own)


def read_frame(own):
    own.describe()
    own.to_dict()
    own.query("a > 1")
    own.groupby("k", observed=True)["a"].mean()
    own.select_dtypes("number").to_numpy()
    return own.sort_values("b").dropna(), own.T, own.sum(numeric_only=True)


READINGS = [
    # what, a value, how it is read
    ("a frame, also where pandas moves its blocks", frame(), read_frame),
    ("a series", pd.Series([1.0, np.nan]), lambda own: (own.sort_values(), own.to_numpy(), own.sum())),
    ("an object that keeps what it has worked out", Model(), Model.predict),
    ("an object that loads when it is asked", Lazy(), lambda own: own.data),
    ("such objects in a list", [Lazy(), 1], lambda own: own[0].data),
    ("a large array", np.zeros(300_000), np.sort),
    ("an array", np.zeros(30), lambda own: (np.sort(own), own.sum())),
    ("an Arrow table", pa.table({"a": [1]}), lambda own: own.to_pylist()),
    ("a polars frame", pl.DataFrame({"a": [1, None]}), lambda own: own.sort("a")),
    ("what can't be copied", {"lock": threading.Lock(), "items": iter([1, 2])}, lambda own: next(own["items"])),
    ("a generator of numpy's, which is left out", np.random.default_rng(1), lambda own: own.random()),
    ("NaN", [float("nan"), {"a": float("nan")}], len),
]


@pytest.mark.parametrize(("value", "read"), [one[1:] for one in READINGS], ids=[one[0] for one in READINGS])
def test_who_only_reads_has_changed_nothing(value, read):
    own = isolate(value)
    read(own)
    assert not altered(value, own)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(JSON)
def test_a_copy_of_json_that_nobody_touched_is_as_it_was(value):
    assert not altered(value, isolate(value))


@given(st.lists(JSON, min_size=1), st.data())
def test_every_item_that_is_added_is_found(value, data):
    own = isolate(value)
    lists, waiting = [own], list(own)
    while waiting:
        one = waiting.pop()
        lists += [one] if isinstance(one, list) else []
        waiting += one if isinstance(one, list) else one.values() if isinstance(one, dict) else ()
    data.draw(st.sampled_from(lists)).append("more")
    assert altered(value, own)


class Nasty:
    """Raises for whatever is asked."""

    def __reduce_ex__(self, protocol):
        raise RuntimeError(protocol)

    def __eq__(self, other):
        raise RuntimeError(other)

    __hash__ = None


class Once(Nasty):
    """Can be copied, and then no more."""

    def __init__(self):
        self.copied = []

    def __reduce_ex__(self, protocol):
        if self.copied:
            raise RuntimeError(protocol)
        self.copied.append(1)
        return Once, ()


@pytest.mark.parametrize("kind", [Nasty, Once])
def test_an_object_whose_code_raises_is_left_out(kind):
    value = [kind()]
    own = isolate(value)
    assert not altered(value, own)
    own.append(1)
    assert altered(value, own)


def test_what_was_passed_on_is_not_lost():
    value = [1]
    own = isolate(value)
    own.append(2)
    assert lost(value, own, ())
    assert lost(value, own, [[1, 2], {"a": [1, 2]}])
    for others in ([own], [{"deep": [(own,)]}], [SimpleNamespace(kept=own)]):
        assert not lost(value, own, others)


def test_what_is_passed_on_beside_more_than_anybody_looks_through_is_not_lost():
    value = [1]
    own = isolate(value)
    own.append(2)
    assert lost(value, own, [{"many": [{} for _ in range(500)]}])
    assert not lost(value, own, [{"rows": own, "many": [{} for _ in range(20_000)]}])

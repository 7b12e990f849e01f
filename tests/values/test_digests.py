"""Descriptions: equal everywhere, for any value, and short."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from cloaca_nb.values import Description, describe, equal, key
from cloaca_nb.values.digests import Describer

# Run in processes of their own: strings hash differently there, and the classes of `__main__` are made anew.
SCRIPT = """
import datetime, decimal, pathlib, uuid
import numpy, pandas, pyarrow
from cloaca_nb.values import describe

class Model:
    def __init__(self):
        self.names, self.frame, self.kind = {"a", "b", "c", "d"}, frame, Model

frame = pandas.DataFrame({"s": ["x", "y"], "c": pandas.Categorical(["u", "v"]), "o": [{"p", "q"}, {"r", "s"}]})
values = [
    {"a", "b", "c"}, frozenset({("a", 1), None, "b"}), {"k": {"x", "y", "z"}}, uuid.UUID(int=1), pathlib.Path("a"),
    decimal.Decimal("1.0"), datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc),
    frame, Model(), [Model(), Model],
    numpy.array([{"a", "b"}, "c"], dtype=object), pyarrow.table({"a": ["x", None]}), print, object(),
    numpy.arange(300_000), pandas.DataFrame({"x": numpy.arange(300_000), "t": ["text"] * 300_000}), "x" * 100_000,
    [{"n": number, "x": number / 2, "s": str(number), "l": [None, True]} for number in range(10_000)],
]
print(*(describe(value).digest for value in values))
"""


def digests(seed):
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", SCRIPT]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)  # noqa: S603 - our own
    return ran.stdout.split()


def test_digests_are_the_same_in_every_process():
    first, second = digests("1"), digests("2")
    assert len(first) == 18
    assert first == second


def test_the_description_of_a_dict():
    value = {"name": "ä", "rows": [1, 2.5, None, True], "when": Path("a")}
    kind, digest, size, preview, exact, behind = describe(value)
    assert (kind, len(digest), size > 20, exact, behind) == ("dict", 32, True, True, frozenset())
    assert preview == '{"name":"ä","rows":[1,2.5,null,true],"when":"PosixPath(\'a\')"}'


class Broken:
    def __repr__(self):
        raise RuntimeError("no repr")

    def __reduce_ex__(self, protocol):
        raise RuntimeError("no pickle")


@pytest.mark.parametrize("make", [threading.Lock, Broken, lambda: (row for row in [1])])
def test_what_cant_be_pickled_is_described_all_the_same(make):
    value = make()
    description = describe({"live": value})
    assert isinstance(description, Description)
    assert "can't be pickled (" in description.preview
    assert type(value).__qualname__ in description.preview
    assert " at 0x" not in description.preview
    assert description.digest == describe({"live": make()}).digest
    assert key({"live": value}) is None


LONG = ["x" * 1000, ["y" * 100] * 1000, {f"k{n}": n for n in range(1000)}, b"z" * 1000, {"a": {"b": {"c": {"d": {}}}}}]


@pytest.mark.parametrize("value", [*LONG, tuple(LONG)], ids=range(6))
def test_a_preview_is_short(value):
    assert len(describe(value).preview) <= 200


def test_types_have_the_names_that_users_know():
    values = [1, pd.DataFrame(), np.array(1), pa.table({}), Path("a"), Broken()]
    names = ["int", "pandas.DataFrame", "numpy.ndarray", "pyarrow.Table", "pathlib.PosixPath", f"{__name__}.Broken"]
    assert [describe(value).type for value in values] == names


ALPHABET = "abc"
SAME = {
    "texts made apart": lambda: (["ab", "ab"], [ALPHABET[:2], ALPHABET[:2]]),
    "one list twice": lambda: ([[1]] * 2, [[1], [1]]),
    "rows": lambda: ([{"a": 1, "b": "ab"}] * 9, [{"a": 1, "b": ALPHABET[:2]} for _ in range(9)]),
    "large numbers": lambda: ([10**30, -(2**40)], [10**29 * 10, -(2**20) * 2**20]),
    "wider than it is looked into": lambda: ([[0] * 1100] * 1000, [[0] * 1100 for _ in range(1000)]),
}


@pytest.mark.parametrize("make", SAME.values(), ids=SAME)
def test_how_a_container_is_stored_does_not_count(make):
    a, b = make()
    assert describe(a).digest == describe(b).digest


DIFFERENT = {
    "types": [[1], [1.0], [True], ["1"], (1,), [[1]], [(1,)], {1: 1}, [{1: 1}], [None], [...], ["..."], [b"1"]],
    "zeros": [[0.0], [-0.0], [[0.0]], [[-0.0]], [(0.0, ...)], [(-0.0, ...)], [0]],
    "large": [b"a" * 70_000, b"a" * 69_999 + b"b", "a" * 70_000, ["a" * 70_000], bytearray(b"a" * 70_000)],
    "order": [{"a": 1, "b": 2}, {"b": 2, "a": 1}, [{"a": 1, "b": 2}], [{"b": 2, "a": 1}]],
}


@pytest.mark.parametrize("values", DIFFERENT.values(), ids=DIFFERENT)
def test_no_two_values_share_a_digest(values):
    assert len({describe(value).digest for value in values}) == len(values)


@pytest.mark.parametrize("value", [[-0.0], {"a": (1, -0.0)}, [[[-0.0]]], complex(0.0, -0.0)])
def test_zeros_are_equal_all_the_same(value):
    zero = eval(repr(value).replace("-0.0", "0.0").replace("-0j", "0j"))  # noqa: S307 - our own
    assert equal(value, zero)
    assert key(value) == key(zero)
    assert describe(value).digest != describe(zero).digest


def test_a_describer_knows_the_columns_of_the_last_frame():
    frame = pd.DataFrame({"n": np.arange(9.0), "s": ["x"] * 9, "c": pd.Categorical(["a"] * 9)})
    describer = Describer()
    assert describer.describe(frame) == describe(frame)
    columns = [frame["n"].to_numpy(), frame["s"].array, frame["c"].array]
    digest = describe(frame).digest
    assert describer.columns_of(digest) == [describe(column).digest for column in columns]
    describer.describe(frame.iloc[:5])
    assert not describer.columns_of(digest)

"""Values as libraries make them: who only reads one is never told of a change, and who changes one always is."""

import array
import ast
import configparser
import datetime as dt
import decimal
import email.message
import enum
import fractions
import functools
import inspect
import io
import ipaddress
import mailbox
import pathlib
import random
import statistics
import string
import types
import uuid
import xml.etree.ElementTree as ET
from argparse import ArgumentParser, Namespace
from collections import ChainMap, Counter, OrderedDict, UserDict, UserList, defaultdict, deque
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from urllib.request import Request

import attrs
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pydantic
import pytest
import sqlalchemy as sa

from cloaca_nb.values import isolate
from cloaca_nb.values.alterations import altered


def message():
    made = email.message.EmailMessage()
    made["Subject"] = "Figures"
    made["To"] = "ada@example.org, bob@example.org"
    made.set_content("Hello")
    return made


def config():
    made = configparser.ConfigParser()
    made.read_string("[run]\nyear = 2013\n")
    return made


def xml():
    made = ET.Element("a")
    ET.SubElement(made, "b", c="0")
    return made


def cookies():
    made = SimpleCookie()
    made["flavour"] = "plain"
    return made


def options():
    made = ArgumentParser()
    made.add_argument("--year", type=int, default=2013)
    return made


def table():
    return sa.Table("flights", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True), sa.Column("to", sa.String))


def frame():
    return pd.DataFrame({"a": [3, 1, 2], "b": ["x", "y", None], "k": pd.Categorical(["u", "v", "u"])})


def plain_rows():
    return pl.DataFrame({"a": [3, 1, None], "b": ["x", "y", "z"]})


def nested():
    made = defaultdict(lambda: defaultdict(int))
    made["a"]["b"] = 1
    return made


class Point(pydantic.BaseModel):
    x: int
    tags: list[str] = []

    @functools.cached_property
    def far(self):
        return self.x * 10


@attrs.define
class Sample:
    rows: list
    name: str = ""

    @functools.cached_property
    def size(self):
        return len(self.rows)


@attrs.frozen(cache_hash=True)
class Key:
    name: str


@dataclass
class Order:
    lines: list = field(default_factory=lambda: [1, 2])

    @functools.cached_property
    def total(self):
        return sum(self.lines)


class Colour(enum.Enum):
    RED = [1]  # noqa: RUF012 - the case


READINGS = [
    # what, a value, how it is read
    ("an email", message(), lambda own: (own.as_string(), own["To"].addresses, own.get_content(), own.get_body())),
    ("emails in a dict", {"all": [message()]}, lambda own: own["all"][0].as_bytes()),
    ("a mailbox's message", mailbox.mboxMessage(message()), lambda own: (own.get_from(), str(own))),
    ("a config", config(), lambda own: (own["run"]["year"], own.getint("run", "year"), own.sections())),
    ("cookies", cookies(), lambda own: (own["flavour"].value, own.output())),
    ("options", options(), lambda own: (own.parse_args([]), own.format_help())),
    ("XML", xml(), lambda own: (own.find("b").attrib, ET.tostring(own))),
    ("a syntax tree", ast.parse("a = 1"), lambda own: (ast.dump(own), list(ast.walk(own)), ast.unparse(own))),
    ("a signature", inspect.signature(message), lambda own: (str(own), own.parameters)),
    ("a request", Request("http://example.org/a", b"x"), lambda own: (own.host, own.get_method(), own.full_url)),
    ("a defaultdict, a missing key", defaultdict(list, a=[1]), lambda own: own["zz"]),
    ("a defaultdict of sets", defaultdict(set, a={1}), lambda own: own["zz"]),
    ("a defaultdict of numbers", {"n": defaultdict(int, a=1)}, lambda own: own["n"]["zz"]),
    ("defaultdicts in one", nested(), lambda own: (own["a"]["zz"], own["zz"]["b"])),
    ("a constant default", defaultdict(lambda: [0, 5]), lambda own: own["zz"]),
    ("a counter", Counter("abba"), lambda own: (own["zz"], own.most_common(), own.total())),
    ("a chain of dicts", ChainMap({"a": 1}, {"b": 2}), lambda own: (own["b"], dict(own))),
    ("an ordered dict", OrderedDict(a=[1]), lambda own: (own["a"], list(own.items()))),
    ("a deque", deque([[1]]), lambda own: (own[0], list(own))),
    ("a user's dict", UserDict(a=1), lambda own: (own["a"], own.get("b"), dict(own))),
    ("a user's list", UserList([1, 2]), lambda own: (own[0], sorted(own))),
    ("an array of bytes", array.array("i", [1, 2]), lambda own: (own[0], own.tolist(), sum(own))),
    ("paths", [pathlib.Path("a/b.csv")], lambda own: (own[0].parts, own[0].suffix, hash(own[0]), str(own[0]))),
    ("a network", ipaddress.ip_network("10.0.0.0/8"), lambda own: (own.netmask, own.broadcast_address)),
    ("times", [dt.datetime(2020, 1, 1, tzinfo=dt.UTC)], lambda own: own[0].isoformat()),
    ("a number's context", decimal.Context(), lambda own: own.precision if hasattr(own, "precision") else own.prec),
    ("fractions", [fractions.Fraction(1, 3)], lambda own: own[0] * 3),
    ("a normal distribution", statistics.NormalDist(0, 1), lambda own: (own.cdf(1), own.stdev)),
    ("a template", string.Template("$a"), lambda own: own.substitute(a=1)),
    ("an id", [uuid.UUID(int=1)], lambda own: (own[0].hex, str(own[0]))),
    ("an enum's member", [Colour.RED], lambda own: (own[0].name, own[0].value)),
    ("a partial", functools.partial(max, 1), lambda own: own(2)),
    ("an argument's namespace", Namespace(rows=[1]), lambda own: (own.rows, vars(own))),
    ("a dataclass that caches", Order(), lambda own: (own.total, own.lines)),
    ("pydantic", Point(x=1), lambda own: (own.far, own.model_dump(), own.model_dump_json(), own.model_copy())),
    ("attrs", Sample([1]), lambda own: (own.rows, attrs.asdict(own))),
    ("attrs that caches in a slot", Sample([1]), lambda own: own.size),
    ("attrs that keeps its hash", Key("a"), hash),
    ("a query", sa.select(sa.column("a")).where(sa.column("b") > 1), lambda own: (str(own), own.compile())),
    ("a table", table(), lambda own: (own.c.id, str(sa.select(own)), own.primary_key, own.insert())),
    ("a URL of a database", sa.make_url("sqlite:///a.db"), lambda own: (own.database, str(own))),
    ("a frame", frame(), lambda own: (own.describe(), own.query("a > 1"), own.to_dict(), own.T, own.sort_values("a"))),
    ("a frame by groups", frame().groupby("b"), lambda own: (own.sum(numeric_only=True), own.groups, list(own))),
    ("a frame of pieces", frame().assign(z=1, w=2), lambda own: (own.loc[own.a > 1], own["z"], own.to_json())),
    ("a frame by index", frame().set_index(["a", "b"]), lambda own: (own.loc[3], own.sort_index())),
    ("a series", frame()["k"], lambda own: (own.cat.codes, own.value_counts(), own.to_numpy())),
    ("an index", pd.Index([1, 2, 3]), lambda own: (own.get_loc(2), own.is_unique, own.to_numpy())),
    ("days", pd.date_range("2020", periods=3), lambda own: (own.year, own.freq)),
    ("intervals", pd.cut(pd.Series([1, 2, 3]), 2), lambda own: own.cat.codes),
    ("a rolling window", frame()["a"].rolling(2), lambda own: own.sum()),
    ("polars", plain_rows(), lambda own: (own.sort("a"), own.rechunk(), own.lazy().collect(), own.group_by("b").len())),
    ("polars, one column", plain_rows()["a"], lambda own: (own.sort(), own.null_count(), own.to_list())),
    ("polars, lazily", plain_rows().lazy(), lambda own: (own.collect(), own.collect_schema())),
    ("Arrow", pa.table({"a": [1]}), lambda own: (own.to_pandas(), own.column("a"), own.schema)),
    ("an array", np.arange(9.0), lambda own: (own.sum(), own.reshape(3, 3), np.sort(own), repr(own))),
    ("objects in an array", np.array([{"a": [1]}, None], object), lambda own: (own.tolist(), own[0]["a"])),
    ("records", np.rec.array([(1, 2.0)], dtype=[("a", int), ("b", float)]), lambda own: (own.a, own[0].b)),
    ("a masked array", np.ma.array([1, 2], mask=[1, 0]), lambda own: (own.mean(), own.filled(0), own.mask)),
    ("a polynomial", np.polynomial.Polynomial([1, 2]), lambda own: (own(2), own.roots(), own.deriv(), str(own))),
    ("what can't be copied", io.StringIO("ab"), lambda own: own.getvalue()),
]  # fmt: skip

CHANGES = [
    # what, a value, how it is changed in place
    ("an email's header", message(), lambda own: own.replace_header("Subject", "Other")),
    ("another header", message(), lambda own: own.__setitem__("Cc", "eve@example.org")),
    ("an email's text", message(), lambda own: own.set_content("Bye")),
    ("an email that was read", message(), lambda own: (own.as_string(), own["To"].addresses, own.set_content("Bye"))),
    ("an attachment", message(), lambda own: own.add_attachment("x", filename="a.txt")),
    ("a mailbox's message", mailbox.mboxMessage(message()), lambda own: own.set_flags("R")),
    ("a config", config(), lambda own: own.set("run", "year", "2014")),
    ("a section", config(), lambda own: own.add_section("other")),
    ("cookies", cookies(), lambda own: own.__setitem__("size", "2")),
    ("options", options(), lambda own: own.add_argument("--month")),
    ("a default", options(), lambda own: own.set_defaults(year=2014)),
    ("a syntax tree", ast.parse("a = 1"), lambda own: setattr(own.body[0].value, "value", 2)),
    ("a request", Request("http://example.org/a"), lambda own: own.add_header("Accept", "text/csv")),
    ("a defaultdict", defaultdict(list, a=[1]), lambda own: own["zz"].append(1)),
    ("a defaultdict, what was there", defaultdict(list, a=[1]), lambda own: (own["zz"], own["a"].append(2))),
    ("a defaultdict, a key less", defaultdict(list, a=[1], b=[]), lambda own: (own["zz"], own.pop("b"))),
    ("a defaultdict of numbers", defaultdict(int, a=1), lambda own: own.__setitem__("b", own["b"] + 1)),
    ("defaultdicts in one", nested(), lambda own: own["zz"].__setitem__("b", 2)),
    ("a constant default", defaultdict(lambda: [0, 5]), lambda own: own["zz"].append(1)),
    ("a counter", Counter("abba"), lambda own: own.update("c")),
    ("a chain of dicts", ChainMap({"a": 1}), lambda own: own.__setitem__("b", 1)),
    ("an ordered dict", OrderedDict(a=1, b=2), lambda own: own.update(c=3)),
    ("a deque", deque([1, 2]), deque.pop),
    ("a user's dict", UserDict(a=1), lambda own: own.__setitem__("b", 2)),
    ("a user's list", UserList([1, 2]), lambda own: own.append(3)),
    ("a generator of numbers", random.Random(1), lambda own: own.random()),  # noqa: S311 - no secret
    ("an argument's namespace", Namespace(rows=[1]), lambda own: own.rows.append(2)),
    ("a namespace", types.SimpleNamespace(a=1), lambda own: setattr(own, "a", 2)),
    ("a dataclass that caches", Order(), lambda own: (own.total, own.lines.append(3))),
    ("pydantic", Point(x=1), lambda own: setattr(own, "x", 2)),
    ("pydantic, deeper", Point(x=1), lambda own: (own.far, own.tags.append("a"))),
    ("attrs", Sample([1]), lambda own: setattr(own, "name", "b")),
    ("attrs, deeper", Sample([1]), lambda own: (own.size, own.rows.append(2))),
    ("a table", table(), lambda own: own.append_column(sa.Column("from", sa.String))),
    ("a column less", frame(), lambda own: own.pop("a")),
    ("a row", frame(), lambda own: own.loc.__setitem__(7, [1, "z", "u"])),
    ("an index", frame(), lambda own: setattr(own, "index", [5, 6, 7])),
    ("names of columns", frame(), lambda own: setattr(own, "columns", ["c", "d", "e"])),
    ("a frame's cell", frame(), lambda own: own.iloc.__setitem__((0, 0), 9)),
    ("a column", frame(), lambda own: own.insert(0, "z", 1)),
    ("a series", frame()["a"], lambda own: own.__setitem__(0, 9)),
    ("categories", {"k": frame()["k"]}, lambda own: own["k"].__setitem__(0, "v")),
    ("lists in a frame", pd.DataFrame({"a": [[1], [2]]}), lambda own: own["a"][0].append(2)),
    ("polars", plain_rows(), lambda own: own.insert_column(0, pl.Series("z", [1, 2, 3]))),
    ("polars, a cell", plain_rows(), lambda own: own.__setitem__((0, "a"), 9)),
    ("an array", np.array([3, 1, 2]), np.ndarray.sort),
    ("an array's cell", np.arange(9.0), lambda own: own.__setitem__(0, 9)),
    ("objects in an array", np.array([{"a": [1]}, None], object), lambda own: own[0]["a"].append(2)),
    ("records", np.rec.array([(1, 2.0)], dtype=[("a", int), ("b", float)]), lambda own: setattr(own, "a", 9)),
    ("a masked array", np.ma.array([1, 2], mask=[1, 0]), lambda own: own.__setitem__(0, 9)),
    ("a polynomial", np.polynomial.Polynomial([1, 2]), lambda own: own.coef.__setitem__(0, 5)),
]  # fmt: skip


@pytest.mark.parametrize(("value", "read"), [one[1:] for one in READINGS], ids=[one[0] for one in READINGS])
def test_who_only_reads_has_changed_nothing(value, read):
    own = isolate(value)
    assert not altered(value, own)
    read(own)
    assert not altered(value, own)


@pytest.mark.parametrize(("value", "change"), [one[1:] for one in CHANGES], ids=[one[0] for one in CHANGES])
def test_a_change_is_told(value, change):
    own = isolate(value)
    change(own)
    assert altered(value, own)

"""Copies: what is shared, what isn't, and that circles, aliases and depth survive."""

import queue
import socket
import sys
import threading
from dataclasses import dataclass

import pytest
from hypothesis import given, strategies as st

from cloaca_nb.values import equal, isolate

atoms = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.binary(max_size=3)
values = st.recursive(
    atoms | st.sets(st.integers(), max_size=3),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4) | st.tuples(inner, inner)
    ),
    max_leaves=10,
)


@given(values)
def test_a_copy_is_equal(value):
    assert equal(isolate(value), value)


@given(values)
def test_no_change_of_a_copy_is_seen(value):
    untouched = isolate(value)
    empty(isolate(value))
    assert equal(value, untouched)


def empty(value):
    """Change in place whatever can be changed, inside first."""
    if isinstance(value, dict | list | tuple):
        for item in value.values() if isinstance(value, dict) else value:
            empty(item)
    if isinstance(value, dict | list | set):
        value.clear()


@pytest.mark.parametrize("value", [None, True, 3, 1.5, "text", b"bytes", (1, "a"), frozenset({1}), range(3), len, sys])
def test_what_cant_be_changed_is_shared(value):
    assert isolate(value) is value


@pytest.mark.parametrize("make", [threading.Lock, threading.Event, queue.Queue, lambda: (row for row in [1])])
def test_what_cant_be_copied_is_shared(make):
    value = make()
    copy = isolate({"live": value, "rows": [1]})
    assert copy["live"] is value


def test_open_files_and_sockets_are_shared(tmp_path):
    with (tmp_path / "f").open("w") as file, socket.socket() as connection:
        copy = isolate([file, connection])
        assert copy[0] is file
        assert copy[1] is connection


def test_what_holds_something_that_cant_be_copied_is_shared_whole():
    class Client:
        def __init__(self):
            self.rows = [1]
            self.lock = threading.Lock()

    client = Client()
    copy = isolate([client, client.rows])
    assert copy[0] is client
    assert copy[1] == client.rows
    assert copy[1] is not client.rows


def test_circles_are_kept():
    rows = [1]
    rows.append({"rows": rows})
    pair = (rows, [])
    pair[1].append(pair)
    copy = isolate(pair)
    assert copy[1][0] is copy
    assert copy[0][1]["rows"] is copy[0]
    assert copy[0] is not rows


def test_a_circle_through_an_object_is_kept():
    class Owner:
        pass

    owner = Owner()
    owner.held = (owner, [1])
    copy = isolate(owner.held)
    assert copy[0].held is copy
    assert copy[0] is not owner


def test_what_is_held_twice_is_copied_once():
    shared = [1]
    copy = isolate({"a": shared, "b": [shared]})
    assert copy["a"] is copy["b"][0]


TABLES = [
    lambda row: [row, {"a": 2}],
    lambda row: {"x": row, "y": {"a": 2}},
    lambda row: [[row, {"a": 2}], [{"a": 3}]],
]


@pytest.mark.parametrize("table", TABLES, ids=["list", "dict", "nested"])
def test_rows_that_something_else_holds_are_copied_once(table):
    row = {"a": [1]}
    copy = isolate({"rows": table(row), "first": row, "again": [row, row]})
    assert copy["first"] is copy["again"][0]
    assert copy["first"] is copy["again"][1]
    assert copy["first"] is not row
    copy["first"]["a"].append(2)
    assert copy["rows"] == table({"a": [1, 2]})
    assert row == {"a": [1]}


def test_the_rows_of_a_table_are_copies():
    rows = [{"n": number, "tags": [number]} for number in range(100)]
    copy = isolate(rows)
    copy[99]["tags"].append(1)
    copy[98]["n"] = -1
    assert rows == [{"n": number, "tags": [number]} for number in range(100)]


def test_depth_is_no_limit():
    deep = []
    for _ in range(20_000):
        deep = [deep]
    copy = isolate(deep)
    assert copy is not deep
    assert equal(copy, deep)


def test_a_dataclass_that_refuses_to_be_copied_is_shared():
    @dataclass
    class Connection:
        host: str

        def __reduce_ex__(self, protocol):
            raise TypeError(f"a connection can't be pickled ({protocol})")

    connection = Connection("h")
    assert isolate([connection])[0] is connection


def test_an_object_says_itself_how_it_is_copied():
    class Named:
        def __deepcopy__(self, memo):
            return "a copy"

    assert isolate([Named()]) == ["a copy"]

"""Whether a value lies in what a task passes on, in whichever way that holds it."""

import functools
from collections import OrderedDict, defaultdict, deque, namedtuple
from dataclasses import dataclass
from types import MappingProxyType, SimpleNamespace

import attrs
import numpy as np
import pandas as pd
import pydantic
import pytest

from cloaca_nb.values.within import is_within

Pair = namedtuple("Pair", "one other")  # noqa: PYI024 - the case


class Slots:
    __slots__ = ("held",)

    def __init__(self, held):
        self.held = held


class MoreSlots(Slots):
    __slots__ = ("more",)


@attrs.define
class Attrs:
    held: object


@attrs.frozen(slots=False)
class AttrsWithDict:
    held: object


@dataclass(slots=True)
class Record:
    held: object


class Model(pydantic.BaseModel):
    held: object


class Rows(list):
    """Equal to nothing, and found by its identity."""

    __eq__ = None
    __hash__ = object.__hash__


class Asks:
    """May not be asked for anything."""

    def __init__(self, held):
        self.held = held

    def __getattr__(self, name):
        raise RuntimeError(name)

    def __getstate__(self):
        raise RuntimeError

    def __iter__(self):
        raise RuntimeError


class Closed:
    def __init__(self, held):
        self.held = held

    def method(self):
        return self.held


def more_slots(held):
    made = MoreSlots(None)
    made.more = held
    return made


def closure(held):
    return lambda: held


def default(held):
    def function(rows=held):
        return rows

    return function


HOLDERS = {
    "itself": lambda held: held,
    "a list": lambda held: [[held]],
    "a tuple": lambda held: (1, (held,)),
    "a deque": lambda held: deque([held]),
    "a set": lambda held: {held},
    "a frozenset": lambda held: frozenset([held]),
    "a dict": lambda held: {"a": {"b": held}},
    "a key": lambda held: {held: 1},
    "an ordered dict": lambda held: OrderedDict(a=held),
    "a defaultdict": lambda held: defaultdict(list, a=held),
    "a view of a dict": lambda held: MappingProxyType({"a": held}),
    "a named tuple": lambda held: Pair(1, held),
    "a namespace": lambda held: SimpleNamespace(a=held),
    "a subclass of list": lambda held: Rows([held]),
    "a slot": Slots,
    "a subclass's slot": more_slots,
    "attrs": Attrs,
    "attrs without slots": AttrsWithDict,
    "a dataclass with slots": Record,
    "pydantic": lambda held: Model(held=held),
    "a partial": lambda held: functools.partial(print, held),
    "a partial's keyword": lambda held: functools.partial(print, end=held),
    "a method": lambda held: Closed(held).method,
    "a method of its own": lambda held: held.append,
    "a closure": closure,
    "a default": default,
    "an iterator": lambda held: iter([held]),
    "an object that may not be asked": Asks,
    "an array of objects": lambda held: np.array([held, None], object),
    "a frame of objects": lambda held: pd.DataFrame({"a": pd.Series([held, None], dtype=object)}),
    "all at once": lambda held: {"a": [Slots(functools.partial(print, Attrs((held,))))]},
}  # fmt: skip


@pytest.mark.parametrize("way", HOLDERS)
def test_a_value_is_found_however_it_is_held(way):
    value, other = Rows([1]), Rows([1])
    assert is_within(value, [0, HOLDERS[way](value)])
    assert not is_within(value, [0, HOLDERS[way](other)])


def test_a_view_of_an_array_passes_the_array_on():
    value = np.arange(6)
    assert is_within(value, [value.reshape(2, 3)])
    assert not is_within(value, [value.copy()])


def test_a_function_does_not_pass_its_module_on():
    assert not is_within(HOLDERS, [closure])


def test_what_is_within_more_than_anybody_looks_through_may_be():
    assert is_within([1], [[[] for _ in range(20_000)]])

"""What reading fills, and what looks like that and is a change: told by the evidence that there is."""

import functools
import threading
from collections import Counter, OrderedDict, defaultdict
from functools import cached_property
from uuid import uuid4
from weakref import WeakValueDictionary

import pytest

from cloaca_nb.values import isolate, lost
from cloaca_nb.values.alterations import altered
from cloaca_nb.values.memos import asked_for


class reify:  # noqa: N801 - as libraries call it
    """Puts what it has worked out in its own place."""

    def __init__(self, function):
        self.function = function

    def __get__(self, instance, owner=None):
        if instance is None:
            return self
        found = instance.__dict__[self.function.__name__] = self.function(instance)
        return found


class later(cached_property):  # noqa: N801 - as libraries call it
    pass


class Given:
    def __init__(self):
        self.rows = [1]

    @reify
    def reified(self):
        return [sum(self.rows)]

    @later
    def total(self):
        return [sum(self.rows)]

    def method(self):
        return 1

    @classmethod
    def of(cls, rows):
        made = cls()
        made.rows = rows
        return made


class Memo:
    """Keeps what it has worked out under names that don't say so."""

    def __init__(self):
        self.factor = 2
        self._memo = {}
        self._done = {}
        self._sums = {}

    def named(self, x):
        return self._memo.setdefault(x, x * self.factor)

    def done(self, x):
        if x not in self._done:
            self._done[x] = x * self.factor
        return self._done[x]

    @property
    def sums(self):
        self._sums["all"] = [self.factor]
        return self._sums["all"][0] + 1

    def set_factor(self, factor):
        self.factor = factor
        self._done = {}


class Registry:
    """Holds what it is given in private dicts that look like memos."""

    def __init__(self):
        self._items = {}
        self._handlers = {}
        self._flags = {}
        self._made = {}
        self._counts = {}

    def add(self, name, item):
        self._items[name] = item

    def item(self, name):
        return self._items[name]

    def register(self, function):
        self._handlers[function.__name__] = function
        return function

    def flag(self, name):
        self._flags[name] = True
        return True

    def count(self, name):
        self._counts[name] = 1
        return 0

    def with_flag(self, name):
        self._flags.update({name: False})
        return self

    @property
    def made(self):
        return self._made.get("value")

    @made.setter
    def made(self, value):
        self._made["value"] = value


class Slots:
    __slots__ = ("_total", "rows")

    def __init__(self):
        self.rows = [1]
        self._total = None

    @property
    def total(self):
        if self._total is None:
            self._total = sum(self.rows)
        return self._total


class SlotsAndMore(Slots):
    """Has slots and attributes."""

    def read(self):
        self._read = True
        return self.total


class Renamed:
    """Is another each time that it is copied."""

    def __init__(self):
        self.name, self.rows = uuid4(), [1]

    def __setstate__(self, state):
        self.__dict__.update(state, name=uuid4())


class Careful:
    """Copies itself, and leaves out what a copy must make for itself."""

    def __init__(self, rows=()):
        self.rows, self.lock, self._client = list(rows), threading.Lock(), None

    def __deepcopy__(self, memo):
        return Careful(self.rows)

    @property
    def client(self):
        self._client = self._client or [1]
        return self._client


class Weak:
    """Holds what its copies have each of their own."""

    def __init__(self):
        self.refs, self.rows = WeakValueDictionary(), [1]


class Converted:
    """Is copied into something else than it was, always the same."""

    def __init__(self):
        self.path, self.rows = "a.csv", [1]

    def __getstate__(self):
        return {**self.__dict__, "path": f"copy of {self.path}"}


def memo_in_use():
    made = Memo()
    made.done(1)
    return made


class Agent:
    def __init__(self):
        self.memory, self._memory, self.memo, self._lazily_made = [], [], "", {}


def with_cache():
    made = Given()
    made.row_cache = [1]
    return made


READINGS = [
    ("a cache that is emptied", with_cache, lambda own: delattr(own, "row_cache")),
    ("a reify", Given, lambda own: own.reified),
    ("a kind of cached_property", Given, lambda own: own.total),
    ("a dict that is called memo", Memo, lambda own: own.named(3)),
    ("what is called lazy", Agent, lambda own: own._lazily_made.update(a=1)),
    ("a dict that a reading method fills", Memo, lambda own: own.done(3)),
    ("such a one, with more than before", memo_in_use, lambda own: own.done(3)),
    ("a dict that a property fills", Memo, lambda own: own.sums),
    ("a slot", Slots, lambda own: own.total),
    ("a slot and an attribute", SlotsAndMore, SlotsAndMore.read),
    ("what is another when copied", Renamed, lambda own: own.rows[0]),
    ("what is copied into something else", Converted, lambda own: own.rows[0]),
    ("what holds weakly", Weak, lambda own: own.refs.get("a")),
    ("what copies itself", Careful, lambda own: own.client),
]

CHANGES = [
    ("a memory", Agent, lambda own: own.memory.append(1)),
    ("a private one", Agent, lambda own: own._memory.append(1)),
    ("the text of a memo", Agent, lambda own: setattr(own, "memo", "paid")),
    ("a count", Registry, lambda own: own.count("a")),
    ("beside a reify", Given, lambda own: (own.reified, own.rows.append(2))),
    ("what a reify gives", Given, lambda own: setattr(own, "rows", own.reified * 2)),
    ("in place of a method", Given, lambda own: setattr(own, "method", 5)),
    ("beside a memo", Memo, lambda own: (own.done(3), own.set_factor(3))),
    ("what a memo had", memo_in_use, lambda own: own._done.update({1: 9})),
    ("what a memo had goes", memo_in_use, lambda own: own._done.clear()),
    ("by a command", Registry, lambda own: own.add("a", 1)),
    ("by a decorator", Registry, lambda own: own.register(isolate)),
    ("by a command that says True", Registry, lambda own: own.flag("a")),
    ("by one that gives its object", Registry, lambda own: own.with_flag("a")),
    ("by a setter", Registry, lambda own: setattr(own, "made", 1)),
    ("in a slot", Slots, lambda own: (own.total, own.rows.append(2))),
    ("a slot that was filled", lambda: filled(Slots()), lambda own: setattr(own, "_total", 9)),
    ("beside slots", SlotsAndMore, lambda own: setattr(own, "name", "a")),
    ("what is another when copied", Renamed, lambda own: own.rows.append(2)),
    ("such a thing among others", lambda: [Renamed(), {"a": Slots()}], lambda own: own[1]["a"].rows.append(2)),
    ("and in it", lambda: Given.of(Renamed()), lambda own: own.rows.rows.append(2)),
    ("what copies itself", Careful, lambda own: own.rows.append(2)),
    ("what holds weakly", Weak, lambda own: own.rows.append(2)),
    ("what is copied into something else", Converted, lambda own: own.rows.append(2)),
    ("and where it is", Converted, lambda own: setattr(own, "path", "b.csv")),
]


def filled(one):
    assert one.total == 1
    return one


@pytest.mark.parametrize(("make", "read"), [one[1:] for one in READINGS], ids=[one[0] for one in READINGS])
def test_who_only_reads_has_changed_nothing(make, read):
    value = make()
    own = isolate(value)
    assert not altered(value, own)
    read(own)
    assert not altered(value, own)
    assert not altered([value], [own])
    assert not lost(value, own, ())


@pytest.mark.parametrize(("make", "change"), [one[1:] for one in CHANGES], ids=[one[0] for one in CHANGES])
def test_a_change_is_told(make, change):
    value = make()
    own = isolate(value)
    change(own)
    assert altered(value, own)
    assert lost(value, own, [1])


class Asked:
    """Counts how often it is asked for its state."""

    def __init__(self, rows=()):
        self.rows, self.asked = list(rows), Counter()

    def __getstate__(self):
        self.asked["state"] += 1
        return {"rows": self.rows, "asked": Counter()}

    def __setstate__(self, state):
        self.__dict__.update(state)


def test_an_object_that_was_only_read_is_not_asked_for_its_state_again():
    value = Asked([1])
    own = isolate(value)
    value.asked.clear()
    assert not altered(value, own)
    assert not altered({"a": [value]}, {"a": [own]})
    assert (value.asked, own.asked) == (Counter(), Counter())
    own.rows.append(2)
    assert altered(value, own)


def test_what_an_object_leaves_out_of_its_state_is_no_change_of_it():
    value = Asked([1])
    own = isolate(value)
    own.asked["reads"] += 1
    assert not altered(value, own)


def partial_of(data):
    return lambda: data


class Handle:
    """Keeps its data where nobody sees them, and says what they are."""

    def __init__(self, data):
        self.handle = iter([])
        self.data = partial_of(data)

    def __getstate__(self):
        return {"kept": list(self.data())}

    def __setstate__(self, state):
        self.__init__(state["kept"])


def test_an_object_that_only_its_state_tells_of_is_asked():
    value = Handle([1])
    own = isolate(value)
    assert not altered(value, own)
    own.data().append(2)
    assert altered(value, own)


def test_a_thousand_such_objects_in_one_another_are_looked_at():
    value = None
    for _ in range(50):
        value = Asked([value])
    own = isolate(value)
    assert not altered(value, own)
    inner = own
    for _ in range(49):
        inner = inner.rows[0]
    inner.rows.append(1)
    assert altered(value, own)


def counting():
    numbers = iter(range(9))
    return defaultdict(numbers.__next__), numbers


def size():
    return len(NAMES)


NAMES = defaultdict(lambda: len(NAMES))
DEFAULTS = [
    # what, its factory, what was put there, whether that is no more than what is there by default
    ("a list", list, [], True),
    ("a filled list", list, [1], False),
    ("zero", int, 0, True),
    ("False for zero", int, False, False),
    ("None", lambda: None, None, True),
    ("a constant", lambda: 5, 5, True),
    ("another", lambda: 5, 6, False),
    ("of another type", lambda: 5, 5.0, False),
    ("made of types", lambda: {"n": 0, "rows": OrderedDict()}, {"n": 0, "rows": OrderedDict()}, True),
    ("filled", lambda: {"n": 0, "rows": []}, {"n": 1, "rows": []}, False),
    ("a number of its own", lambda: len(NAMES), 1, False),
    ("by a name", size, 1, False),
    ("in a partial", functools.partial(defaultdict, list), defaultdict(list, a=[]), True),
    ("filled, in a partial", functools.partial(defaultdict, list), defaultdict(list, a=[1]), False),
]  # fmt: skip


@pytest.mark.parametrize(
    ("factory", "value", "is_default"), [one[1:] for one in DEFAULTS], ids=[one[0] for one in DEFAULTS]
)
def test_which_keys_were_only_asked_for(factory, value, is_default):
    before = defaultdict(factory, a=1)
    now = defaultdict(factory, a=2, b=value)
    assert asked_for(before, now) == ({"a": 2} if is_default else None)


def test_a_factory_that_counts_is_never_called():
    before, numbers = counting()
    now = before.copy()
    assert now["a"] == 0
    assert now["b"] == 1
    assert asked_for(before, now) is None
    assert next(numbers) == 2

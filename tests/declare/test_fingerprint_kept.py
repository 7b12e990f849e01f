"""What is kept of fingerprints between runs: whatever was edited meanwhile, the answer is that of a fresh look."""

import builtins
import gc
import sys
import threading
import types
from itertools import count
from weakref import ref

import pytest
from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from cloaca_nb.core.task import Task
from cloaca_nb.declare.fingerprint import Fingerprints
from cloaca_nb.declare.known_code import KnownCode
from cloaca_nb.values.digests import content_digest

NUMBERS = count(1)
SMALL = st.integers(0, 3)
VALUES = st.one_of(
    SMALL, st.sampled_from(["a", (1, 2), [1], {"a": 1}, None, 2.0, len, max, eval, print, types, frozenset({1})])
)
CODE = """
import functools
LIMIT = 1
SHARED = {"a": [1]}
run = print
def plain(x): return x
def pairs(x, n=1, m=[1], *, key=plain, other=2): return SHARED
def named(x, by=1, *, key=plain, other=2): return x
def outer(n, f):
    def inner(x): return f(x) + n
    return inner
closed = outer(1, plain)
def deep(x): return pairs(x) + closed(x) + later(x) + named(x)
def doubled(function):
    @functools.wraps(function)
    def wrapper(c): return function(c) * 2
    return wrapper
class Base:
    size = 1
class Point(Base):
    sizes = (1, 2)
    def area(self, by=1): return LIMIT
    @property
    def half(self): return 2
    @staticmethod
    def made(): return 3
@functools.cache
def cached(x): return LIMIT
@doubled
def wrapped(c): return Point(), cached
def first(c): return deep(LIMIT), made.value, made.function
def second(c): return Point(c).area(), run, plain.factor
def third(c, step=pairs): return pairs, table
table = [plain, closed]
"""
TASKS = ("first", "second", "third", "wrapped", "closed", "deep", "plain")


def executed():
    made = types.ModuleType("cloaca_nb_made_by_hand")
    made.value, made.function = 1, len
    namespace = {"__name__": "__main__", "made": made}
    exec(compile(CODE, f"<kept {next(NUMBERS)}>", "exec"), namespace)  # noqa: S102 - as a kernel does
    return namespace


def come_to(namespace, known, names=TASKS):
    fingerprints = Fingerprints(content_digest, known)
    return {name: fingerprints.of(Task(name, namespace[name])) for name in names}


class Edits(RuleBasedStateMachine):
    """A notebook that is edited in every way that we know of, between runs."""

    def __init__(self):
        super().__init__()
        self.namespace = executed()
        self.known = KnownCode()

    @invariant()
    def what_is_kept_is_what_a_fresh_look_gives(self):
        kept, fresh = come_to(self.namespace, self.known), come_to(self.namespace, KnownCode())
        for name in TASKS:
            assert kept[name].digest == fresh[name].digest
            assert {key: one.digest for key, one in kept[name].parts.items()} == {
                key: one.digest for key, one in fresh[name].parts.items()
            }
            assert kept[name].untracked == fresh[name].untracked

    @rule(name=st.sampled_from(["LIMIT", "run", "later", "table", "print"]), value=VALUES)
    def rebind(self, name, value):
        self.namespace[name] = value

    @rule(name=st.sampled_from(["later", "LIMIT", "print"]))
    def forget(self, name):
        self.namespace.pop(name, None)

    @rule(
        name=st.sampled_from(["plain", "pairs", "later", "first", "cached"]),
        body=st.sampled_from(["x", "LIMIT", "plain(x)", "Point", "made", "run(x)", "[LIMIT for _ in x]"]),
    )
    def redefine(self, name, body):
        exec(f"def {name}(x, n=1): return {body}", self.namespace)  # noqa: S102 - as a kernel does

    @rule(body=st.sampled_from(["x", "LIMIT", "Point", "-x"]))
    def exchange_the_code(self, body):
        other = dict(self.namespace)
        exec(f"def plain(x): return {body}", other)  # noqa: S102 - as a kernel does
        self.namespace["plain"].__code__ = other["plain"].__code__

    @rule(item=SMALL)
    def change_in_place(self, item):
        self.namespace["SHARED"]["a"].append(item)

    @rule(key=st.sampled_from(["a", "b"]), item=SMALL)
    def set_an_item(self, key, item):
        self.namespace["SHARED"][key] = [item]

    @rule(item=SMALL, first=SMALL)
    def set_the_defaults(self, item, first):
        function = self.namespace["pairs"]
        function.__defaults__ = (first, [item])

    @rule(item=SMALL)
    def change_a_default_in_place(self, item):
        for one in self.namespace["pairs"].__defaults__ or ():
            if isinstance(one, list):
                one.append(item)

    @rule(by=SMALL)
    def set_a_frozen_default(self, by):
        self.namespace["named"].__defaults__ = (by,)

    @rule(function=st.sampled_from(["pairs", "named"]), name=st.sampled_from(["key", "other"]), value=VALUES)
    def set_a_keyword_default(self, function, name, value):
        keywords = self.namespace[function].__kwdefaults__
        if keywords is not None:
            keywords[name] = value

    @rule(value=VALUES)
    def set_what_a_closure_holds(self, value):
        self.namespace["closed"].__closure__[1].cell_contents = value

    @rule(name=st.sampled_from(["plain", "closed", "third"]))
    def let_a_closure_hold_a_function(self, name):
        self.namespace["closed"].__closure__[0].cell_contents = self.namespace[name]

    @rule(name=st.sampled_from(["plain", "third", "pairs"]))
    def let_it_wrap_another(self, name):
        self.namespace["wrapped"].__wrapped__ = self.namespace[name]

    @rule(name=st.sampled_from(["factor", "other"]), value=VALUES)
    def set_an_attribute_of_a_function(self, name, value):
        setattr(self.namespace["plain"], name, value)

    @rule(
        kind=st.sampled_from(["Base", "Point"]), name=st.sampled_from(["size", "sizes", "area", "half"]), value=VALUES
    )
    def set_an_attribute_of_a_class(self, kind, name, value):
        setattr(self.namespace[kind], name, value)

    @rule(name=st.sampled_from(["sizes", "size", "area"]))
    def delete_an_attribute_of_a_class(self, name):
        if name in vars(self.namespace["Point"]):
            delattr(self.namespace["Point"], name)

    @rule(name=st.sampled_from(["plain", "pairs", "deep"]))
    def let_a_class_have_a_function(self, name):
        self.namespace["Point"].made = staticmethod(self.namespace[name])
        self.namespace["Point"].half = property(self.namespace[name])

    @rule(base=st.sampled_from(["class A(Base): pass", "class A(Base):\n    size = 3"]))
    def give_a_class_another_base(self, base):
        exec(base, self.namespace)  # noqa: S102 - as a kernel does
        self.namespace["Point"].__bases__ = (self.namespace["A"],)

    @rule(name=st.sampled_from(["value", "function", "other"]), value=VALUES)
    def set_an_attribute_of_a_module(self, name, value):
        setattr(self.namespace["made"], name, value)

    @rule()
    def delete_an_attribute_of_a_module(self):
        vars(self.namespace["made"]).pop("value", None)

    @rule()
    def collect(self):
        gc.collect()


TestEdits = Edits.TestCase
TestEdits.settings = settings(max_examples=20, stateful_step_count=12)


def test_what_did_not_change_is_the_very_same_answer():
    namespace, known = executed(), KnownCode()
    first, second = come_to(namespace, known), come_to(namespace, known)
    assert all(first[name] is second[name] for name in TASKS)  # what holds a dict too: its digest is the same
    namespace["LIMIT"] = 2
    third = come_to(namespace, known)
    assert [name for name in TASKS if third[name] is not first[name]] == ["first", "second", "wrapped"]


def test_a_constant_that_is_not_hashed_again_is_frozen():
    asked = []

    def digest(value):
        asked.append(value)
        return content_digest(value)

    namespace = {"__name__": "__main__", "A": 12345, "B": [6, 7]}
    exec("def f(c): return A, B", namespace)  # noqa: S102 - as a kernel does
    task = Task("f", namespace["f"])
    Fingerprints(digest).of(task)
    assert 12345 in asked
    asked.clear()
    Fingerprints(digest).of(task)
    assert asked == [[6, 7]]


def test_a_new_builtin_of_that_name_is_seen(monkeypatch):
    namespace, known = executed(), KnownCode()
    exec("def first(c): return cloaca_nb_test_name", namespace)  # noqa: S102 - as a kernel does
    before = come_to(namespace, known)["first"]
    assert before.parts["name cloaca_nb_test_name"].shown == "undefined"
    monkeypatch.setattr(builtins, "cloaca_nb_test_name", 1, raising=False)
    assert "name cloaca_nb_test_name" not in come_to(namespace, known)["first"].parts


def test_nothing_that_is_kept_keeps_code_alive():
    namespace, known = executed(), KnownCode()
    come_to(namespace, known)
    living = [ref(namespace[name]) for name in (*TASKS, "Point", "Base", "pairs")]
    assert known._nodes
    namespace.clear()
    del namespace
    gc.collect()
    assert [one() for one in living] == [None] * len(living)
    assert known._results == {}
    left = {one for _, node in known._nodes.values() if not isinstance(one := node.one(), str)}
    assert left == {object, type}  # and the names of modules


def test_another_digest_of_values_has_its_own_answers():
    namespace = executed()
    one = Fingerprints(content_digest).of(Task("first", namespace["first"]))
    other = Fingerprints(lambda value: f"{content_digest(value)}!").of(Task("first", namespace["first"]))
    assert one.digest != other.digest


@pytest.mark.parametrize("threads", [4])
def test_several_threads_agree(threads):
    namespace, known, found = executed(), KnownCode(), []
    begin = threading.Barrier(threads)

    def look():
        begin.wait()
        found.extend({name: one.digest for name, one in come_to(namespace, known).items()} for _ in range(20))

    workers = [threading.Thread(target=look) for _ in range(threads)]
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for one in workers:
            one.start()
        for one in workers:
            one.join()
    finally:
        sys.setswitchinterval(before)
    assert len(found) == 20 * threads
    assert all(one == found[0] for one in found)


def test_it_is_taken_while_a_task_changes_what_it_looks_at():
    namespace, known, over = executed(), KnownCode(), threading.Event()
    shared, point = namespace["SHARED"], namespace["Point"]
    shared["code"] = namespace["plain"]

    def change():
        for number in count():
            shared[f"key {number % 50}"] = number
            shared.pop(f"key {(number + 25) % 50}", None)
            setattr(point, f"a{number % 9}", number)
            if number % 9 == 8:
                delattr(point, "a3")
            if over.is_set():
                return

    worker = threading.Thread(target=change)
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    worker.start()
    try:
        for _ in range(30):
            come_to(namespace, known)
    finally:
        over.set()
        worker.join()
        sys.setswitchinterval(before)
    kept, fresh = come_to(namespace, known), come_to(namespace, KnownCode())
    assert {name: one.digest for name, one in kept.items()} == {name: one.digest for name, one in fresh.items()}

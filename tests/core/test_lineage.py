"""The scopes of a run: shared where nothing was changed, and the same as if every task merged everything at once."""

import sys
import threading
from functools import reduce
from typing import Any, NamedTuple

import pytest
from hypothesis import given, strategies as st

from cloaca_nb.core.conflict import Conflict
from cloaca_nb.core.context import Context
from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.lineage import Lineage
from cloaca_nb.core.merge import DELETED, MISSING, Merged, merge
from cloaca_nb.core.names import Keys
from cloaca_nb.core.status import Outcome
from cloaca_nb.core.task import Task
from cloaca_nb.errors import ContextKeyError

COMPLETED, FAILED = Outcome.COMPLETED, Outcome.FAILED
WAIT = 10


def lineage_of(graph, **initial):
    tasks = [Task(task_id, print, tuple(dependencies), keys=Keys()) for task_id, dependencies in graph.items()]
    return Lineage(Workflow("w", tasks), initial)


def value(lineage, task_id, key):
    entry = lineage.scope(task_id).find(key)
    return MISSING if entry is None else entry.value


def test_a_task_has_the_scope_of_its_one_dependency_until_it_changes_something():
    lineage = lineage_of({"a": "", "b": "a", "c": "b"}, x=0)
    lineage.finish("a", {"x": 1})
    assert lineage.scope("b") is lineage.scope("a")
    lineage.finish("b", {"x": 2})
    assert lineage.scope("b") is not lineage.scope("a")
    assert lineage.scope("c") is lineage.scope("b")
    assert [value(lineage, task_id, "x") for task_id in "abc"] == [1, 2, 2]


@pytest.fixture
def often_switched():
    """Threads take turns after a few instructions."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def test_what_changed_nothing_passes_on_what_it_has():
    lineage = lineage_of({"a": "", "b": "a", "c": "a", "d": "bc"})
    lineage.finish("a", {"x": 1})
    assert lineage.scope("b") is lineage.scope("c") is lineage.scope("a")
    lineage.finish("c", {"y": 2})
    assert [value(lineage, "d", key) for key in "xy"] == [1, 2]
    assert lineage.scope("d").find("x") is lineage.scope("a").find("x")


ASKED_IN_VAIN = [  # who asks, for which key, and who sets it
    ("clean", "rows", " Task 'load' sets it, but has not done so in this run."),
    ("beside", "rows", " Task 'load' sets it: add 'load' to the dependencies of 'beside'."),
    ("beside", "rowz", " Did you mean 'rows', which task 'load' sets?"),
    ("load", "rows", ""),
    ("load", "kept", " Task 'beside' sets it: add 'beside' to the dependencies of 'load'."),
    (
        "load",
        "tidy",
        (
            " Task 'clean' sets it, but comes after 'load': give 'tidy' its first value as a parameter or in the "
            "initial context, or set one of the two under another name."
        ),
    ),
    ("beside", "zzz", ""),
]


@pytest.mark.parametrize(("task_id", "key", "said"), ASKED_IN_VAIN)
def test_who_sets_what_a_task_asks_for_in_vain(task_id, key, said):
    tasks = [
        Task("load", print, keys=Keys(sets=("rows",))),
        Task("beside", print, (), keys=Keys(sets=("kept",))),
        Task("clean", print, ("load",), keys=Keys(sets=("tidy", "kept"))),
    ]
    lineage = Lineage(Workflow("flow", tasks), {})
    assert lineage.setter(key, task_id) == said
    with pytest.raises(ContextKeyError) as caught:
        Context.in_run(lineage, task_id, lambda value: value)[key]
    assert str(caught.value) == f"No key {key!r} in the context.{said} It has no keys."


def test_roots_share_the_initial_context():
    lineage = lineage_of({"a": "", "b": ""}, x=0)
    lineage.finish("a", {"x": 1})
    assert value(lineage, "b", "x") == 0


def test_a_join_that_was_read_before_it_changed_something_else_keeps_its_merge():
    lineage = lineage_of({"a": "", "b": "", "j": "ab", "k": "j"}, x=[0])
    lineage.finish("a", {"x": [0, 1]})
    lineage.finish("b", {"x": [0, 2]})
    assert value(lineage, "j", "x") == [0, 1, 2]
    lineage.finish("j", {"y": 1})
    assert (value(lineage, "k", "x"), value(lineage, "k", "y")) == ([0, 1, 2], 1)


def test_threads_that_read_first_at_once_get_one_entry(often_switched):
    graph = {"a": "", "b": "", **{f"c{number}": "ab" for number in range(50)}, "last": ["c0", "c1"]}
    for _ in range(20):
        lineage, found, start = lineage_of(graph), [], threading.Barrier(4, timeout=WAIT)
        lineage.finish("a", {"x": 1})
        lineage.finish("b", {"x": 2})

        def read(lineage=lineage, found=found, start=start):
            start.wait()
            found.extend((task_id, lineage.scope(task_id).find("x")) for task_id in graph if task_id not in "ab")

        threads = [threading.Thread(target=read) for _ in range(4)]
        for one in threads:
            one.start()
        for one in threads:
            one.join(WAIT)
        assert len(found) == 4 * 51
        assert len(set(found)) == 51


@pytest.mark.parametrize("changes", [{}, {"y": 1}], ids=["nobody changes anything", "each changes something"])
def test_chains_are_deeper_than_the_stack(changes):
    count = 3000
    lineage = lineage_of({str(number): [str(number - 1)] if number else [] for number in range(count)}, x=0)
    if changes:
        for number in range(count):
            lineage.finish(str(number), changes)
    assert value(lineage, str(count - 1), "x") == 0
    assert lineage.final(dict.fromkeys(map(str, range(count)), COMPLETED)).values == {"x": 0, **changes}


FINALS = [  # what, graph, outcomes that aren't Completed, changes, final values, conflicts
    (
        "the last ones decide the order, not whom they follow",
        {"a": "", "b": "", "c": "b", "d": "a", "e": ""},
        {"e": FAILED},
        {"a": {"x": 1}, "b": {"x": 2}},
        {"x": 1},
        (Conflict("x", "", ("b", "a")),),
    ),
    (
        "what failed merges nothing",
        {"a": "", "b": "", "c": "ba"},
        {"c": FAILED},
        {"a": {"x": 1}, "b": {"x": 2}},
        {"x": 2},
        (Conflict("x", "", ("a", "b")),),
    ),
    ("nothing completed", {"a": ""}, {"a": FAILED}, {}, {"x": 0}, ()),
    ("nothing changed", {"a": "", "b": "a"}, {}, {}, {"x": 0}, ()),
    ("the last one failed", {"a": "", "b": "a"}, {"b": FAILED}, {"a": {"x": 1}}, {"x": 1}, ()),
    (
        "one in the middle failed",
        {"a": "", "b": "a", "c": "b"},
        {"b": FAILED},
        {"a": {"x": 1}, "c": {"y": 2}},
        {"x": 1, "y": 2},
        (),
    ),
    (
        "the later of two",
        {"a": "", "b": ""},
        {},
        {"a": {"x": 1}, "b": {"x": 2}},
        {"x": 2},
        (Conflict("x", "", ("a", "b")),),
    ),
    ("one is deleted", {"a": "", "b": ""}, {}, {"a": {"x": DELETED}}, {}, ()),
    (
        "what follows decides",
        {"a": "", "b": "", "c": "ab"},
        {},
        {"a": {"x": 1}, "b": {"x": 2}, "c": {"x": 3}},
        {"x": 3},
        (),
    ),
]


@pytest.mark.parametrize(
    ("what", "graph", "ended", "changes", "values", "conflicts"), FINALS, ids=[c[0] for c in FINALS]
)
def test_the_final_context(what, graph, ended, changes, values, conflicts):
    lineage = lineage_of(graph, x=0)
    for task_id, changed in changes.items():
        lineage.finish(task_id, changed)
    final = lineage.final({**dict.fromkeys(graph, COMPLETED), **ended})
    assert (final.values, final.conflicts) == (values, conflicts), what


# -- the plain way: every task merges every key at once, when it begins


class Entry(NamedTuple):
    value: Any
    writer: str
    before: Any  # the Entry that it came on top of; None if there was none
    conflict: Conflict | None = None

    def chain(self):
        entry = self
        while entry is not None:
            yield entry
            entry = entry.before


class Eager:
    """What each task gets, and what holds after it, all keys merged as it begins."""

    def __init__(self, graph, initial, wanted, failed):
        self.graph, self.gets, self.holds, self.changes = graph, {}, {}, {}
        self.origin = {key: Entry(value, "", None) for key, value in initial.items()}
        for task_id, dependencies in graph.items():
            gets = self.gets[task_id] = self.join(task_id, [self.holds[one] for one in dependencies])
            there = {key for key, entry in gets.items() if entry.value is not DELETED}
            changes = {key: one for key, one in wanted[task_id].items() if one is not DELETED or key in there}
            self.changes[task_id] = {} if task_id in failed else changes
            own = {key: Entry(one, task_id, gets.get(key)) for key, one in self.changes[task_id].items()}
            self.holds[task_id] = {**gets, **own}
        completed = [task_id for task_id in graph if task_id not in failed]
        last = [one for one in completed if not any(one in self.ancestors(other) for other in completed)]
        self.final = self.join("", [self.holds[one] for one in last])

    def ancestors(self, task_id):
        direct = self.graph.get(task_id, ())
        return {"", *direct, *(found for one in direct for found in self.ancestors(one))} if task_id else set()

    def join(self, task_id, parents):
        if not parents:
            return self.origin
        keys = dict.fromkeys(key for parent in parents for key in parent)
        return {key: self.merged(key, task_id, [parent[key] for parent in parents if key in parent]) for key in keys}

    def merged(self, key, task_id, found):
        entries = [one for place, one in enumerate(found) if not any(one is other for other in found[:place])]
        rivals = [one for one in entries if not any(one.writer in self.ancestors(other.writer) for other in entries)]
        if len(rivals) == 1:
            return rivals[0]
        chains = [list(one.chain()) for one in rivals]
        base = next((one for one in chains[0] if all(any(one is other for other in chain) for chain in chains)), None)
        start = MISSING if base is None else base.value

        def step(so_far, rival):
            one = merge(start, so_far.value, rival.value)
            return Merged(one.value, so_far.contested or one.contested)

        value, contested = reduce(step, rivals[1:], Merged(rivals[0].value, contested=False))
        writers = tuple(one.writer for one in rivals)
        return Entry(value, task_id, base, Conflict(key, task_id, writers) if contested else None)


KEYS = "xyz"
VALUES = st.one_of(
    st.integers(0, 2),
    st.lists(st.integers(0, 3), max_size=3),
    st.dictionaries(st.sampled_from("pq"), st.integers(0, 2), max_size=2),
)


@st.composite
def runs(draw):
    count = draw(st.integers(1, 9))
    ids = [f"t{number}" for number in range(count)]
    graph = {
        one: draw(st.lists(st.sampled_from(ids[:n]), max_size=3, unique=True)) if n else [] for n, one in enumerate(ids)
    }
    initial = draw(st.dictionaries(st.sampled_from(KEYS), VALUES))
    changes = st.dictionaries(st.sampled_from(KEYS), st.one_of(VALUES, st.just(DELETED)), max_size=2)
    wanted = {one: draw(changes) for one in ids}
    return graph, initial, wanted, draw(st.sets(st.sampled_from(ids)))


def told(entries):
    """Each key's value and conflict, without the keys that are deleted."""
    return {key: (one.value, one.conflict) for key, one in entries.items() if one.value is not DELETED}


def read(lineage, task_id):
    found = {key: lineage.scope(task_id).find(key) for key in KEYS}
    return {key: (one.value, one.conflict) for key, one in found.items() if one is not None}


@given(runs(), st.data())
def test_it_is_as_if_each_task_merged_everything_when_it_begins(run, data):
    """Whatever the order in which tasks complete, and whoever reads which key and when."""
    graph, initial, wanted, failed = run
    plain, lineage, over = Eager(graph, initial, wanted, failed), lineage_of(graph, **initial), []
    while len(over) < len(graph):
        ready = [one for one in graph if one not in over and set(graph[one]) <= set(over)]
        task_id = data.draw(st.sampled_from(ready))
        if data.draw(st.booleans()):
            key = data.draw(st.sampled_from(KEYS))
            expected = told(plain.gets[task_id]).get(key, (MISSING, None))
            entry = lineage.scope(task_id).find(key)
            assert (expected[0] is MISSING) == (entry is None)
            assert entry is None or (entry.value, entry.conflict) == expected
        if plain.changes[task_id]:
            lineage.finish(task_id, plain.changes[task_id])
        over.append(task_id)
    final = lineage.final({one: FAILED if one in failed else COMPLETED for one in over})
    expected = told(plain.final)
    assert dict(final.values) == {key: one for key, (one, _) in expected.items()}
    of_the_end = {one.conflict for one in plain.final.values() if one.conflict and not one.conflict.task_id}
    assert set(final.conflicts) == {one for one in of_the_end if one.key in expected}
    for task_id in data.draw(st.permutations(list(graph))):
        assert read(lineage, task_id) == told(plain.holds[task_id])

"""What a task inherits, by hand and for random graphs."""

from hypothesis import given, strategies as st

from cloaca_nb.core.conflict import Conflict
from cloaca_nb.core.merge import DELETED
from cloaca_nb.core.scope import Scope


def value(scope, key):
    entry = scope.find(key)
    return None if entry is None else entry.value


def scope(name, *parents, **changes):
    made = Scope(name, parents)
    made.finish(changes)
    return made


def test_an_untouched_branch_never_overwrites():
    root = Scope(changes={"x": 0})
    a, b = scope("a", root, x=1), scope("b", root)
    for parents in ((a, b), (b, a)):
        join = Scope("join", parents)
        assert value(join, "x") == 1
        assert join.find("x").conflict is None


def test_a_descendants_write_replaces_its_ancestors():
    root = Scope()
    a = scope("a", root, x=1)
    b = scope("b", a, x=2)
    assert value(Scope("join", (b, a)), "x") == 2


def test_the_later_dependency_wins_and_is_a_conflict():
    root = Scope()
    a, b = scope("a", root, x=1), scope("b", root, x=2)
    join = Scope("join", (a, b))
    assert value(join, "x") == 2
    assert join.find("x").conflict == Conflict("x", "join", ("a", "b"))


def test_a_merged_value_counts_as_written_where_it_was_merged():
    root = Scope()
    a, b = scope("a", root, x=1), scope("b", root, x=2)
    join = scope("join", a, b)
    assert value(Scope("end", (join, a)), "x") == 2
    assert Scope("end", (join, a)).find("x").writer is join


def test_a_deleted_key_stays_deleted():
    root = Scope(changes={"x": 1, "y": 1})
    a, b = scope("a", root, x=DELETED), scope("b", root)
    assert Scope("join", (a, b)).find("x") is None
    assert Scope("join", (a, b)).keys() == ["y"]


def test_what_a_branch_removed_over_several_tasks_stays_removed():
    root = Scope(changes={"x": [1, 2, 3]})
    a2 = scope("a2", scope("a", root, x=[1, 2]), x=[1, 2, 4])
    b = scope("b", root, x=[1, 2, 3, 5])
    assert value(Scope("join", (a2, b)), "x") == [1, 2, 4, 5]


def test_a_deep_chain_is_no_recursion():
    last = Scope(changes={"x": 1})
    for number in range(20_000):
        last = Scope(str(number), (last,))
    assert value(last, "x") == 1
    assert last.find("y") is None


def test_a_key_is_not_remembered_by_all_that_it_passes():
    chain = [Scope(changes={"x": 1})]
    for number in range(100):
        chain.append(scope(str(number), chain[-1], **{f"k{number}": number}))
    assert value(chain[-1], "x") == 1
    assert value(chain[-1], "y") is None
    assert [one.task_id for one in chain[1:] if "x" in one._known] == ["98", "99"]
    assert value(scope("sibling", chain[-2]), "x") == 1


def test_a_key_is_found_above_branches_of_many_tasks():
    root = Scope(changes={"x": [1], "y": 0})
    ends = []
    for branch in range(3):
        last = scope(f"{branch} first", root, x=[1, branch + 2])
        for number in range(5):
            last = scope(f"{branch} {number}", last)
        ends.append(last)
    last = Scope("join", ends)
    for number in range(5):
        last = scope(f"after {number}", last)
    assert value(last, "x") == [1, 2, 3, 4]
    assert value(last, "y") == 0
    assert last.find("x").writer.task_id == "join"


def test_keys_come_in_order_with_the_initial_ones_first():
    root = Scope(changes={"start": 0})
    a = scope("a", root, second=1, third=2)
    b = scope("b", a, fourth=3, second=9)
    assert b.keys() == ["start", "second", "third", "fourth"]


@st.composite
def graphs(draw):
    """For each task its parents (earlier ones) and what it sets."""
    count = draw(st.integers(1, 8))
    return [
        (
            sorted(draw(st.sets(st.integers(0, number - 1), max_size=3))) if number else [],
            draw(st.dictionaries(st.sampled_from("xyz"), st.integers(0, 3) | st.lists(st.integers(0, 3), max_size=2))),
        )
        for number in range(count)
    ]


def build(graph, order):
    """Make the scopes of `graph`, reading every key at each task when it is its turn in `order`."""
    root = Scope(changes={"x": [0]})
    made = {}
    for number, (parents, _) in enumerate(graph):
        made[number] = Scope(str(number), [made[one] for one in parents] or [root])
    for number in order:
        for key in "xyz":
            made[number].find(key)
        made[number].finish(graph[number][1])
    return [{key: value(made[number], key) for key in "xyz"} for number in range(len(graph))]


def orders(graph):
    """Yield two topological orders that differ as much as possible."""
    yield list(range(len(graph)))
    left, done = set(range(len(graph))), []
    while left:
        ready = [number for number in left if set(graph[number][0]) <= set(done)]
        done.append(max(ready))
        left.discard(done[-1])
    yield done


def layers(depth, width):
    """Scopes that all change one key, each layer on top of the whole one before."""
    made = [[Scope(changes={"x": -1})]]
    for level in range(depth):
        made.append([Scope(f"{level}.{place}", made[-1]) for place in range(width)])
        for one in made[-1]:
            one.finish({"x": value(one, "x") + 1})
    return made


def test_a_key_that_every_task_changes_stays_cheap_to_merge():
    """Each merge is made once: to make it again at each look back would take 3 to the power of the depth."""
    assert value(Scope("", layers(400, 3)[-1]), "x") == 399


def test_what_branches_started_from_is_found_on_the_way_back():
    """`b` and `c` come from one merge, made at different tasks: what `a1` and `a2` came from is their common start."""
    root = Scope(changes={"x": {"s": 0}})
    a1, a2 = scope("a1", root, x={"s": 0, "one": 1}), scope("a2", root, x={"s": 0, "two": 2})
    b, c = scope("b", a1, a2, x={"s": 4}), scope("c", a1, a2, x={"s": 0, "one": 1, "two": 2, "c": 3})
    assert value(Scope("", (b, c)), "x") == {"s": 4, "one": 1, "two": 2, "c": 3}


@given(graphs())
def test_the_order_of_completion_does_not_matter(graph):
    first, second = (build(graph, order) for order in orders(graph))
    assert first == second


def test_keys_of_parallel_tasks_come_in_registration_order():
    root = Scope()
    first, second = Scope("first", (root,), {"a": 1}, order=0), Scope("second", (root,), {"b": 1}, order=1)
    assert Scope("join", (second, first)).keys() == ["a", "b"]

"""Circles of data: which reads only the initial context can answer, and which are legal."""

import pytest

from cloaca_nb.core.circles import circles
from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.names import Keys
from cloaca_nb.core.task import Task


def task(task_id, reads="", sets="", dependencies=None, **facts):
    return Task(task_id, print, dependencies, keys=facts.pop("keys", Keys(tuple(reads), sets=tuple(sets))), **facts)


RING = [task("a", "w", "x"), task("b", "x", "y"), task("c", "y", "w")]

CASES = {
    # tasks, parameters, for each circle its tasks, its keys, who reads which key, and who else sets that
    "three": (RING, "", [("abc", "xyw", "c", "y", "")]),
    "two": ([task("a", "y", "x"), task("b", "x", "y")], "", [("ab", "xy", "b", "x", "")]),
    "one name": ([task("a", "x", "x"), task("b", "x", "x")], "", [("ab", "x", "b", "x", "")]),
    "a dependency that is named": ([task("a", "", "x", after=("b",)), task("b", "x")], "", [("ab", "x", "b", "x", "")]),
    "another one sets it as well": (
        [task("p", "", "x"), task("a", "", "x", after=("b",)), task("b", "x")],
        "",
        [("ab", "x", "b", "x", "p")],
    ),
    "told once": ([task("a", "", "xy", after=("b",)), task("b", "xy")], "", [("ab", "xy", "b", "x", "")]),
    "two of them": (
        [*RING, task("d", "v", "u"), task("e", "u", "v")],
        "",
        [("abc", "xyw", "c", "y", ""), ("de", "uv", "e", "u", "")],
    ),
    "a parameter opens it": (RING, "y", []),
    "any of its parameters does": (RING, "w", []),
    "none": ([task("a", "", "x"), task("b", "x", "y"), task("c", "xy", "x")], "", []),
    "a chain of one name": ([task("a", "", "x"), task("b", "x", "x"), task("c", "x", "x")], "", []),
    "a later setter": ([task("b", "x", "y"), task("a", "", "x")], "", []),
    "its own key": ([task("a", "x", "x")], "", []),
    "an ancestor sets it": (
        [task("a", "", "x", ()), task("c", "", "x", after=("b",)), task("b", "x", "", after=("a",))],
        "",
        [],
    ),
    "an ancestor may set any key": (
        [task("a", keys=Keys(computed=True)), task("c", "", "x", after=("b",)), task("b", "x", "", after=("a",))],
        "",
        [],
    ),
    "a key with a default": (
        [task("a", "", "x", after=("b",)), task("b", keys=Keys(optional=("x",)))],
        "",
        [],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_circles(case):
    tasks, parameters, expected = CASES[case]
    workflow = Workflow("flow", tasks, parameters=dict.fromkeys(parameters))
    found = [("".join(one.ids), "".join(one.keys), one.reader, one.key, one.other) for one in workflow.circles]
    assert found == expected


def test_a_circle_is_spelled_out_with_the_fix():
    (circle,) = Workflow("flow", RING).circles
    assert circle.sentence == (
        "a -> b -> c -> a go in a circle (x, y, w): each waits for the one before it, so nothing sets 'y' before 'c' "
        "reads it. Set one of these under another name, or give it its first value as a parameter (%%cloaca_params)."
    )
    (circle,) = Workflow("flow", CASES["another one sets it as well"][0]).circles
    assert circle.sentence.endswith(" Or have 'b' follow 'p', which sets 'x' too.")


def test_of_a_large_circle_the_ends_are_told():
    tasks = {
        f"t{n}": Task(f"t{n}", print, keys=Keys((f"k{n - 1 if n else 999}",), sets=(f"k{n}",))) for n in range(1000)
    }
    workflow = Workflow("flow", tasks.values())
    (circle,) = circles(tasks, workflow.dependencies, workflow.dependents, ())
    assert len(circle.ids) == 1000
    assert circle.sentence.startswith("t0 -> t1 -> t2 -> t3 -> t4 -> t5 -> t6 -> … -> t0 go in a circle (k0, k1, ")

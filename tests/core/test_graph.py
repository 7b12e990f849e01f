"""Workflows: validation, order, and dependencies that follow from the data."""

import pytest

from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.names import Keys
from cloaca_nb.core.rules import task_failed
from cloaca_nb.core.task import Task
from cloaca_nb.errors import TaskNotFoundError, WorkflowValidationError


def task(task_id, dependencies=None, *, reads=(), sets=(), **facts):
    return Task(task_id, lambda _context: None, dependencies, keys=Keys(tuple(reads), sets=tuple(sets)), **facts)


def flow(*tasks, **facts):
    return Workflow("flow", tasks, **facts)


def test_levels_roots_leaves_and_order_go_by_registration():
    workflow = flow(task("d", ("b", "c")), task("a", ()), task("c", ("a",)), task("b", ("a",)), task("e", ("c",)))
    assert workflow.levels == (("a",), ("c", "b"), ("d", "e"))
    assert workflow.topological_sort() == ["a", "c", "b", "d", "e"]
    assert workflow.roots == ("a",)
    assert workflow.leaves == ("d", "e")
    assert workflow.dependents["a"] == ("c", "b")
    assert repr(workflow) == "Workflow(name='flow', tasks=5)"


INVALID = [
    ("nothing", [], "Workflow cannot be empty: 'flow' has no task"),
    ("twice", [task("a", ()), task("a", ())], "Duplicate task: workflow 'flow' has 'a' and 'a'"),
    ("missing", [task("load", ()), task("clean", ("laod",))], "Missing dependency: .*'laod'.*Did you mean 'load'"),
    (
        "a circle",
        [task("a", ("c",)), task("b", ("a",)), task("c", ("b",))],
        "Circular dependency.*: (a -> b -> c -> a|b -> c -> a -> b|c -> a -> b -> c) ",
    ),
    ("itself", [task("a", ("a",))], "Circular dependency in workflow 'flow': a -> a"),
    ("a rule", [task("a", (), rule=task_failed("b"))], "Missing dependency: task 'a'.*'b'"),
    (
        "several later setters",
        [task("use", reads=["x"]), task("p", (), sets=["x"]), task("q", (), sets=["x"])],
        r"reads 'x', which several later tasks set: 'p', 'q'. Say which one it follows: dependencies=\['p'\]",
    ),
]


@pytest.mark.parametrize(("what", "tasks", "text"), INVALID, ids=[case[0] for case in INVALID])
def test_what_makes_no_workflow_is_said(what, tasks, text):
    with pytest.raises(WorkflowValidationError, match=text):
        flow(*tasks)


INFERRED = [
    # what, tasks, parameters, inferred
    (
        "from the nearest earlier one",
        [task("a", sets="x"), task("b", sets="x"), task("c", reads="x")],
        {},
        {"c": ("b",)},
    ),
    ("from the sole later one", [task("c", reads="x"), task("a", sets="x")], {}, {"c": ("a",)}),
    ("not from a later one for a parameter", [task("c", reads="x"), task("a", sets="x")], {"x": 1}, {}),
    ("named ones are all there is", [task("a", sets="x"), task("c", (), reads="x")], {}, {}),
    ("after leaves it on", [task("a", sets="x"), task("b", ()), task("c", reads="x", after=("b",))], {}, {"c": ("a",)}),
    (
        "a chain that reads and sets one name",
        [task("a", sets="x"), task("b", reads="x", sets="x"), task("c", reads="x")],
        {},
        {"b": ("a",), "c": ("b",)},
    ),
    ("never a circle", [task("a", ("b",), sets="x"), task("b", reads="x")], {}, {}),
    ("nobody sets it", [task("a", reads="x")], {}, {}),
]


@pytest.mark.parametrize(("what", "tasks", "parameters", "inferred"), INFERRED, ids=[case[0] for case in INFERRED])
def test_dependencies_follow_from_the_data(what, tasks, parameters, inferred):
    assert flow(*tasks, parameters=parameters).inferred_dependencies == inferred
    assert flow(*tasks, parameters=parameters, infer=False).inferred_dependencies == {}


def test_a_key_that_no_ancestor_sets_is_warned_of():
    workflow = flow(task("a", (), sets="x"), task("b", (), reads="x"))
    (warning,) = workflow.warnings
    assert "Task 'b' reads 'x', which 'a' sets, but does not depend on it: add 'a'" in warning
    assert flow(task("a", (), sets="x"), task("b", ("a",), reads="x")).warnings == ()


def test_a_dependency_that_would_close_a_circle_is_not_recommended():
    (warning,) = flow(task("a", ("b",), sets="x"), task("b", (), reads="x")).warnings
    assert "Task 'b' reads 'x', which 'a' sets only after it: give 'x' its first value as a parameter" in warning
    (warning,) = flow(task("p", (), sets="x"), task("a", ("b",), sets="x"), task("b", (), reads="x")).warnings
    assert "'p' and 'a' set, but does not depend on them: add 'p'" in warning


def test_the_version_says_whether_two_definitions_are_equal():
    def version(source):
        return flow(task("a", (), source=source), task("b", ("a",))).version

    assert version("x") == version("x") != version("y")


def test_an_unknown_task_is_answered_with_the_near_miss():
    with pytest.raises(TaskNotFoundError, match="no task 'claen'. Did you mean 'clean'"):
        flow(task("clean", ()))["claen"]


def test_a_workflow_whose_tasks_are_changed_keeps_everything_else():
    facts = {
        "description": "what it is for",
        "tags": {"team": "data"},
        "parameters": {"year": 2013, "title": ""},
        "derived": {"title": lambda year: f"Delays of {year}"},
        "secret": ("token",),
    }
    of_a_workflow = [one for one in dir(Workflow) if isinstance(getattr(Workflow, one), property)]
    workflow = flow(task("a", sets="x"), task("b", reads="x"), **facts)
    changed = workflow.changed(lambda one: one)
    assert {*facts, "inferred_dependencies"} <= {*of_a_workflow}
    for name in of_a_workflow:
        assert getattr(changed, name) == getattr(workflow, name), name
    assert workflow.up_to("a").secret == ("token",)

"""The order of a run: what may start, what is skipped and why, when it is over."""

import pytest
from hypothesis import given, strategies as st

from cloaca_nb.core import rules
from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.plan import Plan
from cloaca_nb.core.status import Outcome, Status
from cloaca_nb.core.task import Task

FAILED, COMPLETED, SKIPPED = Outcome.FAILED, Outcome.COMPLETED, Outcome.SKIPPED


def drive(tasks, failing=(), values=None):
    """Run the plan in its own order; return how tasks ended, why some were skipped, and the status."""
    workflow = Workflow("w", tasks)
    plan = Plan(workflow, lambda _task_id: (values or {}).get)
    reasons = {}
    step = plan.begin()
    ready = list(step.ready)
    while True:
        reasons |= dict(step.skipped)
        if not ready:
            break
        task_id = ready.pop(0)
        step = plan.finish(task_id, FAILED if task_id in failing else COMPLETED)
        ready += step.ready
    assert plan.is_over
    return {key: str(value) for key, value in plan.outcomes.items()}, reasons, plan.status


def task(task_id, *dependencies, rule=None):
    return Task(task_id, lambda _context: None, dependencies, rule=rule)


CASES = [
    # what, tasks, failing, skipped with reasons, status
    ("all is well", [task("a"), task("b", "a")], [], {}, Status.COMPLETED),
    (
        "a failure skips what follows, and says which",
        [task("a"), task("b", "a"), task("c", "b"), task("d")],
        ["a"],
        {"b": "because a failed", "c": "because a failed"},
        Status.FAILED,
    ),
    (
        "also behind a join",
        [task("a"), task("b"), task("c", "a"), task("d", "b", "c")],
        ["a"],
        {"c": "because a failed", "d": "because a failed"},
        Status.FAILED,
    ),
    (
        "a handled failure is a failure",
        [task("a"), task("h", "a", rule=rules.task_failed("a"))],
        ["a"],
        {},
        Status.FAILED,
    ),
    (
        "a rule that doesn't hold leaves the run completed",
        [task("a"), task("h", "a", rule=rules.task_failed("a")), task("after", "h")],
        [],
        {"h": "because its trigger rule does not hold", "after": "because h was skipped"},
        Status.COMPLETED,
    ),
    (
        "one completed dependency is enough beside a skipped one",
        [task("a"), task("h", "a", rule=rules.task_failed("a")), task("j", "a", "h")],
        [],
        {"h": "because its trigger rule does not hold"},
        Status.COMPLETED,
    ),
    ("always", [task("a"), task("z", "a", rule=rules.always())], ["a"], {}, Status.FAILED),
]


@pytest.mark.parametrize(("what", "tasks", "failing", "reasons", "status"), CASES, ids=[case[0] for case in CASES])
def test_a_run(what, tasks, failing, reasons, status):
    outcomes, skipped, ended = drive(tasks, failing)
    assert skipped == reasons
    assert ended is status
    assert {key for key, value in outcomes.items() if value == SKIPPED} == set(reasons)


RULES = [
    (rules.all_success(), True),
    (rules.task_success("a"), True),
    (rules.task_success("f"), False),
    (rules.task_failed("f"), True),
    (rules.task_skipped("s"), True),
    (rules.context_value("n", ">", 2), True),
    (rules.context_value("n", "less_than", 2), False),
    (rules.context_value("absent", "NotExists"), True),
    (rules.context_value("n", "Contains", 1), False),  # an int contains nothing
    (rules.all_of(rules.always(), rules.task_failed("a")), False),
    (rules.any_of(rules.task_failed("a"), rules.task_failed("f")), True),
    (rules.none_of(rules.task_failed("a")), True),
]


@pytest.mark.parametrize(("rule", "holds"), RULES, ids=[str(case[0]) for case in RULES])
def test_rules(rule, holds):
    tasks = [task("a"), task("f"), task("s", "f"), task("t", "a", rule=rule)]
    outcomes, _, _ = drive(tasks, ["f"], {"n": 3})
    expected = holds if not isinstance(rule, rules.AllSuccess) else True
    assert (outcomes["t"] == COMPLETED) is expected


@given(st.data())
def test_every_task_is_over_exactly_once_and_never_before_its_dependencies(data):
    count = data.draw(st.integers(1, 12))
    tasks = [
        task(str(number), *map(str, data.draw(st.sets(st.integers(0, number - 1), max_size=3)) if number else ()))
        for number in range(count)
    ]
    workflow = Workflow("w", tasks)
    plan = Plan(workflow, lambda _task_id: lambda _key, default: default)
    ended, ready = [], list(plan.begin().ready)
    while ready:
        chosen = ready.pop(data.draw(st.integers(0, len(ready) - 1)))
        assert set(workflow.dependencies[chosen]) <= set(plan.outcomes)
        step = plan.finish(chosen, data.draw(st.sampled_from([COMPLETED, FAILED])))
        ended += [chosen, *(one.task_id for one in step.skipped)]
        ready += step.ready
    assert plan.is_over
    assert sorted(ended) == sorted(plan.outcomes) == sorted(map(str, range(count)))


def test_cancel_ends_what_is_open():
    plan = Plan(Workflow("w", [task("a"), task("b", "a")]), lambda _task_id: lambda _key, default: default)
    plan.begin()
    plan.finish("a", COMPLETED)
    assert plan.cancel() == ["b"]
    assert plan.is_over
    assert plan.status is Status.CANCELLED

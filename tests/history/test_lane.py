from typing import Any

import pytest

from cloaca_nb.core import events
from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.status import Outcome, Status
from cloaca_nb.core.task import Task
from cloaca_nb.history.lane import Lane

FLOW = Workflow(
    "flow", [Task("a", print, ()), Task("b", print, ("a",)), Task("c", print, ("b",)), Task("d", print, ())]
)


def begin(run_id: str = "r", *, heavy: bool = False) -> events.RunStarted:
    return events.RunStarted(1.0, run_id, FLOW, "run", {"heavy": heavy})


def attempt(task_id: str) -> events.AttemptStarted:
    return events.AttemptStarted(1.0, "r", task_id, 1)


def end(task_id: str, run_id: str = "r", *, heavy: bool = False) -> events.TaskFinished:
    return events.TaskFinished(1.0, run_id, task_id, 1, Outcome.COMPLETED, {"heavy": heavy}, None, "")


OVER = events.RunFinished(1.0, "r", Status.COMPLETED, {}, "")


def is_heavy(event: Any) -> bool:
    held = {events.RunStarted: "initial", events.TaskFinished: "changes"}.get(type(event))
    return held is not None and bool(getattr(event, held)["heavy"])


@pytest.fixture
def lane() -> Lane:
    return Lane(is_heavy, lambda _run_id, task_id: FLOW.dependencies[task_id])


# What is said, and which of it waits.
CASES: dict[str, tuple[list[events.Event], list[bool]]] = {
    "nothing heavy": ([begin(), attempt("a"), end("a"), OVER], [False] * 4),
    "what depends on it": ([end("a", heavy=True), end("b"), end("c"), end("d")], [True, True, True, False]),
    "a beginning": ([begin(heavy=True), attempt("a"), end("a"), OVER], [True] * 4),
    "the end of its run": ([end("d", heavy=True), end("a"), OVER], [True, False, True]),
    "another run": ([end("a", heavy=True), begin("s"), end("b", "s")], [True, False, False]),
    "what goes on": ([end("a", heavy=True), attempt("b"), attempt("d")], [True, False, False]),
}


@pytest.mark.parametrize(("said", "waiting"), CASES.values(), ids=CASES)
def test_what_waits(said: list[events.Event], waiting: list[bool], lane: Lane) -> None:
    assert [lane.takes(event) for event in said] == waiting
    while lane.items:
        lane.leave()
    assert not lane.takes(end("c"))


def test_what_is_behind_a_beginning_stays_so_until_its_turn_has_come(lane: Lane) -> None:
    assert lane.takes(begin(heavy=True))
    assert lane.takes(attempt("a"))
    lane.leave()
    assert lane.takes(end("a"))
    lane.leave()
    assert lane.takes(end("b"))
    assert not lane.takes(attempt("b"))
    lane.leave()
    lane.leave()
    assert not lane.takes(end("c"))

from typing import Any

import pytest

from cloaca_nb.core import events
from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.status import Outcome, Status
from cloaca_nb.core.task import Task
from cloaca_nb.history.lane import Lane
from cloaca_nb.history.opening import CodeOf, ValuesOf
from cloaca_nb.history.rows import News

FLOW = Workflow(
    "flow", [Task("a", print, ()), Task("b", print, ("a",)), Task("c", print, ("b",)), Task("d", print, ())]
)


def end(task_id: str) -> events.TaskFinished:
    return events.TaskFinished(1.0, "r", task_id, 1, Outcome.COMPLETED, {}, None, "")


ATTEMPT = events.AttemptStarted(1.0, "r", "b", 1)
OVER = events.RunFinished(1.0, "r", Status.COMPLETED, {}, "")
CODE = CodeOf("r", FLOW)
VALUES = ValuesOf("r", ())


@pytest.fixture
def lane() -> Lane:
    return Lane(FLOW.dependencies.__getitem__)


def leave_all(lane: Lane) -> list[Any]:
    return [lane.leave() for _ in tuple(lane.items)]


# What waits, what is said then, and which of that is held up.
CASES: dict[str, tuple[list[News], list[News], list[bool]]] = {
    "nothing waits": ([], [ATTEMPT, end("a"), OVER], [False] * 3),
    "a task": ([end("a")], [ATTEMPT, end("b"), end("c"), end("d"), OVER], [False, True, False, False, True]),
    "a task and what follows it": ([end("a"), end("b")], [end("c"), end("d")], [True, False]),
    "the code": ([CODE], [ATTEMPT, VALUES, end("a"), OVER], [False, False, True, True]),
    "initial values": ([VALUES], [ATTEMPT, end("a"), OVER], [False, False, True]),
}


@pytest.mark.parametrize(("waiting", "said", "held_up"), CASES.values(), ids=CASES)
def test_what_is_held_up(waiting: list[News], said: list[News], held_up: list[bool], lane: Lane) -> None:
    for news in waiting:
        lane.put(news)
    assert [lane.holds_up(news) for news in said] == held_up
    assert leave_all(lane) == waiting
    assert not any(map(lane.holds_up, said))


def test_what_is_there_twice_holds_up_until_both_have_left(lane: Lane) -> None:
    lane.put(end("a"))
    lane.put(end("a"))
    lane.leave()
    assert lane.holds_up(end("b"))
    lane.leave()
    assert not lane.holds_up(end("b"))

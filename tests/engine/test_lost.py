"""Changes in place that no other task sees: told when the body ends, once for each task and name."""

import asyncio
import heapq
import logging

import pytest

from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.retry import RetryPolicy
from cloaca_nb.core.task import Task
from cloaca_nb.values import lost


@pytest.fixture
def heard(engine_of, caplog):
    """Executes bodies on a list of rows, and returns what is said of it."""
    engine = engine_of(2, lost=lost)

    def execute(*bodies, **options):
        tasks = [Task(id=f"t{place}", function=body, **options) for place, body in enumerate(bodies)]
        result = engine.start(Workflow("w", tasks), {"rows": [2, 1, 3], "name": "x"}).wait(10)
        assert result.status == "Completed", result.error
        return [text for text in caplog.messages if "in place" in text or "So have" in text]

    return execute


def append(context):
    context["rows"].append(4)


def said(task="'t0'", fix="write context['rows'] = rows"):
    return (
        f"Task {task} has changed its own 'rows' in place, which no other task sees: to pass that on, {fix}; "
        "else change a copy."
    )


def test_a_change_by_method_is_told_with_the_fix(heard):
    assert heard(append) == [said()]


def test_a_change_that_any_function_makes_is_told(heard):
    assert heard(lambda context: heapq.heappush(context["rows"], 0)) == [said()]


def test_an_async_body_is_looked_at_too(heard):
    async def body(context):
        await asyncio.sleep(0)
        context["rows"].append(4)

    assert heard(body, is_async=True) == [said()]


def test_a_cell_is_told_what_a_cell_has_for_it(heard):
    found = heard(append, source="%%cloaca_task t0\nrows.append(4)", where="Cell In[3]")
    assert found == [said("'t0' (Cell In[3])", "assign it (rows = …) or say --out rows")]


def set_it(context):
    rows = context["rows"]
    rows.append(4)
    context["rows"] = rows


def pass_it_on(context):
    rows = context["rows"]
    rows.append(4)
    context["more"] = {"rows": rows}


def delete_it(context):
    context["rows"].append(4)
    del context["rows"]


def change_a_copy(context):
    context["rows"].copy().append(4)


def only_read(context):
    context["n"] = len(context["rows"]) + len(context["name"])


def read_nothing(context):
    context["n"] = 1


@pytest.mark.parametrize("body", [set_it, pass_it_on, delete_it, change_a_copy, only_read, read_nothing])
def test_what_is_set_passed_on_or_only_read_is_not_told(heard, body):
    assert heard(body) == []


def test_a_task_that_is_tried_again_is_told_of_once(heard):
    attempts = []

    def body(context):
        context["rows"].append(4)
        attempts.append(1)
        if len(attempts) < 3:
            raise ConnectionError

    assert heard(body, retry=RetryPolicy(max_attempts=3, initial_delay=0)) == [said()]
    assert len(attempts) == 3


def test_thousands_of_tasks_of_one_place_are_told_of_twice(heard):
    first, more = heard(*[append] * 500, where="flows.py:3")
    assert first.endswith("else change a copy.")
    assert more == "So have 499 more tasks with their own 'rows' (flows.py:3)."


def test_it_is_kept_as_output_of_the_task(engine_of, events, monkeypatch):
    monkeypatch.setattr(logging.getLogger("cloaca_nb"), "handlers", [logging.StreamHandler()])
    engine = engine_of(1, lost=lost)
    engine.start(Workflow("w", [Task(id="a", function=append)]), {"rows": []}).wait(10)
    assert [one.task_id for one in events if "in place" in getattr(one, "text", "")] == ["a"]


def test_no_change_of_a_value_fails_a_task(heard):
    class Odd:
        def __getattribute__(self, name):
            if name == "__dict__":
                raise RuntimeError(name)
            return object.__getattribute__(self, name)

    def body(context):
        context["rows"].append(4)
        context["odd"] = Odd()

    heard(body)

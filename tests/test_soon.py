"""What is promised to come soon does, small and under generous limits; `make bench` measures it at its full size."""

import time
from pathlib import Path

import pytest

from cloaca_nb.core.context import Context
from cloaca_nb.core.events import AttemptStarted, Event
from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.names import Keys
from cloaca_nb.core.task import Task
from cloaca_nb.history.views import VIEWS
from cloaca_nb.runner import DefaultRunner

TASKS, RUNS = 200, 20
LIMIT = 5.0  # seconds; it takes some hundredths, on a machine that isn't busy


def add_one(context: Context) -> None:
    context["rows"] = context["rows"] + 1


def fail(context: Context) -> None:
    raise ValueError(context["rows"])


def chain(last: object) -> Workflow:
    bodies = [add_one] * (TASKS - 1) + [last]
    tasks = [
        Task(f"t{place}", body, (f"t{place - 1}",) if place else (), keys=Keys())  # type: ignore[arg-type]  # a function
        for place, body in enumerate(bodies)
    ]
    return Workflow("chain", tasks)


def test_a_long_run_that_is_resumed_begins_soon(tmp_path: Path) -> None:
    database = str(tmp_path / "history.duckdb")
    with DefaultRunner(database) as runner:
        assert runner.execute(chain(fail), {"rows": 0}).status == "Failed"
    begun: list[tuple[str, float]] = []

    def note(event: Event) -> None:
        if isinstance(event, AttemptStarted):
            begun.append((event.task_id, time.perf_counter()))

    with DefaultRunner(database) as runner:
        called = time.perf_counter()
        result = runner.resume(workflow=chain(add_one), observers=[note])
    assert result.final_context["rows"] == TASKS
    [(task_id, at)] = begun
    assert task_id == f"t{TASKS - 1}"
    assert at - called < LIMIT


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("soon") / "history.duckdb"
    with DefaultRunner(str(path)) as runner:
        for _ in range(RUNS):
            runner.execute(chain(add_one), {"rows": 0})
    return str(path)


@pytest.mark.parametrize("view", [view.table.name for view in VIEWS])
def test_a_view_answers_soon(view: str, database: str) -> None:
    with DefaultRunner(database) as runner:
        asked = time.perf_counter()
        assert not runner.history().sql(f"FROM {view}").empty
        assert time.perf_counter() - asked < LIMIT

"""What history has of the tasks of a workflow, and what it gives back."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cloaca_nb.core.context import Context
from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.merge import DELETED
from cloaca_nb.core.task import Task
from cloaca_nb.errors import HistoryError
from cloaca_nb.history.memory import Earlier
from cloaca_nb.runner import DefaultRunner

SHORT = "00000000-run-a1b2c3d4"


def load(context: Any) -> None:
    context["rows"] = context["rows"] + [1]


def clean(context: Any) -> None:
    context["same"] = context["rows"]
    del context["raw"]


def fail(context: Any) -> None:
    context["never"] = 1
    raise ValueError(context["same"])


FLOW = Workflow("flow", [Task("load", load, ()), Task("clean", clean, ("load",)), Task("fail", fail, ("clean",))])
FIRST = {"rows": [0], "raw": "x", "much": bytes(10_000)}


@pytest.fixture(params=["memory", "file"])
def runner(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DefaultRunner]:
    with DefaultRunner(":memory:" if request.param == "memory" else str(tmp_path / "history.duckdb")) as made:
        yield made


def test_every_task_of_a_run_is_remembered(runner: DefaultRunner) -> None:
    run_id = runner.execute(FLOW, FIRST).run_id
    memory = runner.history().memory(FLOW, run_id)
    found = {task_id: earlier[0] for task_id, earlier in memory.tasks.items()}
    assert {task_id: (one.outcome, one.run_id) for task_id, one in found.items()} == {
        "load": ("Completed", run_id),
        "clean": ("Completed", run_id),
        "fail": ("Failed", run_id),
    }
    assert memory.values(found["load"]) == {"rows": [0, 1]}
    assert memory.values(found["clean"]) == {"same": [0, 1], "raw": DELETED}
    assert memory.values(found["fail"]) == {}
    assert list(found["clean"].reads) == ["rows", "raw"]
    assert found["load"].code == memory.code.tasks["load"].digest
    assert "task body" in memory.parts[memory.code.tasks["load"].digest]


def test_values_that_are_given_back_are_ones_own(runner: DefaultRunner) -> None:
    run_id = runner.execute(FLOW, FIRST).run_id
    memory = runner.history().memory(FLOW, run_id)
    (earlier,) = memory.tasks["load"]
    memory.values(earlier)["rows"].append(99)
    assert memory.values(earlier) == {"rows": [0, 1]}


def test_what_a_task_is_taken_with(runner: DefaultRunner) -> None:
    run_id = runner.execute(FLOW, FIRST).run_id
    memory = runner.history().memory(FLOW, run_id)
    taken = memory.taken(memory.tasks["load"][0], Context({"rows": [0]}), "unchanged")
    assert (taken.run_id, taken.changes, taken.reason) == (run_id, {"rows": [0, 1]}, "unchanged")


def test_the_latest_of_all_runs_comes_first_and_equal_ones_once(runner: DefaultRunner) -> None:
    for rows in ([0], [1], [0]):
        runner.execute(FLOW, {**FIRST, "rows": rows})
    runs = list(runner.history().runs()["run_id"])  # the latest first
    memory = runner.history().memory(FLOW)
    assert [one.run_id for one in memory.tasks["load"]] == [runs[0], runs[1]]
    assert [memory.values(one)["rows"] for one in memory.tasks["load"]] == [[0, 1], [1, 1]]
    assert "fail" not in memory.tasks


def other_load(context: Any) -> None:
    context["rows"] = context["rows"] + [2]


def test_of_other_code_only_the_latest_is_remembered(runner: DefaultRunner) -> None:
    for rows in ([0], [1], [2]):
        runner.execute(FLOW, {**FIRST, "rows": rows})
    edited = Workflow("flow", [Task("load", other_load, ())])
    memory = runner.history().memory(edited)
    assert [memory.values(one)["rows"] for one in memory.tasks["load"]] == [[2, 1]]


def test_runs_before_the_last_are_remembered_after_it(runner: DefaultRunner) -> None:
    first = runner.execute(FLOW, FIRST).run_id
    second = runner.resume(workflow=FLOW).run_id
    memory = runner.history().memory(FLOW, second)
    assert [one.run_id for one in memory.tasks["load"]] == [second, first]
    assert memory.values(memory.tasks["clean"][0]) == {"same": [0, 1], "raw": DELETED}


def test_the_initial_context_is_given_back(runner: DefaultRunner) -> None:
    flow = Workflow("flow", [Task("load", load, ())], parameters={"rows": [5], "year": 2013})
    runner.execute(flow, {"raw": None, "much": bytes(10_000)})
    history = runner.history()
    assert history.initial() == {"rows": [5], "year": 2013, "raw": None, "much": bytes(10_000)}
    assert history.initial(named=["much", "year"]) == {"rows": [5], "raw": None}


def test_a_value_that_a_run_has_met_before_is_found_in_the_first_of_its_rows(runner: DefaultRunner) -> None:
    def pass_on(context: Any) -> None:
        context["copy"] = context["given"]

    flow = Workflow("again", [Task("first", pass_on, ())])
    run_id = runner.execute(flow, {"given": "a text"}).run_id
    memory = runner.history().memory(flow, run_id)
    assert memory.values(memory.tasks["first"][0]) == {"copy": "a text"}
    assert list(runner.history().sql("SELECT count(data) AS rows FROM artifacts")["rows"]) == [1]


def test_a_value_that_is_not_there_any_more_is_named(tmp_path: Path) -> None:
    with DefaultRunner(str(tmp_path / "history.duckdb")) as runner:
        run_id = runner.execute(FLOW, FIRST).run_id
        for artifact in tmp_path.rglob("*-artifacts/*/*"):
            artifact.unlink()
        with pytest.raises(HistoryError, match=rf"Run {run_id[-8:]} began with 'much'.*Give it again"):
            runner.history().initial(run_id)


def test_a_run_is_named_by_the_end_of_its_id() -> None:
    assert Earlier(SHORT, "Completed", None, {}).run == "run a1b2c3d4"

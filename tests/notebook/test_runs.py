"""Runs in the background: in a shell, in a kernel with a person at it, and under nbclient."""

import threading
from datetime import datetime

import pytest

from cloaca_nb.errors import HistoryError

GATE = "import threading\nbegun, go = threading.Event(), threading.Event()"
SLOW = "%%cloaca_task slow\nbegun.set()\ngo.wait(60)\nx = 1"
LATER = "%%cloaca_task later\ny = x + 1"


@pytest.fixture
def slow(cell):
    for text in (GATE, SLOW, LATER):
        assert cell(text).error is None
    yield cell
    cell.names["go"].set()


def begin(cell):
    ran = cell("%cloaca_run --background -o run")
    assert ran.error is None, ran.out
    assert cell.names["begun"].wait(60)
    return ran


def test_the_cell_returns_at_once_and_a_line_tells_how_to_end_the_run(slow) -> None:
    ran = begin(slow)
    run = slow.names["run"]
    assert ran.value is run
    assert run.status == "Running"
    name = run.run_id[-8:]
    began = f"{datetime.fromtimestamp(run.record.started):%H:%M:%S}"  # noqa: DTZ006 - as on the clocks here
    assert ran.shown[0] == (
        f"● notebook  ·  run {name}  ·  began {began}  ·  in the background; to end it: %cloaca_cancel"
        f"  ·  how it stands: %cloaca_history {name}"
    )
    slow.names["go"].set()
    assert dict(run.wait(60).final_context) == {"x": 1, "y": 2}


def test_the_end_is_told_with_the_next_line_of_a_terminal(slow) -> None:
    begin(slow)
    slow.names["go"].set()
    slow.session.runs.close()  # waits for the last words
    run = slow.names["run"]
    assert slow("1").err.startswith(f"✓ notebook  ·  run {run.run_id[-8:]}  ·  completed in ")
    assert slow("1").err == ""
    assert slow.session.last_result.run_id == run.run_id
    assert slow("%cloaca_pull y").error is None
    assert slow.names["y"] == 2


def test_a_run_keeps_the_cells_and_helpers_that_it_began_with(slow) -> None:
    slow("STEP = 1\ndef stepped(number):\n    return number + STEP")
    slow("%%cloaca_task later\ny = stepped(x), STEP")
    begin(slow)
    slow("%%cloaca_task later\ny = 'edited'")
    slow("STEP = 100\ndef stepped(number):\n    return 'edited'")
    slow.names["go"].set()
    assert slow.names["run"].wait(60).final_context["y"] == (2, 1)
    slow.session.runs.close()
    assert slow("%cloaca_run").value.final_context["y"] == "edited"


METHODS = """\
STEP = 1
def stepped(number):
    return number + STEP
class Model:
    def step(self, number):
        return stepped(number)"""


def test_the_end_tells_what_methods_may_have_seen_of_an_edit(slow) -> None:
    slow(METHODS)
    slow("%%cloaca_task later\ny = Model().step(x)")
    begin(slow)
    slow("def stepped(number):\n    return 'edited'")
    slow.names["go"].set()
    slow.session.runs.close()
    told = slow("1").err
    assert told.startswith("✓ notebook  ·  run ")
    assert "\n  ! stepped was edited while it ran, and Model.step sees the notebook as it is: tasks may have" in told


def test_what_a_cached_helper_has_computed_is_there_in_the_next_run(cell) -> None:
    cell("from functools import cache\nloaded, STEP = [], 1")
    cell("@cache\ndef load():\n    loaded.append(STEP)\n    return STEP")
    cell("%%cloaca_task a\nx = load()")
    for _ in range(2):
        cell("%cloaca_run --background -o run")
        assert cell.names["run"].wait(60).final_context["x"] == 1
    assert cell.names["loaded"] == [1]
    cell("STEP = 2")
    cell("%cloaca_run --background -o run")
    assert cell.names["run"].wait(60).final_context["x"] == 2


def test_a_failure_in_the_background_is_told_with_task_cell_and_line(slow) -> None:
    slow("%%cloaca_task later\n\ny = x / 0")
    begin(slow)
    slow.names["go"].set()
    slow.session.runs.close()
    told = slow("1").err
    assert told.startswith("✕ notebook  ·  run ")
    assert "failed after" in told
    assert "see %cloaca_logs later" in told
    assert "Task 'later' failed: ZeroDivisionError: division by zero (Cell In[5], line 3, in later)." in told


def test_cancel_ends_the_only_run(slow) -> None:
    begin(slow)
    ran = slow("%cloaca_cancel")
    assert ran.error is None
    assert "cancelled after" in ran.shown[0]
    assert slow.names["run"].result.status == "Cancelled"
    assert list(slow("%cloaca_history").value["status"]) == ["Cancelled"]
    assert isinstance(slow("%cloaca_cancel").error, HistoryError)


def test_of_several_runs_cancel_asks_which(slow) -> None:
    begin(slow)
    first = slow.names["run"]
    slow("%cloaca_run --background -o second")
    second = slow.names["second"]
    asked = slow("%cloaca_cancel").out
    assert "Which run?" in asked
    assert first.run_id[-8:] in asked
    assert second.run_id[-8:] in asked
    wrong = slow("%cloaca_cancel zzz").out
    assert "No run 'zzz' goes on here." in wrong
    assert slow(f"%cloaca_cancel {second.run_id}").error is None
    assert (first.status, second.status) == ("Running", "Cancelled")
    slow("%cloaca_run --background -o third")
    assert len(slow("%cloaca_cancel --all").shown) == 2
    assert slow.session.runs.going_on() == []


def test_a_run_shows_how_it_stands(slow) -> None:
    begin(slow)
    run = slow.names["run"]
    began = f"{datetime.fromtimestamp(run.record.started):%H:%M:%S}"  # noqa: DTZ006 - as on the clocks here
    assert slow("run").out.partition(": ")[2].rstrip() == f"● notebook  ·  run {run.run_id[-8:]}  ·  began {began}"


def test_settings_changed_meanwhile_spare_the_run(slow, tmp_path) -> None:
    begin(slow)
    slow(f"%config Cloaca.history = {str(tmp_path / 'other.duckdb')!r}")
    assert len(slow("%cloaca_history").value) == 0
    slow.names["go"].set()
    assert slow.names["run"].wait(60).status == "Completed"


def test_the_end_of_the_session_cancels_what_goes_on(slow) -> None:
    begin(slow)
    slow.session.close()
    assert slow.names["run"].result.status == "Cancelled"
    names = [thread.name for thread in threading.enumerate()]
    assert not any(name.startswith("cloaca-background") for name in names)


# -- in a terminal


def test_a_terminal_is_told_each_task_and_the_sum(cell) -> None:
    cell("%%cloaca_task load\nx = 1")
    cell("%%cloaca_task bad\ny = x / 0")
    ran = cell("%cloaca_run")
    first, second, last = ran.err.splitlines()
    assert first.startswith("✓ load  ")
    assert second == "✕ bad  ZeroDivisionError: division by zero (Cell In[3], line 2)"
    assert last.startswith("✕ notebook  Failed in ")
    assert ran.out.count("Traceback") == 1
    assert cell("%cloaca_run --no-panel").err == ""


def test_what_ran_in_the_background_is_unchanged_for_the_next_run(cell) -> None:
    cell("FACTOR = 3\ndef deep(x):\n    return x * FACTOR\ndef helper(x):\n    return deep(x)")
    cell("%%cloaca_task load\nx = 1")
    cell("%%cloaca_task scaled\ny = helper(x)")
    cell("%cloaca_run --background -o run")
    cell.names["run"].wait(60)
    cell.session.runs.close()
    again = cell.session.runner.execute(cell.session.workflow(), cached=True)
    assert list(again.tasks["attempts"]) == [0, 0]
    assert all(reason.startswith("unchanged since run ") for reason in again.tasks["reason"])

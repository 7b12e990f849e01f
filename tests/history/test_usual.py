"""How long tasks usually take."""

from cloaca_nb.core import events
from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.status import Outcome, Status
from cloaca_nb.core.task import Task
from cloaca_nb.history.history import History

FLOW = Workflow("flow", [Task("load", len), Task("clean", len, ("load",))])


def run(history, run_id, seconds, outcome=Outcome.COMPLETED, taken_from="", kind="run"):
    """Record a run whose tasks take so long each."""
    recorder = history.recorder()
    at = 1_000_000.0 + int(run_id)
    recorder(events.RunStarted(at, run_id, FLOW, kind, {}))
    for task in FLOW.tasks:
        if not taken_from:
            recorder(events.AttemptStarted(at, run_id, task.id, 1))
        ended = events.TaskFinished(at + seconds, run_id, task.id, 1, outcome, {}, None, "", {}, taken_from)
        recorder(ended)
    recorder(events.RunFinished(at + seconds, run_id, Status.COMPLETED, {}, ""))
    recorder.sync()


def test_it_is_the_median_of_what_was_executed_and_completed():
    with History.open(":memory:") as history:
        assert history.usual("flow") == {}
        for run_id, seconds in (("101", 1.0), ("102", 3.0), ("103", 100.0)):
            run(history, run_id, seconds)
        run(history, "104", 500.0, Outcome.FAILED)
        run(history, "105", 500.0, taken_from="103")
        run(history, "106", 500.0, kind="try")
        assert history.usual("flow") == {"load": 3.0, "clean": 3.0}
        assert history.usual("flow", but_run="103") == {"load": 2.0, "clean": 2.0}
        assert history.usual("another") == {}


def test_what_was_recorded_a_moment_ago_counts_only_for_who_waits_for_it(tmp_path):
    with History.open(f"duckdb:///{tmp_path}/h.duckdb") as history:
        run(history, "101", 1.0)
        assert history.usual("flow")["load"] == 1.0
        run(history, "102", 3.0)
        assert history.usual("flow", up_to_date=False)["load"] == 1.0
        assert history.usual("flow")["load"] == 2.0


def test_only_the_latest_times_count():
    with History.open(":memory:") as history:
        for number in range(200, 230):
            run(history, str(number), 1.0)
        for number in range(300, 320):
            run(history, str(number), 5.0)
        assert history.usual("flow")["load"] == 5.0

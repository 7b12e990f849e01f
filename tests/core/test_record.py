"""What the events of a run add up to, whoever looks, and whenever."""

import threading

import pytest

from cloaca_nb.core.events import (
    AttemptFailed,
    AttemptStarted,
    Failure,
    OutputWritten,
    ProgressMade,
    RunFinished,
    RunStarted,
    TaskFinished,
)
from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.names import Keys
from cloaca_nb.core.record import RunRecord, TaskRecord
from cloaca_nb.core.status import Outcome, Status
from cloaca_nb.core.task import Task

WORKFLOW = Workflow("w", [Task(task_id, print, (), keys=Keys()) for task_id in "ab"])
FAILURE = Failure("ValueError", "why", "", "")
BEGUN = RunStarted(10.0, "run", WORKFLOW, "run", {}, "")
ENDED = RunFinished(20.0, "run", Status.FAILED, {}, "a failed")
STARTED = AttemptStarted(11.0, "run", "a", 1)
AGAIN = AttemptStarted(13.0, "run", "a", 2)
TRIED = AttemptFailed(12.0, "run", "a", 1, FAILURE, 1.0)
PROGRESS = ProgressMade(14.0, "run", "a", 2, 1, 2, "half")


def over(outcome, failure=None, reason="", taken_from=""):
    return TaskFinished(15.0, "run", "a", 2, outcome, {}, failure, reason, {}, taken_from)


def said(text):
    return OutputWritten(14.0, "run", "a", 2, "stdout", text)


STORIES = [  # what, events after the first, what is known of task a
    ("nothing yet", [], TaskRecord("a")),
    ("running", [STARTED], TaskRecord("a", Outcome.RUNNING, 1, 11.0)),
    ("about to be tried again", [STARTED, TRIED], TaskRecord("a", Outcome.RETRYING, 1, 11.0, failure=FAILURE)),
    ("tried again", [STARTED, TRIED, AGAIN], TaskRecord("a", Outcome.RUNNING, 2, 11.0, failure=FAILURE)),
    ("progress", [STARTED, PROGRESS], TaskRecord("a", Outcome.RUNNING, 1, 11.0, progress=PROGRESS)),
    ("output", [STARTED, said("x\ny\n"), said("z")], TaskRecord("a", Outcome.RUNNING, 1, 11.0, lines=3)),
    (
        "completed after all",
        [STARTED, TRIED, AGAIN, over(Outcome.COMPLETED)],
        TaskRecord("a", Outcome.COMPLETED, 2, 11.0, 15.0),
    ),
    (
        "failed",
        [STARTED, TRIED, AGAIN, over(Outcome.FAILED, FAILURE)],
        TaskRecord("a", Outcome.FAILED, 2, 11.0, 15.0, failure=FAILURE),
    ),
    ("skipped", [over(Outcome.SKIPPED, reason="why")], TaskRecord("a", Outcome.SKIPPED, 0, None, 15.0, reason="why")),
    (
        "taken",
        [over(Outcome.COMPLETED, reason="same", taken_from="old")],
        TaskRecord("a", Outcome.COMPLETED, 0, None, 15.0, reason="same", taken_from="old"),
    ),
    (
        "its last words come late",
        [over(Outcome.CANCELLED), said("x")],
        TaskRecord("a", Outcome.CANCELLED, 0, None, 15.0, lines=1),
    ),
]


@pytest.mark.parametrize("looks", [False, True], ids=["who looks at the end", "who looks all the time"])
@pytest.mark.parametrize(("what", "events", "known"), STORIES, ids=[story[0] for story in STORIES])
def test_a_task(what, events, known, looks):
    record = RunRecord()
    for event in (BEGUN, *events):
        record.observe(event)
        if looks:
            assert list(record.tasks) == ["a", "b"]
    assert record.tasks == {"a": known, "b": TaskRecord("b")}, what


def test_a_run():
    record = RunRecord()
    assert (record.run_id, record.workflow, record.status) == ("", None, Status.RUNNING)
    assert record.tasks == {}
    record.observe(BEGUN)
    assert (record.run_id, record.workflow, record.started, record.ended) == ("run", WORKFLOW, 10.0, None)
    assert record.elapsed(12.0) == 2.0
    record.observe(over(Outcome.FAILED, FAILURE))
    record.observe(ENDED)
    assert (record.status, record.ended, record.error) == (Status.FAILED, 20.0, "a failed")
    assert record.elapsed(99.0) == 10.0
    assert [record.count(outcome) for outcome in (Outcome.FAILED, Outcome.WAITING, Outcome.COMPLETED)] == [1, 1, 0]


ELAPSED = [(None, None, None), (11.0, None, 4.0), (11.0, 12.0, 1.0)]


@pytest.mark.parametrize(("started", "ended", "elapsed"), ELAPSED)
def test_how_long_a_task_took(started, ended, elapsed):
    assert TaskRecord("a", started=started, ended=ended).elapsed(15.0) == elapsed


def test_many_say_and_many_look_at_once():
    record, start = RunRecord(), threading.Barrier(4, timeout=10)
    record.observe(BEGUN)

    def say():
        start.wait()
        for _ in range(500):
            record.observe(STARTED)
            record.observe(said("x\n"))

    def look():
        start.wait()
        for _ in range(500):
            assert record.tasks["a"].lines <= 1000

    threads = [threading.Thread(target=one) for one in (say, say, look, look)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(10)
    assert record.tasks["a"].lines == 1000

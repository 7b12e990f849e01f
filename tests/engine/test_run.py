"""A run from its first event to its last, on real threads."""

import asyncio
import sys
import threading

import pytest

from cloaca_nb.core.events import AttemptFailed, AttemptStarted, OutputWritten, RunFinished, RunStarted, TaskFinished
from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.names import Keys
from cloaca_nb.core.retry import RetryPolicy
from cloaca_nb.core.status import Outcome
from cloaca_nb.core.task import Task
from cloaca_nb.declare.place import file_label
from cloaca_nb.engine import clock, execution


def task(function, *dependencies, **options):
    options.setdefault("id", function.__name__)
    return Task(function=function, dependencies=dependencies, keys=Keys(), **options)


@pytest.fixture
def execute(engine):
    def run(*tasks, **initial):
        return engine.start(Workflow("w", tasks), initial).wait(20)

    return run


def set_one(context):
    context["x"] = context.get("x", 0) + 1


def test_values_travel_along_the_edges(execute):
    def double(context):
        context["y"] = context["x"] * 2
        return context

    result = execute(task(set_one), task(double, "set_one"), x=1)
    assert result.status == "Completed"
    assert result.status == "completed"
    assert dict(result.final_context) == {"x": 2, "y": 4}
    assert result.error is None
    assert result.error_message is None
    assert repr(result) == "WorkflowResult(status=Completed, error=None)"


class InterruptedWait(threading.Event):
    """What becomes of an interrupt that comes just as `Condition.wait` takes its lock again."""

    def wait(self, _timeout=None):
        try:
            raise KeyboardInterrupt
        finally:
            raise RuntimeError("release unlocked lock")


@pytest.mark.parametrize("timeout", [None, 1])
def test_an_interrupt_of_the_wait_is_one_at_every_moment(timeout, engine, monkeypatch):
    run = engine.start(Workflow("w", [task(set_one)]), {})
    run.wait(20)
    monkeypatch.setattr(run._execution.ending, "over", InterruptedWait())
    with pytest.raises(KeyboardInterrupt):
        run.wait(timeout)


def test_independent_tasks_run_at_the_same_time(execute):
    meeting = threading.Barrier(3, timeout=10)

    def meet(_context):
        meeting.wait()

    assert execute(*(task(meet, id=name) for name in "abc")).status == "Completed"


def test_no_task_sees_another_ones_change_in_place(execute):
    def grow(context):
        context["rows"].append(1)

    def look(context):
        context["seen"] = list(context["rows"])

    result = execute(task(grow), task(look, "grow"), rows=[0])
    assert result.final_context["seen"] == [0]
    assert result.final_context["rows"] == [0]


def test_a_failure_skips_what_follows_and_spares_the_rest(execute):
    def boom(context):
        raise ValueError(f"no {context['x']}")

    def after(_context): ...

    def beside(context):
        context["beside"] = True

    result = execute(task(boom), task(after, "boom"), task(beside), x=7)
    assert result.status == "Failed"
    assert result.final_context["beside"] is True
    assert {row["task_id"]: (row["outcome"], row["reason"]) for row in result.tasks} == {
        "boom": ("Failed", ""),
        "after": ("Skipped", "because boom failed"),
        "beside": ("Completed", ""),
    }
    assert result.error.task == "boom"
    assert result.error.exception == "ValueError"
    assert result.error.message == "no 7"
    assert "test_run.py, line" in result.error
    assert 'raise ValueError(f"no {context[' in result.error.traceback
    assert "cloaca_nb/engine" not in result.error.traceback


def test_each_attempt_starts_from_the_original_input(execute, events):
    def flaky(context):
        context["tries"] = context.get("tries", 0) + 1
        context["rows"].append(1)
        if attempts.pop():
            raise ConnectionError("gone")
        context["seen"] = list(context["rows"])

    attempts = [False, True, True]
    retry = RetryPolicy(max_attempts=3, initial_delay=0)
    result = execute(task(flaky, retry=retry), rows=[0])
    assert result.status == "Completed"
    assert dict(result.final_context) == {"rows": [0], "tries": 1, "seen": [0, 1]}
    assert [event.retry_in for event in events if isinstance(event, AttemptFailed)] == [0, 0]
    assert result.tasks[0]["attempts"] == 3


def test_events_come_in_order_and_each_task_is_over_once(execute, events):
    def boom(_context):
        raise ValueError

    execute(task(set_one), task(boom, "set_one"), task(set_one, "boom", id="late"))
    assert isinstance(events[0], RunStarted)
    assert isinstance(events[-1], RunFinished)
    over = [event.task_id for event in events if isinstance(event, TaskFinished)]
    assert sorted(over) == ["boom", "late", "set_one"]
    kinds = [(type(event), event.task_id) for event in events[1:-1]]
    assert kinds.index((TaskFinished, "set_one")) < kinds.index((AttemptStarted, "boom"))


def test_async_bodies_run_on_a_loop_of_the_engines_own(execute):
    async def both(context):
        await asyncio.sleep(0)
        context["thread"] = threading.current_thread().name

    async def boom(_context):
        await asyncio.sleep(0)
        raise ValueError("async")

    result = execute(task(both, is_async=True), task(boom, is_async=True))
    assert result.final_context["thread"] == "cloaca-loop"
    assert result.error.message == "async"


def interrupt(_context):
    raise KeyboardInterrupt("stop")


ODD_BODIES = [
    ("sys.exit", lambda _context: sys.exit(3), "SystemExit", "3"),
    ("an interrupt", interrupt, "KeyboardInterrupt", "stop"),
    ("a number", lambda _context: 42, "TaskReturnError", "returned a value of type int, but must return its context"),
    ("a coroutine", lambda _context: asyncio.sleep(0), "TaskReturnError", "of type coroutine"),
    ("no parameter", lambda: None, "TypeError", "takes 0 positional arguments"),
]


@pytest.mark.parametrize(("what", "body", "exception", "text"), ODD_BODIES, ids=[case[0] for case in ODD_BODIES])
def test_odd_bodies_fail_and_the_engine_lives(execute, what, body, exception, text):
    result = execute(task(body, id="odd"), task(set_one))
    assert result.error.exception == exception, what
    assert text in result.error.message
    assert result.final_context["x"] == 1


def test_callbacks_hear_of_the_end_and_their_errors_change_nothing(execute, caplog):
    heard = []

    def boom(_context):
        raise ValueError("why")

    def complain(*arguments):
        heard.append(arguments[:-1])
        raise RuntimeError("callback")

    result = execute(
        task(boom, on_failure=complain, retry=RetryPolicy(max_attempts=2, initial_delay=0)),
        task(set_one, on_success=complain),
    )
    assert sorted(heard) == [("boom", "why"), ("set_one",)]
    assert result.error.message == "why"
    assert caplog.text.count("A callback of task '") == 1


def test_a_callback_that_is_broken_for_every_task_is_told_once_and_counted(execute, caplog):
    def complain(task_id, _context):
        raise LookupError(task_id)

    execute(*[Task(id=f"t{number}", function=set_one, on_success=complain) for number in range(500)])
    first, more = caplog.messages
    assert "Traceback" in caplog.text.partition(more)[0]
    assert caplog.text.count("Traceback") == 1
    assert first.startswith("A callback of task 't")
    assert first.endswith("failed; the task's outcome stands.")
    line = complain.__code__.co_firstlineno + 1
    assert (
        more
        == f"A callback of 499 more tasks failed in the same way: LookupError ({file_label(__file__)}, line {line})."
    )


def test_a_task_that_takes_too_long_fails_and_its_writes_are_discarded(execute):
    release = threading.Event()
    ended = threading.Event()

    def slow(context):
        release.wait(10)
        context["late"] = True
        ended.set()

    result = execute(task(slow, timeout=0.05), task(set_one))
    release.set()
    assert ended.wait(10)
    assert result.error.exception == "TaskTimeoutError"
    assert dict(result.final_context) == {"x": 1}


def test_while_the_machine_sleeps_time_passes_and_no_timeout_does(execute, monkeypatch):
    slept, awake = 0.0, clock.passed
    monkeypatch.setattr(clock.RunClock, "_latest", clock.RunClock._latest)  # later runs begin no later for it
    for module in (clock, execution):
        monkeypatch.setattr(module, "passed", lambda: awake() + slept)

    def sleeps(_context):
        nonlocal slept
        slept = 7200.0

    result = execute(task(sleeps, timeout=600))
    assert result.status == "Completed"
    assert result.duration >= 7200
    assert result.tasks[0]["duration"] >= 7200


def test_cancel_ends_the_run_though_a_thread_goes_on(engine):
    started, release = threading.Event(), threading.Event()

    def hang(context):
        started.set()
        release.wait(10)
        context["late"] = True

    run = engine.start(Workflow("w", [task(hang), task(set_one, "hang")]), {})
    assert started.wait(10)
    run.cancel()
    result = run.wait(10)
    release.set()
    assert result.status == "Cancelled"
    assert {one.outcome for one in run.tasks.values()} == {Outcome.CANCELLED}
    assert dict(result.final_context) == {}
    run.cancel()
    assert run.result.status == "Cancelled"


def test_output_is_told_apart(execute, events):
    meeting = threading.Barrier(2, timeout=10)

    def talk(name):
        def body(_context):
            for number in range(50):
                meeting.wait()
                print(name, number)
            print("rest", end="")

        return body

    execute(task(talk("a"), id="a"), task(talk("b"), id="b"))
    for name in "ab":
        text = "".join(e.text for e in events if isinstance(e, OutputWritten) and e.task_id == name)
        assert text == "".join(f"{name} {number}\n" for number in range(50)) + "rest"


def test_the_streams_are_put_back(execute):
    before = sys.stdout, sys.stderr
    execute(task(set_one))
    assert (sys.stdout, sys.stderr) == before


def test_a_broken_observer_is_reported_and_the_run_goes_on(engine, caplog):
    def broken(_event):
        raise RuntimeError("observer")

    run = engine.start(Workflow("w", [task(set_one)]), {}, observers=[broken])
    assert run.wait(10).status == "Completed"
    assert "An observer of run" in caplog.text


def test_a_handle_reports_progress_and_defers_without_a_slot(engine):
    ready = threading.Event()

    def wait(context, handle):
        handle.progress(1, 2, "half")
        handle.defer_until(ready.is_set, poll_interval_ms=1)
        context["held"] = handle.is_slot_held()

    def open_up(_context):
        ready.set()

    waiting = [task(wait, id=f"wait{number}", handle="handle") for number in range(6)]  # more than there are workers
    run = engine.start(Workflow("w", [*waiting, task(open_up)]), {})
    assert run.wait(20).final_context["held"] is True
    assert run.tasks["wait0"].progress.message == "half"


def test_a_task_may_execute_another_workflow(engine):
    inner = Workflow("inner", [task(set_one)])

    def outer(context):
        context["inner"] = engine.start(inner, {"x": 1}).wait(10).final_context["x"]

    tasks = [task(outer, id=f"outer{number}") for number in range(4)]  # every worker waits for a run of its own
    assert engine.start(Workflow("w", tasks), {}).wait(20).final_context["inner"] == 2


def test_a_conflict_that_is_read_is_reported(execute):
    def setter(value):
        def body(context):
            context["x"] = value

        return body

    def use(context):
        context["y"] = context["x"]

    result = execute(task(setter(1), id="a"), task(setter(2), id="b"), task(use, "a", "b"))
    assert result.final_context["y"] == 2
    assert [(one.key, one.writers) for one in result.conflicts] == [("x", ("a", "b"))]
    said = "! &#x27;x&#x27; was set differently by a, b; task &#x27;use&#x27; has that of b."
    assert result._repr_html_().count(said) == 1


def test_a_result_tells_how_its_tasks_fared(execute):
    def fail(context):
        raise ValueError("<no> rows")

    result = execute(task(set_one, id="a"), task(fail, "a", id="b"), task(set_one, "b", id="c"))
    told = result._repr_html_()
    assert "3 tasks: 1 completed, 1 failed, 1 skipped" in told
    assert "ValueError: &lt;no&gt; rows" in told


def test_of_many_tasks_a_result_shows_the_first(execute):
    told = execute(*(task(set_one, id=f"part_{n}") for n in range(130)))._repr_html_()
    assert (told.count("part_"), "part_99" in told) == (100, True)
    assert "and 30 more" in told


def test_a_coroutine_can_await_a_run(engine):
    async def main():
        return await engine.start(Workflow("w", [task(set_one)]), {})

    assert asyncio.run(main()).status == "Completed"

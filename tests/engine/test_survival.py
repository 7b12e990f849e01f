"""Runs that end whatever user code does: what its exceptions, callbacks, observers and event loops get up to."""

import asyncio
import contextlib
import sys
import threading
import weakref

import pytest

from cloaca_nb.core.events import AttemptFailed, AttemptStarted, RunFinished, TaskFinished
from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.names import Keys
from cloaca_nb.core.retry import RetryPolicy
from cloaca_nb.core.retry_condition import RetryCondition
from cloaca_nb.core.rules import context_value
from cloaca_nb.core.status import Outcome
from cloaca_nb.core.task import Task
from cloaca_nb.errors import ConfigurationError

WAIT = 20
LONG = 1000  # seconds that no test waits
TRANSIENT = RetryPolicy(max_attempts=2, initial_delay=0, retry_condition=RetryCondition.transient_only())


def task(function, *dependencies, **options):
    options.setdefault("id", function.__name__)
    return Task(function=function, dependencies=dependencies, keys=Keys(), **options)


def do_nothing(_context): ...


@pytest.fixture
def execute(engine):
    def run(*tasks, **initial):
        return engine.start(Workflow("w", tasks), initial).wait(WAIT)

    return run


class Mute(Exception):  # noqa: N818 - what it is called is beside the point
    def __str__(self):
        raise ValueError


class MuteValue(ValueError):  # noqa: N818 - see `Mute`
    def __str__(self):
        raise KeyboardInterrupt


class Number(Exception):  # noqa: N818 - see `Mute`
    def __str__(self):
        return 5  # noqa: PLE0307 - it is meant to be wrong


@pytest.mark.parametrize("kind", [Mute, MuteValue, Number])
@pytest.mark.parametrize("retry", [RetryPolicy(max_attempts=1), TRANSIENT], ids=["once", "transient"])
def test_an_exception_that_cannot_be_read_fails_its_task(kind, retry, execute):
    heard = []

    def boom(_context):
        raise kind

    result = execute(task(boom, retry=retry, on_failure=lambda *facts: heard.append(facts[1])), task(do_nothing))
    assert result.error.exception == kind.__name__
    assert result.error.message.startswith("<its __str__ raised")
    assert heard == [result.error.message]


def test_a_huge_message_is_cut_and_says_so(execute):
    def boom(_context):
        raise ValueError("x" * 10_000_000)

    result = execute(task(boom))
    assert len(result.error.traceback) < 200_000
    assert result.error.message.endswith("… (10,000,000 characters)")


@pytest.mark.parametrize("leave", [lambda *_: sys.exit(1), lambda *_: 1 / 0], ids=["sys.exit", "an error"])
def test_callbacks_may_raise_anything(leave, execute, caplog):
    def boom(_context):
        raise ValueError("why")

    result = execute(task(do_nothing, on_success=leave), task(boom, on_failure=leave))
    assert [one.outcome for one in result._record.tasks.values()] == [Outcome.COMPLETED, Outcome.FAILED]
    assert caplog.text.count("the task's outcome stands") == 1
    assert caplog.text.count("of 1 more task failed in the same way") == 1


def async_exit():
    sys.exit(1)


def async_interrupt():
    raise KeyboardInterrupt


def async_stop():
    asyncio.get_running_loop().stop()


@pytest.mark.parametrize("leave", [async_exit, async_interrupt, async_stop])
def test_no_async_body_ends_the_loop_of_the_others(leave, execute):
    left = asyncio.Event()

    async def go(_context):
        left.set()
        leave()

    async def stay(context):
        await left.wait()
        context["stayed"] = True

    result = execute(task(stay, is_async=True), task(go, is_async=True), task(stay, "stay", id="later", is_async=True))
    assert result.final_context["stayed"] is True


def test_an_async_body_is_told_not_to_block(engine):
    inner = Workflow("inner", [task(do_nothing, is_async=False)])

    async def block(_context):
        engine.start(inner, {}).wait(WAIT)

    result = engine.start(Workflow("w", [task(block, is_async=True)]), {}).wait(WAIT)
    assert "await the run" in result.error_message


class Odd:
    def __init__(self, raised):
        self.raised = raised

    def __eq__(self, other):
        raise self.raised

    __hash__ = None


@pytest.mark.parametrize("raised", [ValueError, TypeError])
def test_a_rule_on_a_value_that_does_not_compare_skips(raised, execute):
    """The only task is a root, so the run is over as it begins."""
    result = execute(task(do_nothing, rule=context_value("x", "equals", 1)), x=Odd(raised))
    assert result.status == "Completed"
    assert result._record.tasks["do_nothing"].outcome == Outcome.SKIPPED


def test_values_that_refuse_to_be_merged_fail_the_run(execute, caplog):
    def setter(context):
        context["x"] = Odd(SystemExit)

    result = execute(task(setter, id="a"), task(setter, id="b"))
    assert result.status == "Failed"
    assert "can't be merged" in result.error_message
    assert "can't be merged" in caplog.text


def test_a_broken_observer_is_reported_once(engine, caplog):
    def broken(_event):
        raise OSError("no screen")

    tasks = [task(do_nothing, id=f"t{number}") for number in range(20)]
    assert engine.start(Workflow("w", tasks), {}, observers=[broken]).wait(WAIT).status == "Completed"
    assert caplog.text.count("An observer of run") == 1


def test_an_observer_that_is_broken_in_each_run_shows_its_traceback_once(engine, caplog):
    def broken(_event):
        raise OSError("no screen, ever")

    for _ in range(5):
        engine.start(Workflow("w", [task(do_nothing)]), {}, observers=[broken]).wait(WAIT)
    assert caplog.text.count("An observer of run") == 5
    assert caplog.text.count("no screen, ever") == 2  # the line that raises it, and its text


def test_an_error_that_names_a_file_of_no_unicode_can_be_shown(execute):
    def fail(_context):
        raise ValueError("no rows in caf\udce9.csv")

    result = execute(task(fail))
    shown = "".join(map(str, [result.error, result.error_message, *result.tasks[0].values()]))
    assert shown.encode().count(rb"caf\udce9.csv") == 3


def test_an_observer_may_cancel(engine):
    begun, runs = threading.Event(), []

    def cancel(event):
        if isinstance(event, TaskFinished) and event.outcome is Outcome.COMPLETED:
            runs[0].cancel()

    def wait(_context):
        assert begun.wait(WAIT)

    def go_on(_context, handle):
        handle.defer_until(lambda: False, poll_interval_ms=1)

    tasks = [task(wait), task(go_on, "wait", handle="handle")]
    runs.append(engine.start(Workflow("w", tasks), {}, observers=[cancel]))
    begun.set()
    assert runs[0].wait(WAIT).status == "Cancelled"


def test_an_observer_that_leaves_ends_the_run(engine, caplog):
    said = []

    def leave(event):
        if isinstance(event, TaskFinished) and event.outcome is Outcome.COMPLETED:
            raise SystemExit

    result = engine.start(Workflow("w", [task(do_nothing)]), {}, observers=[leave, said.append]).wait(WAIT)
    assert result.status == "Cancelled"
    assert "can't go on" in caplog.text
    assert isinstance(said[-1], RunFinished)


@pytest.mark.parametrize("kind", [AttemptStarted, AttemptFailed, TaskFinished])
def test_an_observer_that_always_leaves_ends_the_run(kind, engine_of):
    engine, said = engine_of(1), []

    def leave(event):
        if isinstance(event, kind):
            raise SystemExit

    def boom(_context):
        raise ValueError

    tasks = [task(boom), task(do_nothing)]
    result = engine.start(Workflow("w", tasks), {}, observers=[leave, said.append]).wait(WAIT)
    assert result.status == "Cancelled"
    assert isinstance(said[-1], RunFinished)
    assert engine.start(Workflow("after", [task(do_nothing)]), {}).wait(WAIT).status == "Completed"


def test_an_observer_that_leaves_at_the_end_changes_nothing(engine, caplog):
    said = []

    def leave(event):
        if isinstance(event, RunFinished):
            raise SystemExit

    result = engine.start(Workflow("w", [task(do_nothing)]), {}, observers=[leave, said.append]).wait(WAIT)
    assert result.status == "Completed"
    assert isinstance(said[-1], RunFinished)
    assert "An observer of run" in caplog.text


def test_a_thread_that_an_empty_handed_body_leaves_behind_sets_nothing_either(engine, events):
    over, ended = threading.Event(), threading.Event()

    def leave_a_thread(context):
        def go_on():
            assert over.wait(WAIT)
            context["late"] = True
            ended.set()

        threading.Thread(target=go_on).start()

    result = engine.start(Workflow("w", [task(leave_a_thread)]), {}).wait(WAIT)
    over.set()
    assert ended.wait(WAIT)
    (finished,) = (event for event in events if isinstance(event, TaskFinished))
    assert (dict(finished.changes), dict(result.final_context)) == ({}, {})


def test_a_thread_that_a_body_leaves_behind_sets_nothing_more(engine, events):
    over, ended = threading.Event(), threading.Event()

    def leave_a_thread(context):
        def go_on():
            assert over.wait(WAIT)
            context["late"] = True
            ended.set()

        context["x"] = 1
        threading.Thread(target=go_on).start()

    def look(context):
        over.set()
        assert ended.wait(WAIT)
        context["keys"] = list(context)

    result = engine.start(Workflow("w", [task(leave_a_thread), task(look, "leave_a_thread")]), {}).wait(WAIT)
    assert dict(result.final_context) == {"x": 1, "keys": ["x"]}
    assert next(event.changes for event in events if isinstance(event, TaskFinished)) == {"x": 1}


def test_an_async_body_that_heeds_no_cancellation_keeps_no_turn(engine_of):
    engine, ends = engine_of(1, max_concurrent_async=1), asyncio.Event()

    async def deaf(_context):
        while not ends.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await ends.wait()

    async def free(_context):
        ends.set()

    late = engine.start(Workflow("w", [task(deaf, is_async=True, timeout=0.02)]), {}).wait(WAIT)
    assert late.error.exception == "TaskTimeoutError"
    assert engine.start(Workflow("after", [task(free, is_async=True)]), {}).wait(WAIT).status == "Completed"


def test_an_async_body_may_wait_for_several_things_and_set_itself_a_limit(engine_of):
    """However it ends its waiting, it has one turn again, and gives one back."""
    engine = engine_of(1, max_concurrent_async=1)

    async def wait(_context, handle):
        looks, fails = [iter([False, False, True]), iter([False, True])], iter([False, True])
        await asyncio.gather(*(handle.defer_until(one.__next__, poll_interval_ms=1) for one in looks))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.002):
                await handle.defer_until(lambda: False, poll_interval_ms=1)
        with contextlib.suppress(ZeroDivisionError):
            await handle.defer_until(lambda: next(fails) and 1 / 0, poll_interval_ms=1)

    async def use(_context):
        at_work.append(1)
        most.append(len(at_work))
        await asyncio.sleep(0)
        at_work.pop()

    at_work, most = [], []
    waits = [task(wait, id=f"wait{number}", handle="handle", is_async=True) for number in range(3)]
    assert engine.start(Workflow("w", waits), {}).wait(WAIT).error is None
    uses = [task(use, id=f"use{number}", is_async=True) for number in range(20)]
    assert engine.start(Workflow("after", uses), {}).wait(WAIT).status == "Completed"
    assert set(most) == {1}


def test_a_deferral_ends_with_its_attempt(engine):
    ended = threading.Event()

    def wait(_context, handle):
        try:
            handle.defer_until(lambda: False, poll_interval_ms=0)
        finally:
            ended.set()

    result = engine.start(Workflow("w", [task(wait, handle="handle", timeout=0.02)]), {}).wait(WAIT)
    assert result.error.exception == "TaskTimeoutError"
    assert ended.wait(WAIT)


def test_a_timer_keeps_no_attempt_alive(engine):
    forgotten = threading.Event()

    def body(_context, handle):
        weakref.finalize(handle._attempt, forgotten.set)

    engine.start(Workflow("w", [task(body, handle="handle", timeout=LONG)]), {}).wait(WAIT)
    assert forgotten.wait(WAIT)


def test_closing_cancels_what_goes_on(engine):
    begun, release = threading.Event(), threading.Event()

    def hang(_context):
        begun.set()
        assert release.wait(WAIT)

    def fail(_context):
        raise ValueError

    async def sleep(_context):
        await asyncio.sleep(LONG)

    again = RetryPolicy(max_attempts=2, initial_delay=LONG, max_delay=LONG)
    runs = [
        engine.start(Workflow("w", [one]), {})
        for one in (task(hang), task(fail, retry=again), task(sleep, is_async=True))
    ]
    assert begun.wait(WAIT)
    engine.close()
    assert {run.wait(WAIT).status for run in runs} == {"Cancelled"}
    release.set()
    engine.close()
    with pytest.raises(ConfigurationError, match="was shut down"):
        engine.start(Workflow("w", [task(do_nothing)]), {})


def test_closing_from_within_a_task_ends_its_run(engine):
    begun = threading.Event()

    def close(_context):
        assert begun.wait(WAIT)
        engine.close()

    run = engine.start(Workflow("w", [task(close)]), {})
    begun.set()
    assert run.wait(WAIT).status == "Cancelled"


def test_runs_within_runs_need_no_more_places_than_one(engine_of):
    engine = engine_of(1)

    def nest(depth):
        def body(context):
            inner = engine.start(nest(depth - 1), {}).wait(WAIT).final_context["depth"] if depth else 0
            context["depth"] = inner + 1

        return Workflow(f"w{depth}", [task(body, id="body")])

    assert engine.start(nest(20), {}).wait(WAIT).final_context["depth"] == 21

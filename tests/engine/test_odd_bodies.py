"""Bodies that do what nobody expects, under a time limit: the run ends, says why, and spares the task beside it."""

import asyncio
import gc
import os
import sys
import time

import pytest

from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.names import Keys
from cloaca_nb.core.task import Task

WAIT = 30


def task(function, *dependencies, **options):
    options.setdefault("id", function.__name__)
    options.setdefault("is_async", asyncio.iscoroutinefunction(function))
    return Task(function=function, dependencies=dependencies, keys=Keys(), **options)


def beside(context):
    context["beside"] = True


def leave(_context):
    sys.exit(3)


async def leave_async(_context):
    sys.exit(3)


def interrupt(_context):
    raise KeyboardInterrupt


async def interrupt_async(_context):
    raise KeyboardInterrupt


def end_generator(_context):
    raise GeneratorExit


async def end_generator_async(_context):
    raise GeneratorExit


def stop_iteration(_context):
    raise StopIteration


async def cancel_itself(_context):
    raise asyncio.CancelledError


def recurse(context):
    recurse(context)


async def recurse_async(context):
    recurse(context)


def give_coroutine(_context):
    return asyncio.sleep(0)


class MuteError(Exception):
    def __str__(self):
        raise ValueError

    __repr__ = __str__


def mute(_context):
    raise MuteError


async def mute_async(_context):
    raise MuteError


def end_process(_context):
    os._exit(3)


ODD = [  # body, the exception that its task fails with, where it runs
    (leave, "SystemExit", None),
    (leave, "SystemExit", "process"),
    (leave_async, "SystemExit", None),
    (interrupt, "KeyboardInterrupt", None),
    (interrupt, "KeyboardInterrupt", "process"),
    (interrupt_async, "KeyboardInterrupt", None),
    (end_generator, "GeneratorExit", None),
    (end_generator, "GeneratorExit", "process"),
    (end_generator_async, "GeneratorExit", None),
    (stop_iteration, "StopIteration", None),
    (cancel_itself, "CancelledError", None),
    (recurse, "RecursionError", None),
    (recurse, "RecursionError", "process"),
    (recurse_async, "RecursionError", None),
    (give_coroutine, "TaskReturnError", None),
    (give_coroutine, "TaskReturnError", "process"),
    (mute, "MuteError", None),
    (mute, "MuteError", "process"),
    (mute_async, "MuteError", None),
    (end_process, "TaskCrashedError", "process"),
]


@pytest.mark.parametrize(("body", "exception", "executor"), ODD, ids=[f"{one[0].__name__}-{one[2]}" for one in ODD])
def test_an_odd_body_fails_its_task_alone(body, exception, executor, engine):
    tasks = [task(body, id="load::odd", executor=executor), task(beside)]
    run = engine.start(Workflow("w", tasks), {})
    result = run.wait(WAIT)
    assert result.status == "Failed"
    assert (result.error.task, result.error.exception) == ("load::odd", exception)
    assert result.final_context["beside"] is True
    assert engine.start(Workflow("w", [task(beside)]), {}).wait(WAIT).status == "Completed"


class Broken:
    deleted = 0

    def __del__(self):
        Broken.deleted += 1
        raise ValueError


def drop(_context):
    Broken()


def keep(context):
    context["kept"] = Broken()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # what Python says of a broken __del__
@pytest.mark.parametrize("body", [drop, keep])
def test_a_broken_del_changes_nothing(body, engine, events):
    before = Broken.deleted
    assert engine.start(Workflow("w", [task(body)]), {}).wait(WAIT).status == "Completed"
    events.clear()
    deadline = time.monotonic() + WAIT
    while Broken.deleted == before and time.monotonic() < deadline:  # the worker is on its way out of the run
        gc.collect()  # here, where it is expected, rather than in another test
    assert Broken.deleted == before + 1


def test_a_body_that_waits_for_its_own_run_ends_with_it(engine):
    runs = []

    def join(_context, handle):
        handle.defer_until(lambda: runs, poll_interval_ms=1)
        runs[0].wait()

    runs.append(engine.start(Workflow("w", [task(join, handle="handle", timeout=0.2)]), {}))
    assert runs[0].wait(WAIT).error.exception == "TaskTimeoutError"


def test_workflows_within_async_tasks_need_one_place(engine_of):
    engine = engine_of(1)

    async def outer(context):
        inner = await engine.start(Workflow("inner", [task(beside)]), {})
        context["inner"] = inner.final_context["beside"]

    assert engine.start(Workflow("w", [task(outer)]), {}).wait(WAIT).final_context["inner"] is True


def test_five_hundred_plain_tasks_defer_with_two_places(engine_of):
    begun = []

    def wait(_context, handle):
        begun.append(None)
        handle.defer_until(lambda: len(begun) == 500, poll_interval_ms=20)

    tasks = [task(wait, id=f"t{number}", handle="handle") for number in range(500)]
    assert engine_of(2).start(Workflow("w", tasks), {}).wait(60).status == "Completed"


def test_five_hundred_async_tasks_sleep_side_by_side(engine_of):
    """In a row they would take 100 seconds."""

    async def sleep(_context):
        await asyncio.sleep(0.2)

    tasks = [task(sleep, id=f"t{number}") for number in range(500)]
    assert engine_of(2).start(Workflow("w", tasks), {}).wait(20).status == "Completed"

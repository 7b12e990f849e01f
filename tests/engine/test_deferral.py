"""Deferral in plain and async bodies: the slot is given back, and nothing else waits."""

import asyncio
import threading
import time

import pytest

from cloaca_nb.core.events import ProgressMade
from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.names import Keys
from cloaca_nb.core.task import Task

WAIT = 20


def task(function, *dependencies, **options):
    options.setdefault("id", function.__name__)
    options.setdefault("handle", "handle")
    options.setdefault("is_async", asyncio.iscoroutinefunction(function))
    return Task(function=function, dependencies=dependencies, keys=Keys(), **options)


@pytest.fixture
def execute(engine_of):
    def run(*tasks, limit=2, **initial):
        return engine_of(limit).start(Workflow("w", tasks), initial).wait(WAIT)

    return run


def ready_at_the(look):
    """A condition that holds when it is asked for the so-manieth time."""
    looks = []

    def condition():
        looks.append(None)
        return len(looks) >= look

    return condition


async def ready_later():
    await asyncio.sleep(0)
    return True


def test_an_async_body_awaits_while_others_go_on(execute):
    async def wait(context, handle):
        held = [handle.is_slot_held()]
        await handle.defer_until(lambda: held.append(handle.is_slot_held()) or len(held) > 3, poll_interval_ms=1)
        context["held"] = [*held, handle.is_slot_held()]

    async def beside(context, handle):
        await asyncio.sleep(0)
        context["beside"] = True

    result = execute(task(wait), task(beside), limit=1)
    assert result.error is None
    assert result.final_context["held"] == [True, False, False, False, True]
    assert result.final_context["beside"] is True


CONDITIONS = [
    ("plain, at once", lambda: ready_at_the(1)),
    ("plain, later", lambda: ready_at_the(3)),
    ("a coroutine", lambda: ready_later),
    ("returns a coroutine", lambda: lambda: asyncio.sleep(0, result=True)),
]


@pytest.mark.parametrize(("what", "make"), CONDITIONS, ids=[case[0] for case in CONDITIONS])
def test_every_kind_of_condition_serves_both_kinds_of_body(execute, what, make):
    async def awaits(context, handle):
        await handle.defer_until(make(), poll_interval_ms=1)
        context["awaits"] = what

    def blocks(context, handle):
        handle.defer_until(make(), poll_interval_ms=1)
        context["blocks"] = what

    result = execute(task(awaits), task(blocks))
    assert result.error is None
    assert dict(result.final_context) == {"awaits": what, "blocks": what}


def test_five_hundred_wait_at_once_with_two_slots(execute):
    begun, gate = [], threading.Event()

    async def wait(_context, handle):
        begun.append(None)
        await handle.defer_until(gate.is_set, poll_interval_ms=5)

    def open_up(_context, handle):
        handle.defer_until(lambda: len(begun) == 500, poll_interval_ms=1)
        gate.set()

    result = execute(*(task(wait, id=f"w{number}") for number in range(500)), task(open_up))
    assert result.status == "Completed"


def test_a_forgotten_await_fails_the_task(execute):
    async def forgets(context, handle):
        handle.defer_until(lambda: False)
        context["x"] = 1

    result = execute(task(forgets))
    assert result.error.exception == "RuntimeError"
    assert "`await handle.defer_until(...)`" in result.error.message
    assert "x" not in result.final_context


def test_an_error_of_the_condition_fails_the_task(execute):
    async def wait(_context, handle):
        await handle.defer_until(lambda: 1 / 0)

    assert execute(task(wait)).error.exception == "ZeroDivisionError"


def test_a_deferral_in_an_async_body_ends_with_its_time_or_its_run(engine):
    async def wait(_context, handle):
        await handle.defer_until(lambda: False, poll_interval_ms=60_000)

    late = engine.start(Workflow("w", [task(wait, timeout=0.05)]), {}).wait(WAIT)
    assert late.error.exception == "TaskTimeoutError"

    async def tell(_context, handle):
        handle.progress(1)
        await handle.defer_until(lambda: False, poll_interval_ms=60_000)

    waits = threading.Event()
    hear = [lambda event: waits.set() if isinstance(event, ProgressMade) else None]
    run = engine.start(Workflow("w", [task(tell)]), {}, observers=hear)
    assert waits.wait(WAIT)
    begun = time.monotonic()
    run.cancel()
    assert run.wait(WAIT).status == "Cancelled"
    assert time.monotonic() - begun < 5

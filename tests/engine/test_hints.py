"""Errors that come from where a body runs are answered with what helps, in the error itself."""

import asyncio
import signal
import sqlite3
from contextlib import closing

import pytest

from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.names import Keys
from cloaca_nb.core.status import Status
from cloaca_nb.core.task import Task


def ask(context):
    context["connection"].execute("SELECT 1")


def handle_signals(_context):
    signal.signal(signal.SIGINT, signal.default_int_handler)


def use_a_loop(_context):
    asyncio.get_event_loop()


async def run(_context):
    coroutine = asyncio.sleep(0)
    try:
        asyncio.run(coroutine)
    finally:
        coroutine.close()


async def complete(_context):
    asyncio.get_running_loop().run_until_complete(asyncio.get_running_loop().create_future())


CASES = [
    (ask, "open the connection in the task that uses it"),
    (handle_signals, 'executor="process"'),
    (use_a_loop, "make it `async def`"),
    (run, "`await` it instead"),
    (complete, "`await` it instead"),
]


@pytest.mark.parametrize(("body", "hint"), CASES, ids=[body.__name__ for body, _ in CASES])
def test_where_a_body_runs_is_told_where_it_matters(body, hint, engine):
    is_async = asyncio.iscoroutinefunction(body)
    workflow = Workflow("flow", [Task("body", body, (), keys=Keys(), is_async=is_async)])
    with closing(sqlite3.connect(":memory:")) as connection:
        run = engine.start(workflow, {"connection": connection})
        assert run.wait(60).status == Status.FAILED
    assert hint in run.tasks["body"].failure.traceback

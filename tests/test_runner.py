"""The runner as it is set up: configs, timeouts, schemas, URLs."""

import threading
import time

import pytest

import cloaca_nb as cloaca
from cloaca_nb.core.task import Task
from cloaca_nb.engine.engine import default_concurrency

LONG = 20.0  # seconds: far more than any test takes


def wait_until_given_up(_context):
    """Go on until the test is over, as a body does that doesn't look whether it was given up."""
    released.wait(LONG)


def set_one(context):
    context["one"] = 1


async def sleep(_context):
    import asyncio  # noqa: PLC0415 - as a user's body would

    await asyncio.sleep(LONG)


released = threading.Event()


@pytest.fixture(autouse=True)
def release():
    released.clear()
    yield
    released.set()


def flow(*functions, **facts):
    ids = [function.__name__ for function in functions]
    before = [(), *((one,) for one in ids)]
    asynchronous = {"sleep": True}
    return cloaca.Workflow(
        "flow",
        [
            Task(task_id, function, dependencies, is_async=asynchronous.get(task_id, False), **facts)
            for task_id, function, dependencies in zip(ids, functions, before, strict=False)
        ],
    )


def config(**fields):
    return cloaca.DefaultRunnerConfig(**fields)


TIMED = [
    # what, the config, the task's own timeout, the call's, who says that the time is up
    ("the config's, per attempt", config(task_timeout_seconds=0.2), None, None, "Task 'BODY'"),
    ("a task's own comes first", config(task_timeout_seconds=LONG), 0.2, None, "Task 'BODY'"),
    ("the config's, per run", config(workflow_timeout_seconds=0.2), None, None, "Workflow 'flow'"),
    ("the call's comes first", config(workflow_timeout_seconds=LONG), None, 0.2, "Workflow 'flow'"),
    ("the call's alone", None, None, 0.2, "Workflow 'flow'"),
]


@pytest.mark.parametrize("body", [wait_until_given_up, sleep], ids=["thread", "async"])
@pytest.mark.parametrize(("what", "config", "own", "called", "who"), TIMED, ids=[case[0] for case in TIMED])
def test_timeouts_have_effect(what, config, own, called, who, body):
    began = time.perf_counter()
    with cloaca.DefaultRunner(":memory:", config=config) as runner:
        result = runner.execute(flow(body, timeout=own), timeout=called)
        assert time.perf_counter() - began < LONG / 2
        assert result.status == "Failed"
        expected = f"{who.replace('BODY', body.__name__)} took longer than its timeout of 0.2 s"
        assert expected in result.error_message
        assert expected in result.error
        assert runner.history().runs()["status"].tolist() == ["Failed"]


def test_a_run_whose_time_is_up_keeps_what_was_done():
    with cloaca.DefaultRunner(":memory:") as runner:
        result = runner.execute(flow(set_one, wait_until_given_up, set_one_again), timeout=0.3)
    assert dict(result.final_context) == {"one": 1}
    assert result.tasks["outcome"].tolist() == ["Completed", "Cancelled", "Cancelled"]
    assert result.tasks["reason"].tolist() == ["", *2 * ["because the run's time was up"]]
    assert (result.error.task, result.error.message) == ("", result.error_message)


def set_one_again(context):
    context["one"] = 2


@pytest.mark.parametrize("config", [None, config()], ids=["our defaults", "theirs"])
def test_a_run_in_time_is_left_alone(config):
    with cloaca.DefaultRunner(":memory:", config=config) as runner:
        result = runner.execute(flow(set_one), timeout=LONG)
    assert (result.status, result.error) == ("Completed", None)


def test_started_and_awaited_runs_have_timeouts_too():
    import asyncio  # noqa: PLC0415 - for this test alone

    with cloaca.DefaultRunner(":memory:") as runner:
        assert runner.start(flow(sleep), timeout=0.1).wait(LONG).status == "Failed"
        assert asyncio.run(runner.execute_async(flow(sleep), timeout=0.1)).status == "Failed"


@pytest.mark.parametrize("timeout", [0, -1, "1", True])
def test_a_timeout_is_a_number_above_0(timeout):
    with cloaca.DefaultRunner(":memory:") as runner, pytest.raises(cloaca.DefinitionError, match="timeout is"):
        runner.execute(flow(set_one), timeout=timeout)


def most_at_once(runner):
    """Return how many of many plain bodies ran at once."""
    lock, running, most = threading.Lock(), set(), [0]
    full = threading.Event()

    def body(context):
        with lock:
            running.add(threading.get_ident())
            most[0] = max(most[0], len(running))
        full.wait(0.02)
        with lock:
            running.discard(threading.get_ident())

    runner.execute(cloaca.Workflow("many", [Task(f"t{number}", body, ()) for number in range(60)]))
    return most[0]


def test_the_limit_on_tasks_at_once():
    with cloaca.DefaultRunner.with_config(":memory:", config(max_concurrent_tasks=2)) as runner:
        assert most_at_once(runner) == 2
    with cloaca.DefaultRunner(":memory:") as runner:
        assert most_at_once(runner) <= default_concurrency()


def test_schemas_in_one_file_know_nothing_of_each_other(tmp_path):
    url = f"duckdb:///{tmp_path}/shared.duckdb"
    with cloaca.DefaultRunner.with_schema(url, "one") as one, cloaca.DefaultRunner.with_schema(url, "two_2") as two:
        one.execute(flow(set_one))
        assert (len(one.history().runs()), len(two.history().runs())) == (1, 0)
    with cloaca.DefaultRunner.with_schema(url, "one") as again:
        assert len(again.history().runs()) == 1


SCHEMAS = [
    (":memory:", "", ValueError, "Schema name cannot be empty"),
    (":memory:", None, ValueError, "Schema name cannot be empty"),
    (":memory:", "a-b", ValueError, "Schema name must contain only alphanumeric characters and underscores"),
    ("sqlite:///x.db", "a; DROP", ValueError, "Schema name must contain only alphanumeric characters and underscores"),
    ("postgresql://me@host/db", "mine", RuntimeError, "Failed to set up schema 'mine': .*DuckDB"),
]


@pytest.mark.parametrize(("url", "schema", "kind", "text"), SCHEMAS)
def test_what_is_no_schema(url, schema, kind, text):
    with pytest.raises(kind, match=text):
        cloaca.DefaultRunner.with_schema(url, schema)

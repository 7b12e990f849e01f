"""Runs that end before their time: by interrupts, by timeouts, before they begin; and what history has of them."""

import asyncio
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.names import Keys
from cloaca_nb.core.rules import task_failed
from cloaca_nb.core.task import Task
from cloaca_nb.declare.builder import WorkflowBuilder
from cloaca_nb.errors import HistoryError, WorkflowValidationError
from cloaca_nb.runner import DefaultRunner

LONG = 60  # seconds that nobody waits


@pytest.fixture
def runner(tmp_path):
    with DefaultRunner(str(tmp_path / "history.duckdb")) as made:
        yield made


def task(function, **options):
    return Task(function.__name__, function, (), keys=Keys(), **options)


TWICE = """
    import sys, threading
    import cloaca_nb as cloaca

    def say(word):
        sys.__stdout__.write(word + "\\n")
        sys.__stdout__.flush()

    with cloaca.WorkflowBuilder("w"):
        @cloaca.task()
        def hang(context):
            say("begun")
            threading.Event().wait()

    def hold_up(event):
        if type(event).__name__ == "RunFinished":
            say("ending")
            go_on.wait()

    go_on = threading.Event()
    runner = cloaca.DefaultRunner(sys.argv[1])
    try:
        runner.execute("w", observers=[hold_up])
    except KeyboardInterrupt:
        say("out")
    go_on.set()
    runner.shutdown()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT for another process")
def test_a_second_interrupt_does_not_wait_for_the_end_of_the_run(tmp_path):
    """The run is being closed, and that takes until the program is out."""
    command = [sys.executable, "-c", textwrap.dedent(TWICE), str(tmp_path / "h.duckdb")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - a program of this file
        assert process.stdout is not None
        for line in ("begun", "ending"):
            assert process.stdout.readline() == f"{line}\n"
            process.send_signal(signal.SIGINT)
        assert process.stdout.read() == "out\n"
    with DefaultRunner(str(tmp_path / "h.duckdb")) as reader:
        assert list(reader.history().runs()["status"]) == ["Cancelled"]


def sleep(_context):
    time.sleep(LONG)  # in a process that is killed


def hang(_context):
    release.wait(LONG)


async def sleep_async(_context):
    await asyncio.sleep(LONG)


release = threading.Event()


@pytest.fixture
def let_go():
    """Lets bodies go on that were left alone."""
    release.clear()
    yield
    release.set()


@pytest.fixture
def pool(let_go):
    pool = ThreadPoolExecutor(1)
    yield pool
    release.set()
    pool.shutdown()


PLACES = [("thread", hang), ("async", sleep_async), ("process", sleep), ("executor", hang)]


@pytest.mark.parametrize("of_the_run", [False, True], ids=["of the task", "of the run"])
@pytest.mark.parametrize(("place", "body"), PLACES, ids=[place for place, _ in PLACES])
def test_a_timeout_ends_a_run_wherever_it_is_and_history_says_so(place, body, of_the_run, runner, pool):
    executor = {"process": "process", "executor": pool}.get(place)
    limit = None if of_the_run else 0.05
    one = task(body, timeout=limit, executor=executor, is_async=place == "async")
    result = runner.execute(Workflow("w", [one]), timeout=0.05 if of_the_run else None)
    assert result.status == "Failed"
    assert "longer than its timeout of 0.05 s" in result.error_message
    (run,) = runner.history().runs().to_dict("records")
    assert (run["run_id"], run["status"]) == (result.run_id, "Failed")
    assert "longer than its timeout" in run["error"]
    assert list(runner.history().tasks()["outcome"]) == ["Cancelled" if of_the_run else "Failed"]
    assert runner.execute(Workflow("after", [task(do_nothing)])).status == "Completed"


def do_nothing(_context): ...


def fail(_context):
    raise ValueError


def tell_success(task_id, _context):
    print(f"{task_id} is done")


def tell_failure(task_id, error, _context):
    print(f"{task_id} failed: {error}")


CALLBACKS = [
    ("success", do_nothing, None, "do_nothing is done\n"),
    ("failure", fail, None, "fail failed: \n"),
    ("a timeout", hang, 0.05, "hang failed: Task 'hang' took longer than its timeout of 0.05 s.\n"),
    (
        "an async timeout",
        sleep_async,
        0.05,
        "sleep_async failed: Task 'sleep_async' took longer than its timeout of 0.05 s.\n",
    ),
]


@pytest.mark.parametrize(("what", "body", "timeout", "printed"), CALLBACKS, ids=[case[0] for case in CALLBACKS])
def test_what_a_callback_prints_is_in_its_tasks_log(what, body, timeout, printed, runner, let_go, capsys):
    is_async = asyncio.iscoroutinefunction(body)
    one = task(body, timeout=timeout, is_async=is_async, on_success=tell_success, on_failure=tell_failure)
    runner.execute(Workflow("w", [one]))
    logged = runner.history().logs(one.id)
    assert "".join(logged["text"]) == printed, what
    assert set(logged["stream"]) == {"stdout"}
    assert printed in capsys.readouterr().out


def of_no_tasks():
    return Workflow("w", [])


def of_an_empty_block():
    with WorkflowBuilder("w"):
        pass


def of_a_rule_on_nobody():
    return Workflow("w", [task(do_nothing, rule=task_failed("lod"))])


@pytest.mark.parametrize("make", [of_no_tasks, of_an_empty_block, of_a_rule_on_nobody])
def test_what_makes_no_workflow_never_begins(make, runner, registry):
    """Each is an error when it is made, so that no run waits for a task that there isn't."""
    with pytest.raises(WorkflowValidationError):
        runner.execute(make())
    with pytest.raises(ValueError, match="'w'"):
        runner.execute("w")
    assert runner.history().runs().empty


class Recursive:
    """A value whose own code executes a workflow when it is recorded."""

    def __init__(self, runner, workflow):
        self.runner, self.workflow = runner, workflow
        self.refusals = []

    def __reduce__(self):
        try:
            self.runner.execute(self.workflow)
        except HistoryError as error:
            self.refusals.append(str(error))
        return (str, ("recursive",))


@pytest.mark.parametrize("durability", ["run", "task"])
def test_a_value_cannot_execute_a_workflow_while_it_is_recorded(durability, tmp_path):
    with DefaultRunner(str(tmp_path / "history.duckdb"), durability=durability) as runner:

        def put(context):
            context["value"] = value

        def follow(context):
            context["seen"] = True

        value = Recursive(runner, Workflow("inner", [task(follow)]))
        outer = Workflow("outer", [task(put), Task("follow", follow, ("put",), keys=Keys())])
        result = runner.execute(outer)
        assert result.status == "Completed"
        assert result.history_error is None
        assert value.refusals
        assert all("would wait for itself" in one for one in value.refusals)
        assert runner.history().runs()["workflow"].tolist() == ["outer"]

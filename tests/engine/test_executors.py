"""Bodies in other processes and on executors that are handed in; everything here is a real process or pool."""

import asyncio
import importlib
import logging
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import pytest

from cloaca_nb.core.events import OutputWritten, ProgressMade
from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.names import Keys
from cloaca_nb.core.retry import RetryPolicy
from cloaca_nb.core.task import Task
from cloaca_nb.engine import processes
from cloaca_nb.errors import ConfigurationError, MissingExtraError

WAIT = 60


def task(function, *dependencies, **options):
    options.setdefault("id", function.__name__)
    options.setdefault("executor", "process")
    options.setdefault("is_async", asyncio.iscoroutinefunction(function))
    return Task(function=function, dependencies=dependencies, keys=Keys(), **options)


@pytest.fixture
def execute(engine):
    def run(*tasks, **initial):
        return engine.start(Workflow("w", tasks), initial).wait(WAIT)

    return run


@pytest.fixture(scope="module")
def threads():
    with ThreadPoolExecutor(2) as pool:
        yield pool


@pytest.fixture(scope="module")
def pool():
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        yield pool


@pytest.fixture(scope="module")
def cluster():
    distributed = pytest.importorskip("distributed", reason='needs Dask: pip install "cloaca-nb[dask]"')
    with (
        warnings.catch_warnings(action="ignore"),
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client.get_executor(pure=False)


@pytest.fixture(params=["process", "threads", "pool", "cluster"])
def executor(request):
    """Each place where a body can run."""
    return "process" if request.param == "process" else request.getfixturevalue(request.param)


def printed(events, stream):
    return "".join(event.text for event in events if isinstance(event, OutputWritten) and event.stream == stream)


def test_values_go_there_and_changes_come_back_everywhere(execute, events, executor):
    factor = 3

    def multiply(context, handle):
        print("in", "process" if os.getpid() != context["pid"] else "thread")
        print("careful", file=sys.stderr)
        if os.getpid() != context["pid"]:  # pytest takes the records of this one
            logging.getLogger("x").warning("logged")
        handle.progress(1, 2, "half")
        context["product"] = context["n"] * factor
        context["rows"].append(1)
        del context["old"]

    def after(context):
        context["sum"] = context["product"] + len(context["rows"])
        return context

    async def beside(context):
        await asyncio.sleep(0)
        context["beside"] = {("a", 1)}

    result = execute(
        task(multiply, executor=executor, handle="handle"),
        task(after, "multiply", executor=executor),
        task(beside, executor=executor),
        n=2,
        rows=[0],
        old=1,
        pid=os.getpid(),
        gate=threading.Lock(),  # can't travel, and nobody reads it
    )
    assert result.error is None
    final = result.final_context
    assert (final["product"], final["sum"], final["rows"], final["beside"]) == (6, 7, [0], {("a", 1)})
    assert "old" not in final
    where = "thread" if isinstance(executor, ThreadPoolExecutor) else "process"
    assert printed(events, "stdout") == f"in {where}\n"
    assert printed(events, "stderr") == ("careful\n" if where == "thread" else "careful\nlogged\n")
    assert [event.message for event in events if isinstance(event, ProgressMade)] == ["half"]


def test_a_failure_is_told_as_it_is_everywhere(execute, executor):
    def boom(context):
        raise ConnectionError(f"no {context['x']}")

    def odd(_context):
        class PickyError(Exception):
            def __init__(self, first, second):
                super().__init__(f"{first} and {second}")

        raise PickyError("this", "that")

    def wrong(_context):
        return 5

    tries = RetryPolicy(max_attempts=2, initial_delay=0)
    result = execute(
        task(boom, executor=executor, retry=tries),
        task(odd, executor=executor),
        task(wrong, executor=executor),
        x=7,
    )
    rows = {row["task_id"]: row for row in result.tasks}
    assert rows["boom"]["error"] == "ConnectionError: no 7"
    assert rows["boom"]["attempts"] == 2
    assert rows["odd"]["error"] == "PickyError: this and that"
    assert "returned a value of type int" in rows["wrong"]["error"]
    first = result.error.traceback
    assert "test_executors.py, line" in first or result.error.task == "wrong"
    assert "cloaca_nb/engine" not in first


def test_a_conflict_that_is_read_there_is_reported(execute):
    def setter(value):
        def body(context):
            context["x"] = value

        return body

    def use(context):
        context["y"] = context["x"]

    result = execute(task(setter(1), id="a"), task(setter(2), id="b"), task(use, "a", "b"))
    assert result.final_context["y"] == 2
    assert [one.key for one in result.conflicts] == ["x"]


def crash_exit(_context):
    os._exit(3)


def crash_signal(_context):
    os.kill(os.getpid(), signal.SIGSEGV)


CRASHES = [("exit", crash_exit, "ended with exit code 3"), ("signal", crash_signal, "ended by SIGSEGV")]


@pytest.mark.parametrize(("what", "body", "says"), CRASHES, ids=[case[0] for case in CRASHES])
def test_a_crash_fails_its_attempt_alone(engine_of, what, body, says):
    def fine(context):
        context[what] = True

    def later(_context): ...

    tasks = [task(body, id="crash"), task(fine), task(later, "fine")]
    result = engine_of(1).start(Workflow("w", tasks), {}).wait(WAIT)
    assert result.error.exception == "TaskCrashedError"
    assert result.error.task == "crash"
    assert says in result.error.message
    assert result.final_context[what] is True


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat") as stat:  # noqa: PTH123 - as short as it gets
        return stat.read().rpartition(")")[2].split()[0] != "Z"


def gone(pid):
    end = time.monotonic() + 5
    while time.monotonic() < end:
        try:
            if not alive(pid):
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
    return False


on_linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


@on_linux
def test_a_timeout_ends_that_process_with_its_children_and_no_other(execute, events):
    def slow(_context):
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        print(os.getpid(), child.pid)
        time.sleep(600)

    def steady(context):
        time.sleep(0.8)
        context["steady"] = True

    def warm_up(_context): ...

    execute(task(warm_up))
    result = execute(task(slow, timeout=5), task(steady))
    assert result.error.exception == "TaskTimeoutError"
    assert result.final_context["steady"] is True
    begun = [int(pid) for pid in printed(events, "stdout").split()]
    assert len(begun) == 2
    assert all(gone(pid) for pid in begun)


@on_linux
def test_cancel_ends_a_process_at_once_and_output_comes_as_it_is_printed(engine, events):
    printed_there = threading.Event()

    def hang(_context):
        print(os.getpid())
        time.sleep(600)

    def hear(event):
        if isinstance(event, OutputWritten):
            printed_there.set()

    run = engine.start(Workflow("w", [task(hang)]), {}, observers=[hear])
    assert printed_there.wait(WAIT)
    begun = time.monotonic()
    run.cancel()
    assert run.wait(WAIT).status == "Cancelled"
    assert time.monotonic() - begun < 1
    assert gone(int(printed(events, "stdout")))


def test_processes_are_used_again_and_are_out_of_reach_for_ctrl_c(engine_of):
    def who(context):
        context[context["name"]] = (os.getpid(), os.getpgrp())

    engine = engine_of(1)
    found = set()
    for _ in range(3):
        final = engine.start(Workflow("w", [task(who)]), {"name": "who"}).wait(WAIT).final_context
        found.add(final["who"])
    ((pid, group),) = found
    assert pid == group != os.getpgrp()


def test_a_deferred_body_in_a_process_gives_its_slot_back(engine_of, tmp_path):
    def wait(context, handle):
        handle.defer_until((context["folder"] / "ready").exists, poll_interval_ms=5)
        context["held"] = handle.is_slot_held()

    def open_up(context):
        (context["folder"] / "ready").touch()

    tasks = [task(wait, handle="handle"), task(open_up, executor=None)]
    result = engine_of(1).start(Workflow("w", tasks), {"folder": tmp_path}).wait(WAIT)
    assert result.final_context["held"] is True


SCRIPT = """
import os, signal, subprocess, sys, time
from cloaca_nb import DefaultRunner, WorkflowBuilder, task

with WorkflowBuilder("w") as builder:
    @task(executor="process")
    def body(context):
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        print(os.getpid(), child.pid, flush=True)
        time.sleep(context["seconds"])
        child.kill()

DefaultRunner(":memory:").execute("w", {"seconds": 0})
if sys.argv[1] == "exit":
    sys.exit()
runner = DefaultRunner(":memory:", echo_output=lambda event: print(getattr(event, "text", ""), end="", flush=True))
runner.start("w", {"seconds": 600})
sys.stdin.read()
os.kill(os.getpid(), signal.SIGKILL)
"""


@on_linux
def test_a_process_that_is_idle_does_not_keep_its_parent_from_leaving():
    command = [sys.executable, "-c", SCRIPT, "exit"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=WAIT, check=False)  # noqa: S603 - our own script
    assert (done.returncode, done.stderr) == (0, "")
    assert gone(int(done.stdout.split()[0]))


@on_linux
def test_a_process_ends_when_its_parent_is_killed():
    command = [sys.executable, "-c", SCRIPT, "killed"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, **pipes, text=True) as parent:  # noqa: S603 - our own script
        begun = [line.split() for line in (parent.stdout.readline(), parent.stdout.readline())][-1]
        parent.stdin.close()
        parent.wait(WAIT)
    assert len(begun) == 2
    assert all(gone(int(pid)) for pid in begun)


def test_a_module_that_was_edited_is_imported_anew(engine_of, tmp_path, monkeypatch):
    module = tmp_path / "edited_helpers.py"
    module.write_text("answer = 1")
    os.utime(module, (1, 1))
    monkeypatch.syspath_prepend(tmp_path)
    helpers = importlib.import_module("edited_helpers")
    monkeypatch.setitem(sys.modules, "edited_helpers", helpers)

    def ask(context):
        import edited_helpers  # noqa: PLC0415 - in the process

        context["answer"] = edited_helpers.answer

    engine = engine_of(1)

    def answer():
        return engine.start(Workflow("w", [task(ask)]), {}).wait(WAIT).final_context["answer"]

    assert answer() == 1
    module.write_text("answer = 22")
    assert answer() == 22


def test_what_cannot_travel_is_named(execute):
    lock = threading.Lock()

    def takes(_context):
        lock.acquire()

    def reads(context):
        context["x"] = context["gate"]

    def sets(context):
        context["own"] = threading.Lock()

    result = execute(task(takes), task(reads), task(sets), gate=threading.Lock())
    errors = {row["task_id"]: row["error"] for row in result.tasks}
    assert "The function of task 'takes' can't travel" in errors["takes"]
    assert "Key 'gate' holds a lock" in errors["reads"]
    assert "Key 'own' holds a lock" in errors["sets"]


def test_large_globals_that_travel_are_named(execute, events):
    table = bytes(11_000_000)
    small = b"1"

    def uses(context):
        context["size"] = len(table) + len(small)

    assert execute(task(uses)).final_context["size"] == 11_000_001
    said = printed(events, "stderr")
    assert "Warning: task 'uses' takes table (11 MB) along" in said
    assert "small" not in said


def test_an_executor_that_was_shut_down_fails_the_task(execute):
    closed = ThreadPoolExecutor(1)
    closed.shutdown()

    def body(_context): ...

    assert "shutdown" in execute(task(body, executor=closed)).error.message


def test_a_body_on_an_executor_is_left_alone_when_its_time_is_up(execute, threads):
    release = threading.Event()

    def slow(context):
        release.wait(WAIT)
        context["late"] = True

    result = execute(task(slow, executor=threads, timeout=0.05))
    release.set()
    assert result.error.exception == "TaskTimeoutError"
    assert dict(result.final_context) == {}


def test_an_unknown_executor_and_a_missing_library_are_said_before_anything_runs(engine, events, monkeypatch):
    def body(_context): ...

    with pytest.raises(ConfigurationError, match="Task 'body': executor is 'proces'.* Did you mean 'process'"):
        engine.start(Workflow("w", [task(body, executor="proces")]), {})
    monkeypatch.setattr(processes.importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(MissingExtraError, match=r"Task 'body': .*pip install cloaca-nb\[process\]"):
        engine.start(Workflow("w", [task(body)]), {})
    assert events == []

"""The runner: one call from a workflow to a result that is on disk."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading

import pandas as pd
import pytest

from cloaca_nb.config import DefaultRunnerConfig
from cloaca_nb.core.context import Context
from cloaca_nb.core.events import RunFinished, RunStarted
from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.names import Keys
from cloaca_nb.core.task import Task
from cloaca_nb.declare.builder import WorkflowBuilder
from cloaca_nb.declare.registry import Registry
from cloaca_nb.declare.task import task as declare
from cloaca_nb.errors import ConfigurationError, HistoryError, WorkflowNotFoundError
from cloaca_nb.history import waiter
from cloaca_nb.runner import DefaultRunner

WAIT = 20


def workflow(*bodies, name="flow"):
    return Workflow(name, [Task(body.__name__, body, (), keys=Keys()) for body in bodies])


def double(context):
    context["y"] = context["x"] * 2


@pytest.fixture
def runner(tmp_path):
    with DefaultRunner(str(tmp_path / "history.duckdb")) as made:
        yield made


@pytest.mark.parametrize("context", [{"x": 2}, Context({"x": 2})], ids=["dict", "Context"])
def test_a_run_is_in_history_when_execute_returns(context, runner):
    result = runner.execute(workflow(double), context)
    assert result.status == "Completed"
    assert dict(result.final_context) == {"x": 2, "y": 4}
    assert list(runner.history().runs()["run_id"]) == [result.run_id]
    assert list(runner.history().tasks(result.run_id)["outcome"]) == ["Completed"]


def test_the_callers_context_stays_as_it_is(runner):
    rows = [1]

    def grow(context):
        context["rows"].append(2)
        context["rows"] = context["rows"]

    given = Context({"rows": rows})
    assert runner.execute(workflow(grow), given).final_context["rows"] == [1, 2]
    assert rows == [1]
    assert dict(given) == {"rows": [1]}


@pytest.mark.parametrize("context", [5, [("x", 1)], "x", {1: 2}, {None: 1}], ids=repr)
def test_what_is_no_context_is_said_before_any_task(context, runner):
    with pytest.raises(TypeError, match="Context takes a dict|A context key is a str"):
        runner.execute(workflow(double), context)
    assert runner.history().runs().empty


def test_a_workflow_is_found_by_name(tmp_path):
    with WorkflowBuilder("doubling"):

        @declare(id="only", dependencies=[])
        def only(context):
            context["y"] = 1

    with DefaultRunner(":memory:") as runner:
        assert runner.execute("doubling").final_context["y"] == 1
        with pytest.raises(WorkflowNotFoundError, match="Did you mean 'doubling'"):
            runner.execute("dubbling")


def test_a_name_that_nobody_knows():
    with DefaultRunner(":memory:", registry=Registry()) as runner, pytest.raises(WorkflowNotFoundError):
        runner.execute("doubling")


@pytest.mark.parametrize(
    ("url", "file"),
    [
        ("duckdb:///there.duckdb", "there.duckdb"),
        ("there.duckdb", "there.duckdb"),
        ("sqlite:///tutorial.db", "tutorial.duckdb"),
        (None, ".cloaca/history.duckdb"),
        (":memory:", None),
    ],
)
def test_url(url, file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CLOACA_HISTORY", raising=False)
    with DefaultRunner(url) as runner:
        runner.execute(workflow(double), {"x": 1})
        assert len(runner.history().runs()) == 1
    made = [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.duckdb")]
    assert made == ([file] if file else [])


def test_a_sqlite_file_is_never_touched(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with sqlite3.connect("untouched.db") as other:
        other.execute("CREATE TABLE theirs (a)")
    other.close()
    before = (tmp_path / "untouched.db").read_bytes()
    for _ in range(2):
        with DefaultRunner("sqlite:///untouched.db") as runner:
            runner.execute(workflow(double), {"x": 1})
    assert (tmp_path / "untouched.db").read_bytes() == before
    assert capsys.readouterr().err.count("untouched.duckdb") == 1


@pytest.mark.parametrize("url", ["postgresql://localhost/x", "duckdb:///x.duckdb?a=b", "a\0b"])
def test_a_url_that_is_not_supported(url):
    with pytest.raises(RuntimeError) as error:
        DefaultRunner(url)
    assert isinstance(error.value, ConfigurationError)


def test_a_file_that_is_no_history_stays_as_it_is(tmp_path):
    other = tmp_path / "notes.txt"
    other.write_text("mine" * 1000)
    with pytest.raises(HistoryError, match="name another one"):
        DefaultRunner(str(other))
    assert other.read_text() == "mine" * 1000


def test_with_config(tmp_path):
    most, now, lock = [0], [0], threading.Lock()

    def work(_context):
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        threading.Event().wait(0.005)
        with lock:
            now[0] -= 1

    tasks = [Task(f"t{number}", work, (), keys=Keys()) for number in range(12)]
    config = DefaultRunnerConfig(max_concurrent_tasks=2)
    with DefaultRunner.with_config(str(tmp_path / "h.duckdb"), config) as runner:
        assert runner.execute(Workflow("w", tasks)).status == "Completed"
    assert most == [2]


def test_execute_async(runner):
    result = asyncio.run(runner.execute_async(workflow(double), {"x": 1}))
    assert result.final_context["y"] == 2


def test_cancelling_execute_async_cancels_the_run(runner):
    begun, release, ended = threading.Event(), threading.Event(), []

    def hang(_context):
        begun.set()
        release.wait(WAIT)

    async def main():
        waiting = asyncio.ensure_future(runner.execute_async(workflow(hang)))
        await asyncio.to_thread(begun.wait, WAIT)
        waiting.cancel()
        ended.extend(await asyncio.gather(waiting, return_exceptions=True))

    asyncio.run(main())
    release.set()
    assert isinstance(ended[0], asyncio.CancelledError)
    assert list(runner.history().runs()["status"]) == ["Cancelled"]


def test_start_returns_at_once(runner):
    release, said = threading.Event(), []

    def wait(context):
        assert release.wait(WAIT)
        double(context)

    run = runner.start(workflow(wait), {"x": 1}, observers=[said.append])
    assert run.status == "Running"
    assert run.result is None
    with pytest.raises(TimeoutError, match="not over"):
        run.wait(0.01)
    release.set()
    assert run.wait(WAIT).final_context["y"] == 2
    assert isinstance(said[0], RunStarted)
    assert isinstance(said[-1], RunFinished)


def test_many_threads_may_execute_at_once(runner):
    found = []

    def execute(number):
        found.append(runner.execute(workflow(double), {"x": number}).final_context["y"])

    threads = [threading.Thread(target=execute, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT)
    assert sorted(found) == list(range(0, 40, 2))
    assert len(runner.history().runs()) == 20


def test_two_runners_share_a_file(tmp_path):
    one, other = (DefaultRunner(str(tmp_path / "h.duckdb")) for _ in range(2))
    for runner in (one, other):
        runner.execute(workflow(double), {"x": 1})
    one.shutdown()
    other.execute(workflow(double), {"x": 1})
    assert len(other.history().runs()) == 3
    other.shutdown()


def test_shutdown_records_what_goes_on_as_cancelled(tmp_path):
    begun, release = threading.Event(), threading.Event()

    def hang(_context):
        begun.set()
        release.wait(WAIT)

    runner = DefaultRunner(str(tmp_path / "h.duckdb"))
    run = runner.start(workflow(hang))
    assert begun.wait(WAIT)
    runner.shutdown()
    runner.shutdown()
    release.set()
    assert run.wait(WAIT).status == "Cancelled"
    assert run.history_error is None
    with DefaultRunner(str(tmp_path / "h.duckdb")) as again:
        assert list(again.history().runs()["status"]) == ["Cancelled"]


def test_a_runner_that_was_shut_down_says_so(tmp_path):
    runner = DefaultRunner(str(tmp_path / "h.duckdb"))
    runner.shutdown()
    for use in (runner.execute, runner.start):
        with pytest.raises(ConfigurationError, match="was shut down"):
            use(workflow(double), {"x": 1})
    with pytest.raises(HistoryError, match="closed"):
        runner.history().runs()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")  # the point of this test
def test_a_forked_child_is_told_to_make_its_own(runner):
    runner.execute(workflow(double), {"x": 1})
    receiver, sender = os.pipe()
    child = os.fork()
    if not child:
        try:
            runner.execute(workflow(double), {"x": 1})
        except ConfigurationError as error:
            os.write(sender, str(error).encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    os.close(sender)
    assert "make a new one in this process" in os.read(receiver, 1000).decode()
    os.close(receiver)
    assert runner.execute(workflow(double), {"x": 1}).status == "Completed"
    assert len(runner.history().runs()) == 2


INTERRUPTED = """
    import sys, threading
    from cloaca_nb.core.graph import Workflow
    from cloaca_nb.core.names import Keys
    from cloaca_nb.core.task import Task
    from cloaca_nb.runner import DefaultRunner

    def hang(context):
        sys.__stdout__.write("begun\\n")
        sys.__stdout__.flush()
        threading.Event().wait()

    runner = DefaultRunner(sys.argv[1])
    try:
        runner.execute(Workflow("w", [Task("hang", hang, (), keys=Keys())]))
    except KeyboardInterrupt:
        print(list(runner.history().runs()["status"]))
    runner.shutdown()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT for another process")
def test_an_interrupt_cancels_the_run(tmp_path):
    command = [sys.executable, "-c", textwrap.dedent(INTERRUPTED), str(tmp_path / "h.duckdb")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - a program of this file
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.read() == "['Cancelled']\n"
    assert process.returncode == 0


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_a_killed_run_is_interrupted(tmp_path):
    command = [sys.executable, "-c", textwrap.dedent(INTERRUPTED), str(tmp_path / "h.duckdb")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - a program of this file
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        with DefaultRunner(str(tmp_path / "h.duckdb")) as reader:
            seen = set(reader.history().runs()["status"])
        process.kill()
    assert seen <= {"Running"}
    with DefaultRunner(str(tmp_path / "h.duckdb")) as reader:
        assert set(reader.history().runs()["status"]) <= {"Interrupted"}
        assert reader.execute(workflow(double), {"x": 1}).status == "Completed"


class Heavy:
    """Has a pickle of its own making, as objects have that hold on to much; a copy needs none."""

    pickled = 0

    def __init__(self, rows):
        self.rows = rows

    def __deepcopy__(self, memo):
        return Heavy(list(self.rows))

    def __reduce__(self):
        Heavy.pickled += 1
        return Heavy, (self.rows,)

    def __eq__(self, other):
        return type(other) is Heavy and other.rows == self.rows

    __hash__ = None


@pytest.mark.parametrize("rows", [3, 100_000])
def test_a_value_is_pickled_to_digest_it_to_keep_it_and_to_see_that_it_comes_back_however_many_read_it(rows, tmp_path):
    def make(context):
        context["heavy"] = Heavy(list(range(rows)))

    def read(context):
        context["total"] = len(context["heavy"].rows)

    readers = [Task(f"read{number}", read, ("make",)) for number in range(3)]
    Heavy.pickled = 0
    with DefaultRunner(str(tmp_path / "history.duckdb")) as runner:
        assert runner.execute(Workflow("flow", [Task("make", make, ()), *readers])).status == "Completed"
    assert Heavy.pickled == 3


def test_an_object_that_two_tasks_change_in_place_and_set_is_kept_as_each_has_set_it(tmp_path):
    shared = {"object": Heavy([0]), "list": [0] * 100_000, "frame": pd.DataFrame({"n": range(100_000)})}

    def first(context):
        context.update_from_dict(shared)

    def second(context):
        shared["object"].rows.append(1)
        shared["list"].append(1)
        shared["frame"].loc[0, "n"] = -1
        context.update_from_dict(shared)

    flow = Workflow("flow", [Task("first", first, ()), Task("second", second, ("first",))])
    with DefaultRunner(str(tmp_path / "history.duckdb"), durability="task") as runner:
        run_id = runner.execute(flow).run_id
        memory = runner.history().memory(flow, run_id)
        kept = {one: memory.values(memory.tasks[one][0]) for one in ("first", "second")}
    assert [kept[one]["object"].rows for one in kept] == [[0], [0, 1]]
    assert [len(kept[one]["list"]) for one in kept] == [100_000, 100_001]
    assert [kept[one]["frame"]["n"][0] for one in kept] == [0, -1]


class LetGo:
    """A value that history takes in only when it is let go."""

    let_go = threading.Event()

    def __deepcopy__(self, memo):
        return LetGo()

    def __reduce__(self):
        if threading.current_thread().name.startswith("cloaca-history"):
            assert LetGo.let_go.wait(WAIT)
        return LetGo, ()


def test_a_try_waits_for_what_a_run_that_goes_on_has_made(tmp_path, monkeypatch):
    made, over = threading.Event(), threading.Event()

    def make(context):
        context["large"] = LetGo()

    def look(context):
        context["kind"] = type(context["large"]).__name__

    def last(_context):
        made.set()
        assert over.wait(WAIT)

    flow = Workflow("flow", [Task("make", make, ()), Task("look", look, ("make",)), Task("last", last, ("make",))])
    monkeypatch.setattr(waiter, "PULSE", 0.01)
    monkeypatch.setattr(waiter, "PATIENCE", 0.01)
    monkeypatch.setattr(waiter.logger, "warning", lambda *_: LetGo.let_go.set())  # that it waits
    with DefaultRunner(tmp_path / "h.duckdb") as runner:
        run = runner.start(flow, {"begin": LetGo()})
        assert made.wait(WAIT)
        assert runner.start_try(flow, "look").wait(WAIT).final_context["kind"] == "LetGo"
        over.set()
        run.wait(WAIT)

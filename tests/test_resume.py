"""Runs that go on with earlier ones: what is taken, what is executed again, and why."""

import asyncio
import importlib.util
import inspect
import json
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from cloaca_nb.core.events import AttemptStarted, RunStarted, TaskFinished
from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.names import Keys
from cloaca_nb.core.retry import RetryPolicy
from cloaca_nb.core.rules import context_value, task_failed
from cloaca_nb.core.run_id import short
from cloaca_nb.core.task import Task
from cloaca_nb.errors import DefinitionError, HistoryError, TaskNotFoundError, WorkflowNotFoundError
from cloaca_nb.runner import DefaultRunner

WAIT = 30
LIMIT = 3


def a(context):
    context["a"] = context["x"] + LIMIT


def b(context):
    context["b"] = [context["a"], "b"]


def c(context):
    context["c"] = len(context["b"])


def fails(context):
    raise ValueError(context["b"])


def task(body, *after, **options):
    name = options.pop("name", body.__name__)
    is_async, handle = inspect.iscoroutinefunction(body), "handle" if body is waits else None
    return Task(name, body, after, keys=Keys(), is_async=is_async, handle=handle, **options)


def chain(*bodies, **options):
    """Each task depends on the one before; the names are a, b, c and so on, whatever the bodies."""
    names = "abcdefgh"
    tasks = [task(body, *names[place - 1 : place], name=names[place]) for place, body in enumerate(bodies)]
    return Workflow("flow", tasks, **options)


def executed(result):
    """The tasks that were attempted."""
    return list(result.tasks[result.tasks["attempts"] > 0]["task_id"])


def reason(result, task_id):
    return result.tasks.set_index("task_id")["reason"][task_id]


def resumed_from(runner, result):
    found = runner.history().sql("SELECT run_id, resumed_from FROM runs")
    return found.set_index("run_id")["resumed_from"][result.run_id]


@pytest.fixture
def database(tmp_path):
    return str(tmp_path / "history.duckdb")


@pytest.fixture
def runner(database):
    with DefaultRunner(database) as made:
        yield made


# -- which runs


def test_a_failed_run_goes_on_where_it_failed(runner):
    failed = runner.execute(chain(a, b, fails), {"x": 1})
    assert failed.status == "Failed"
    result = runner.resume(workflow=chain(a, b, c))
    assert executed(result) == ["c"]
    assert dict(result.final_context) == {"x": 1, "a": 4, "b": [4, "b"], "c": 2}
    short = failed.run_id[-8:]
    assert reason(result, "a") == f"unchanged since run {short}"
    assert reason(result, "c") == f"executed, as it was Failed in run {short}"
    linked = runner.history().sql("SELECT resumed_from FROM runs ORDER BY started")
    assert list(linked["resumed_from"].dropna()) == [failed.run_id]


def test_a_completed_run_has_nothing_left_to_do(runner):
    runner.execute(chain(a, b, c), {"x": 1})
    result = runner.resume(workflow=chain(a, b, c))
    assert executed(result) == []
    assert dict(result.final_context) == {"x": 1, "a": 4, "b": [4, "b"], "c": 2}


def waits(context, handle):
    handle.defer_until(lambda: False, poll_interval_ms=1)


def test_a_cancelled_run_goes_on(runner):
    begun = threading.Event()
    run = runner.start(
        chain(a, b, waits),
        {"x": 1},
        observers=[lambda event: begun.set() if isinstance(event, AttemptStarted) and event.task_id == "c" else None],
    )
    assert begun.wait(WAIT)
    run.cancel()
    assert run.wait(WAIT).status == "Cancelled"
    result = runner.resume(workflow=chain(a, b, c))
    assert executed(result) == ["c"]
    assert result.status == "Completed"


def test_a_resumed_run_can_be_resumed(runner):
    first = runner.execute(chain(a, b, fails), {"x": 1})
    second = runner.resume(workflow=chain(a, b, c, fails))
    assert (second.status, executed(second)) == ("Failed", ["c", "d"])
    third = runner.resume(workflow=chain(a, b, c, c))
    assert executed(third) == ["d"]
    again = runner.resume(first.run_id, workflow=chain(a, b, c, c))
    assert executed(again) == ["c", "d"]
    assert dict(again.final_context) == dict(third.final_context)


def test_what_a_run_before_the_last_has_is_taken_as_well(runner):
    """The second run is over before it has come to anything; the third goes on with it, and so with the first."""
    runner.execute(chain(a, b, fails), {"x": 1})
    second = runner.start_resumed(workflow=chain(a, waits, c))
    second.cancel()
    assert second.wait(WAIT).status == "Cancelled"
    third = runner.resume(workflow=chain(a, b, c))
    assert set(executed(third)) <= {"c"}
    assert third.final_context["c"] == 2


KILLED = """
    import json, os, signal, sys
    from pathlib import Path
    import cloaca_nb as cloaca
    from cloaca_nb.runner import DefaultRunner

    with cloaca.WorkflowBuilder("killed"):
        @cloaca.task(dependencies=[])
        def load(context):
            context["rows"] = list(range(context["count"]))

        @cloaca.task(dependencies=["load"])
        def clean(context):
            context["clean"] = [row for row in context["rows"] if row % 2]

        @cloaca.task(dependencies=["clean"])
        def report(context):
            if not Path(context["safe"]).exists():
                os.kill(os.getpid(), signal.SIGKILL)
            context["report"] = sum(context["clean"])

    with DefaultRunner(sys.argv[1], durability="task") as runner:
        if sys.argv[2] == "first":
            runner.execute("killed", {"count": 10, "safe": sys.argv[3]})
        result = runner.resume()
        print(json.dumps([result.tasks.set_index("task_id")["attempts"].to_dict(), dict(result.final_context)]))
"""


def test_a_run_whose_process_was_killed_goes_on_in_another(tmp_path, database):
    script, safe = tmp_path / "killed.py", tmp_path / "safe"
    script.write_text(textwrap.dedent(KILLED))

    def run(which):
        command = [sys.executable, str(script), database, which, str(safe)]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=WAIT)  # noqa: S603 - our own

    assert run("first").returncode == -9
    safe.touch()
    resumed = run("then")
    assert resumed.returncode == 0, resumed.stderr
    attempts, final = json.loads(resumed.stdout)
    assert attempts == {"load": 0, "clean": 0, "report": 1}
    assert final["report"] == 1 + 3 + 5 + 7 + 9
    with DefaultRunner(database) as runner:
        assert list(runner.history().runs()["status"]) == ["Completed", "Interrupted"]


EARLY = """
    import json, os, signal, sys, threading
    import cloaca_nb as cloaca
    from cloaca_nb.runner import DefaultRunner

    class Endless:
        def __reduce__(self):
            if sys.argv[2] == "first":
                threading.Event().wait()
            return Endless, ()

    with cloaca.WorkflowBuilder("killed"):
        @cloaca.task(dependencies=[])
        def load(context):
            context["rows"] = context["count"] + 1

        @cloaca.task(dependencies=["load"])
        def report(context):
            if sys.argv[2] == "first":
                while cloaca.history(sys.argv[1]).tasks()["outcome"][0] != "Completed":
                    pass
                os.kill(os.getpid(), signal.SIGKILL)
            context["report"] = type(context["frame"]).__name__

    with DefaultRunner(sys.argv[1]) as runner:
        if sys.argv[2] == "first":
            runner.execute("killed", {"count": 1, "frame": Endless()})
        try:
            runner.resume()
        except cloaca.CloacaError as error:
            print(error)
        result = runner.resume(context={"frame": Endless()})
        print(json.dumps([result.tasks.set_index("task_id")["attempts"].to_dict(), result.final_context["report"]]))
"""


def test_a_run_that_was_killed_while_its_initial_context_was_written_goes_on(tmp_path, database):
    script = tmp_path / "early.py"
    script.write_text(textwrap.dedent(EARLY))

    def run(which):
        command = [sys.executable, str(script), database, which]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=WAIT)  # noqa: S603 - our own

    assert run("first").returncode == -9
    with DefaultRunner(database) as runner:
        assert runner.history().tasks().set_index("task_id")["outcome"].to_dict() == {
            "load": "Completed",
            "report": "Interrupted",
        }
        shown = runner.history().context().set_index("key")["value"]
        assert (shown["count"], shown["frame"], shown["rows"]) == ("1", "<not on disk yet>", "2")
    refusal, resumed = run("then").stdout.splitlines()
    assert "began with 'frame', which can't be given back" in refusal
    assert "Give it again: context={'frame': ...}" in refusal
    assert json.loads(resumed) == [{"load": 0, "report": 1}, "Endless"]


DRAWN = """
    import json, random, sys
    import numpy as np
    import cloaca_nb as cloaca
    from cloaca_nb.runner import DefaultRunner

    with cloaca.WorkflowBuilder("drawn"):
        @cloaca.task(dependencies=[])
        def seeded(context):
            random.seed(1)
            context["seeded"] = random.random()

        @cloaca.task(dependencies=[])
        def normal(context):
            context["normal"] = float(np.random.normal())

        @cloaca.task(dependencies=["seeded", "normal"])
        def mended(context):
            assert sys.argv[2] != "first"

    with DefaultRunner(sys.argv[1]) as runner:
        ways = {"first": runner.execute, "resumed": lambda _: runner.resume()}
        ways["cached"] = lambda name: runner.execute(name, cached=True)
        tasks = ways[sys.argv[2]]("drawn").tasks.set_index("task_id")
        print(json.dumps(tasks["reason"].to_dict()))
"""


def test_what_a_librarys_generator_has_drawn_is_taken_by_another_process(tmp_path, database):
    script = tmp_path / "drawn.py"
    script.write_text(textwrap.dedent(DRAWN))
    for way, begins in (("first", ""), ("resumed", "unchanged since run"), ("cached", "unchanged since run")):
        command = [sys.executable, str(script), database, way]
        ran = subprocess.run(command, capture_output=True, text=True, check=True, timeout=WAIT)  # noqa: S603 - our own
        reasons = json.loads(ran.stdout)
        assert reasons["seeded"].startswith(begins)
        assert reasons["normal"].startswith(begins)
        assert bool(reasons["seeded"]) == bool(begins)


def test_a_run_that_goes_on_in_this_process_is_refused(runner):
    run = runner.start(chain(a, b, waits), {"x": 1})
    with pytest.raises(HistoryError, match=r"is still going on, in .*Cancel it, or wait for its end, first"):
        runner.resume(workflow=chain(a, b, c))
    run.cancel()


def test_a_run_that_goes_on_in_another_process_is_refused(runner, database):
    with DefaultRunner(database) as other:  # has a journal, and so a lock, of its own, as another process would
        begun = threading.Event()
        run = other.start(chain(a, waits), {"x": 1}, observers=[lambda _: begun.set()])
        assert begun.wait(WAIT)
        other.history().runs()
        with pytest.raises(HistoryError, match="is still going on, in process"):
            runner.resume(run.run_id, workflow=chain(a, c))
        run.cancel()


def test_after_a_run_that_failed_and_one_that_completed_the_completed_one_is_gone_on_with(runner):
    flow = chain(a, b, fails)
    runner.execute(flow, {"x": 1})
    completed = runner.execute(chain(a, b, c), {"x": 2})
    resumed = runner.resume(workflow=chain(a, b, c))
    assert executed(resumed) == []
    assert resumed.final_context == completed.final_context
    assert resumed_from(runner, resumed) == completed.run_id


def test_a_run_that_goes_on_is_passed_over(runner, database, caplog):
    failed = runner.execute(chain(a, fails), {"x": 1})
    with DefaultRunner(database) as other:
        begun = threading.Event()
        run = other.start(chain(a, waits), {"x": 1}, observers=[lambda _: begun.set()])
        assert begun.wait(WAIT)
        other.history().runs()
        resumed = runner.resume(workflow=chain(a, b))
        run.cancel()
    assert resumed_from(runner, resumed) == failed.run_id
    assert f"Run {run.run_id[-8:]} of 'flow' is still going on, in process" in caplog.text
    assert f"goes on with run {short(failed.run_id)}, the latest of 'flow' that is over" in caplog.text


def test_beside_a_run_that_goes_on_no_other_workflow_is_gone_on_with(runner, registry, caplog):
    """Whoever names no workflow means that of the latest run, and not one that ran at some time before it."""
    deploy, live = (Workflow(name, chain(a, body).tasks) for name, body in (("deploy", fails), ("live", waits)))
    registry.register(live)
    registry.register(deploy)
    runner.execute(deploy, {"x": 1})
    first = runner.start(live, {"x": 1})
    with pytest.raises(HistoryError, match="of 'live' is still going on, in .*, and no other of 'live' is over"):
        runner.resume()
    first.cancel()
    first.wait(WAIT)
    runner.execute(deploy, {"x": 1})
    second = runner.start(live, {"x": 1})
    third = runner.start_resumed()
    second.cancel()
    third.cancel()
    assert resumed_from(runner, third.wait(WAIT)) == first.run_id
    assert f"Run {second.run_id[-8:]} of 'live' is still going on, in" in caplog.text
    assert list(runner.history().runs()["workflow"]) == ["live", "live", "deploy", "live", "deploy"]


def test_a_clock_that_is_set_back_changes_neither_durations_nor_which_run_is_the_latest(runner, monkeypatch):
    set_back = 0.0
    wall_clock = time.time
    monkeypatch.setattr("time.time", lambda: wall_clock() - set_back)

    def sets_back(context):
        nonlocal set_back
        set_back += 7200.0
        context["a"] = 1

    before = runner.execute(chain(sets_back, b), {"x": 1})
    failed = runner.execute(chain(sets_back, fails), {"x": 1})
    resumed = runner.resume(workflow=chain(sets_back, b))
    for result in (before, failed, resumed):
        assert result.duration >= 0
        assert result.start_time <= result.end_time
        assert (result.tasks["duration"].dropna() >= 0).all()
        assert (runner.history().attempts(result.run_id)["duration"] >= 0).all()
    assert before.end_time <= failed.start_time
    assert failed.end_time <= resumed.start_time
    assert resumed_from(runner, resumed) == failed.run_id


def test_a_workflow_that_is_not_registered_any_more(runner, registry):
    runner.execute(chain(a, b), {"x": 1})
    with pytest.raises(WorkflowNotFoundError, match="flow"):
        runner.resume()


def test_there_is_no_such_run(runner):
    with pytest.raises(HistoryError, match="has no run yet"):
        runner.resume(workflow=None)
    with pytest.raises(HistoryError, match="has no run of 'flow' yet"):
        runner.resume(workflow=chain(a))


# -- what was edited

FLOW = """
    LIMIT = 3

    def add(x):
        return x + LIMIT

    def a(context):
        context["a"] = add(context["x"])

    def b(context):
        context["b"] = [context["a"], "b"]

    def c(context):
        context["c"] = context["b"] * 2

    PARAMETERS = {"x": 1}
"""
EDITS = {
    "nothing": ("", "", [], {}),
    "a comment": ("    def b(", "    # about b\n    def b(", [], {}),
    "a task": (', "b"]', ', "B"]', ["b", "c"], {"b": "was changed", "c": "'b' has another value now"}),
    "the last task": ("* 2", "* 3", ["c"], {"c": "was changed"}),
    "a helper": ("x + LIMIT", "x + LIMIT + 1", ["a", "b", "c"], {"a": "helper add", "b": "'a' has another value now"}),
    "a helper to no effect": ("x + LIMIT", "LIMIT + x", ["a"], {"a": "helper add"}),
    "a constant": ("LIMIT = 3", "LIMIT = 4", ["a", "b", "c"], {"a": "LIMIT is 4 now, was 3"}),
    "a parameter": ('{"x": 1}', '{"x": 2}', ["a", "b", "c"], {"a": "'x' has another value now"}),
}


def load_flow(text, folder):
    """Import the text as the same module again, as an edited script would be."""
    path = folder / "edited_flow.py"
    path.write_text(textwrap.dedent(text))
    spec = importlib.util.spec_from_file_location("edited_flow", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["edited_flow"] = module
    spec.loader.exec_module(module)
    tasks = [task(module.a), task(module.b, "a"), task(module.c, "b")]
    return Workflow("flow", tasks, parameters=module.PARAMETERS)


@pytest.mark.parametrize("edit", EDITS)
def test_what_was_edited_and_what_depends_on_it_is_executed(edit, database, tmp_path, monkeypatch):
    before, after, expected, reasons = EDITS[edit]
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setitem(sys.modules, "edited_flow", None)
    with DefaultRunner(database) as runner:
        runner.execute(load_flow(FLOW, tmp_path))
    edited = FLOW.replace(before, after) if before else FLOW
    assert (edited != FLOW) is bool(before)
    with DefaultRunner(database) as runner, DefaultRunner(":memory:") as other:
        workflow = load_flow(edited, tmp_path)
        result = runner.resume(workflow=workflow)
        assert dict(result.final_context) == dict(other.execute(workflow).final_context)
    assert executed(result) == expected
    for task_id, said in reasons.items():
        assert said in reason(result, task_id)


def test_a_parameter_that_was_given_stays_as_it_was_given_until_its_default_is_edited(runner):
    runner.execute(chain(a, b, parameters={"x": 1}), {"x": 7})
    result = runner.resume(workflow=chain(a, b, parameters={"x": 1}))
    assert (executed(result), result.final_context["x"]) == ([], 7)
    result = runner.resume(workflow=chain(a, b, parameters={"x": 2}))
    assert (executed(result), result.final_context["x"]) == (["a", "b"], 2)


def test_a_value_of_the_initial_context_can_be_replaced(runner):
    runner.execute(chain(a, b, fails), {"x": 1, "other": 5})
    result = runner.resume(workflow=chain(a, b, c), context={"x": 2})
    assert executed(result) == ["a", "b", "c"]
    assert dict(result.final_context) == {"x": 2, "other": 5, "a": 5, "b": [5, "b"], "c": 2}


def test_a_new_task_is_executed_and_one_that_is_gone_is_not_missed(runner):
    runner.execute(chain(a, b, c), {"x": 1})
    tasks = [task(a), task(c, "a", name="new"), task(b, "a")]
    result = runner.resume(workflow=Workflow("flow", [tasks[0], tasks[2], task(c, "b", name="new")]))
    assert executed(result) == ["new"]
    assert reason(result, "new") == "executed, as no earlier run has it"


def held(context):
    with LOCK:
        context["a"] = 1


LOCK = threading.Lock()


def test_code_that_cannot_be_tracked_is_executed_again(runner):
    runner.execute(chain(held), {})
    result = runner.resume(workflow=chain(held))
    assert executed(result) == ["a"]
    assert "executed, as a change might go unseen" in reason(result, "a")
    assert "LOCK" in reason(result, "a")


# -- what can't be had


def sets_lock(context):
    context["a"] = threading.Lock()
    context["kept"] = 1


def needs_lock(context):
    with context["a"]:
        context["b"] = [1]


def test_a_value_that_cannot_be_kept_is_made_again(runner):
    runner.execute(chain(sets_lock, needs_lock, fails))
    result = runner.resume(workflow=chain(sets_lock, needs_lock, c))
    assert result.status == "Completed"
    assert executed(result) == ["a", "b", "c"]
    assert "'a' can't be taken from run" in reason(result, "a")
    assert "pickle" in reason(result, "a")


def sets_much(context):
    context["a"] = bytes(range(256)) * 1000


def counts(context):
    context["b"] = [len(context["a"])]


def remove(path):
    path.unlink()


def damage(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)


def cut(path):
    path.write_bytes(path.read_bytes()[:100])


def empty(path):
    path.write_bytes(b"")


@pytest.mark.parametrize(
    ("harm", "said"), [(remove, "isn't beside"), (damage, "damaged"), (cut, "damaged"), (empty, "")]
)
def test_an_artifact_that_is_gone_is_made_again(harm, said, database, tmp_path):
    with DefaultRunner(database) as runner:
        runner.execute(chain(sets_much, counts, fails))
    (artifact,) = [path for path in tmp_path.rglob("*-artifacts/*/*") if path.is_file()]
    harm(artifact)
    with DefaultRunner(database) as runner:
        result = runner.resume(workflow=chain(sets_much, counts, c))
        assert executed(result) == ["a", "c"]
        assert said in reason(result, "a")
        assert result.final_context["c"] == 1
        assert executed(runner.resume(workflow=chain(sets_much, counts, c))) == []


def test_an_initial_context_that_cannot_be_given_back(runner):
    runner.execute(chain(sets_much, fails), {"lock": threading.Lock(), "b": 1})
    with pytest.raises(HistoryError, match=r"began with 'lock'.*Give it again: context={'lock': \.\.\.}"):
        runner.resume(workflow=chain(sets_much, counts))
    result = runner.resume(workflow=chain(sets_much, counts), context={"lock": None})
    assert executed(result) == ["b"]


# -- rules, retries, and where a task runs


def rescue(context):
    context["rescued"] = True


def test_a_task_whose_rule_does_not_hold_any_more_is_skipped(runner):
    def flow(last):
        after = task(rescue, "c", rule=task_failed("c"))
        return Workflow("flow", [task(a), task(b, "a"), task(last, "b", name="c"), after])

    assert runner.execute(flow(fails), {"x": 1}).final_context["rescued"] is True
    result = runner.resume(workflow=flow(c))
    assert executed(result) == ["c"]
    assert "rescued" not in result.final_context
    assert list(result.tasks["outcome"]) == ["Completed", "Completed", "Completed", "Skipped"]


def test_a_rule_over_a_value_is_looked_at_again(runner):
    rule = context_value("a", ">", 5)
    flow = Workflow("flow", [task(a), task(rescue, "a", rule=rule)])
    assert "rescued" not in runner.execute(flow, {"x": 1}).final_context
    result = runner.resume(workflow=flow, context={"x": 9})
    assert result.final_context["rescued"] is True


def test_a_task_that_needed_several_attempts_is_taken(runner, tmp_path):
    def flaky(context):
        marker = Path(context["marker"])
        if not marker.exists():
            marker.touch()
            raise ConnectionError("not yet")
        context["b"] = [1, 2]

    retry = RetryPolicy(max_attempts=2, initial_delay=0)
    flow = [Workflow("flow", [task(flaky, name="a", retry=retry), task(last, "a", name="c")]) for last in (fails, c)]
    first = runner.execute(flow[0], {"marker": str(tmp_path / "marker")})
    assert first.tasks["attempts"].iloc[0] == 2
    result = runner.resume(workflow=flow[1])
    assert executed(result) == ["c"]
    assert result.final_context["c"] == 2


async def in_the_loop(context):
    await asyncio.sleep(0)
    context["loop"] = context["x"] + 1


def elsewhere(context):
    context["b"] = [context["loop"]]


def test_async_tasks_and_those_of_processes_are_taken(runner):
    def flow(last):
        away = task(elsewhere, "in_the_loop", executor="process")
        return Workflow("flow", [task(in_the_loop), away, task(last, "elsewhere", name="c")])

    assert runner.execute(flow(fails), {"x": 1}).status == "Failed"
    result = runner.resume(workflow=flow(c))
    assert executed(result) == ["c"]
    assert result.final_context["b"] == [2]


def asks_which(context):
    context["keys"] = sorted(context)


def deletes(context):
    context.delete("a")


def test_what_a_task_asked_of_its_context_is_compared(runner):
    flow = chain(a, asks_which, deletes)
    runner.execute(flow, {"x": 1})
    assert executed(runner.resume(workflow=flow)) == []
    result = runner.resume(workflow=flow, context={"new": 1})
    assert executed(result) == ["b"]
    assert reason(result, "b") == "executed, as other keys are there now"
    assert dict(result.final_context) == {"x": 1, "new": 1, "keys": ["a", "new", "x"]}


# -- cached


def test_every_run_may_serve_a_cached_one(runner):
    flow = chain(a, b, c)
    for x in (1, 2, 3):
        assert executed(runner.execute(flow, {"x": x}, cached=True)) == ["a", "b", "c"]
    for x in (2, 1, 3):
        assert executed(runner.execute(flow, {"x": x}, cached=True)) == []
    first = runner.execute(flow, {"x": 4}, cached=True)
    assert reason(first, "a") == "executed, as 'x' has another value now"
    assert "unchanged since run" in reason(runner.execute(flow, {"x": 4}, cached=True), "c")


def test_a_cached_run_takes_from_other_workflows_but_not_from_failed_tasks(runner):
    runner.execute(Workflow("other", [task(a), task(fails, "a", name="b")]), {"x": 1, "b": 0})
    result = runner.execute(chain(a, b), {"x": 1, "b": 0}, cached=True)
    assert executed(result) == ["b"]
    assert reason(result, "b") == "executed, as no earlier run has it"


def test_a_run_is_not_cached_unless_it_is_asked_to_be(runner):
    for _ in range(2):
        assert executed(runner.execute(chain(a, b), {"x": 1})) == ["a", "b"]


# -- some tasks


def test_a_task_and_what_follows_it_on_the_values_of_the_latest_run(runner):
    runner.execute(chain(a, b, c), {"x": 1})
    result = runner.start_some(chain(a, b, c), ["b"], following=True).wait(WAIT)
    assert executed(result) == ["b", "c"]
    assert reason(result, "b") == "executed, as it was asked for"
    assert "taken as it was in run" in reason(result, "a")


def other_a(context):
    context["a"] = 100


def test_one_task_alone(runner):
    runner.execute(chain(a, b, c), {"x": 1})
    result = runner.start_some(chain(other_a, b, c), ["b"], following=False).wait(WAIT)
    assert executed(result) == ["b"]
    assert list(result.tasks["outcome"]) == ["Completed", "Completed", "Skipped"]
    assert dict(result.final_context) == {"x": 1, "a": 4, "b": [4, "b"]}


def broken(context):
    raise ValueError("not asked for")


@pytest.mark.parametrize("following", [True, False])
def test_what_failed_beside_the_tasks_asked_for_is_left_out(runner, following):
    flow = Workflow("flow", [task(a), task(b, "a"), task(broken, name="beside")])
    assert runner.execute(flow, {"x": 1}).status == "Failed"
    result = runner.start_some(flow, ["b"], following=following).wait(WAIT)
    assert (result.status, executed(result)) == ("Completed", ["b"])
    assert reason(result, "beside") == "because it was not asked for"


def test_some_tasks_of_what_was_never_run(runner):
    with pytest.raises(HistoryError, match="has no run of 'flow' yet"):
        runner.start_some(chain(a, b), ["b"], following=True)
    runner.execute(chain(a, b), {"x": 1})
    with pytest.raises(TaskNotFoundError, match="'bb'"):
        runner.start_some(chain(a, b), ["bb"], following=True)


# -- durability


def test_a_task_is_on_disk_before_what_depends_on_it_starts(database, tmp_path):
    order = []
    with DefaultRunner(database, durability="task") as runner:
        recorder = runner.history().recorder()
        flush = recorder.flush

        def watched(run_id):
            flush(run_id)
            order.append("kept")

        engine_means = runner._engine._means  # the hook is bound when the runner is made
        assert engine_means.settle_task == flush
        object.__setattr__(engine_means, "settle_task", watched)

        def observe(event):
            if isinstance(event, AttemptStarted | TaskFinished):
                order.append(f"{type(event).__name__} {event.task_id}")

        result = runner.execute(chain(a, b, c), {"x": 1}, observers=[observe])
    assert result.status == "Completed"
    assert order == [
        *("AttemptStarted a", "TaskFinished a", "kept"),
        *("AttemptStarted b", "TaskFinished b", "kept"),
        *("AttemptStarted c", "TaskFinished c"),
    ]


def test_another_durability_is_refused():
    with pytest.raises(DefinitionError, match="'run' or 'task', not 'tasks'. Did you mean 'task'?"):
        DefaultRunner(":memory:", durability="tasks")


# -- any graph, any edits

KEYS = ("x", "y", "z")


def make_body(constant, reads, sets, broken):
    """The closure is the code: its values are part of the fingerprint."""

    def body(context):
        read = [context.get(key) for key in reads]
        if broken:
            raise ValueError("broken")
        context[sets] = [*(item for items in read if items for item in items), constant]

    return body


@st.composite
def tasks_of(draw, place):
    return (
        draw(st.integers(0, 2)),
        tuple(draw(st.sets(st.sampled_from(KEYS), max_size=2))),
        draw(st.sampled_from(KEYS)),
        draw(st.sampled_from([False, False, False, True])),
        tuple(sorted(draw(st.sets(st.integers(0, place - 1), max_size=2)))) if place else (),
    )


@st.composite
def versions(draw):
    """Definitions of a workflow, each an edit of the one before."""
    count = draw(st.integers(1, 6))
    found = [[draw(tasks_of(place)) for place in range(count)]]
    for _ in range(draw(st.integers(1, 3))):
        edited = draw(st.sets(st.integers(0, count - 1), max_size=2))
        found.append([draw(tasks_of(place)) if place in edited else old for place, old in enumerate(found[-1])])
    return found


def workflow_of(version):
    bodies = [make_body(*definition[:4]) for definition in version]
    after = [[f"t{place}" for place in definition[4]] for definition in version]
    return Workflow("random", [task(body, *after[n], name=f"t{n}") for n, body in enumerate(bodies)])


@settings(max_examples=25)
@given(found=versions(), initial=st.dictionaries(st.sampled_from(KEYS), st.just([9])))
def test_a_resumed_run_comes_to_what_a_full_run_comes_to(found, initial):
    known = set()  # what completed, on what
    with DefaultRunner(":memory:") as runner, DefaultRunner(":memory:") as full:
        for number, version in enumerate(found):
            finished = {}

            def observe(event, finished=finished):
                if isinstance(event, TaskFinished):
                    finished[event.task_id] = event

            workflow = workflow_of(version)
            expected = full.execute(workflow, initial, observers=[observe])
            result = runner.resume(workflow=workflow) if number else runner.execute(workflow, initial)
            assert dict(result.final_context) == dict(expected.final_context)
            assert list(result.final_context) == list(expected.final_context)
            assert list(result.tasks["outcome"]) == list(expected.tasks["outcome"])
            facts = {
                task_id: (task_id, version[int(task_id[1:])][:4], repr(dict(event.reads)), str(event.outcome))
                for task_id, event in finished.items()
            }
            attempted = [task_id for task_id, event in finished.items() if event.attempt]
            new = {task_id for task_id in attempted if facts[task_id] not in known}
            assert set(executed(result)) == new
            known |= {fact for fact in facts.values() if fact[3] == "Completed"}


def test_a_resumed_run_says_which_run_it_goes_on_with(runner):
    first = runner.execute(chain(a, b, fails), {"x": 1})
    said = []
    runner.resume(first.run_id[:13], workflow=chain(a, b, c), observers=[said.append])
    started = next(event for event in said if isinstance(event, RunStarted))
    taken = {event.task_id: event.taken_from for event in said if isinstance(event, TaskFinished)}
    assert started.resumed_from == first.run_id
    assert taken == {"a": first.run_id, "b": first.run_id, "c": ""}

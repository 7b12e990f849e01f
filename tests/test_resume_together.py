"""Several processes that resume at once, and one that is killed again and again: each with a clear outcome."""

import json
import os
import subprocess
import sys
import textwrap
from contextlib import ExitStack
from itertools import pairwise

import pytest

from cloaca_nb.runner import DefaultRunner

# Runs or resumes a chain of four tasks; says each one that it executes, and waits to be told to go on.
FLOW = """
    import json, os, sys
    import cloaca_nb as cloaca

    def reach(name):
        os.write(1, f"{name}\\n".encode())
        os.read(0, 1)

    with cloaca.WorkflowBuilder("chain"):
        @cloaca.task(dependencies=[])
        def a(context):
            reach("a")
            context["a"] = [context["x"]]

        @cloaca.task(dependencies=["a"])
        def b(context):
            reach("b")
            context["b"] = context["a"] * 2

        @cloaca.task(dependencies=["b"])
        def c(context):
            reach("c")
            context["c"] = context["b"] * 2

        @cloaca.task(dependencies=["c"])
        def d(context):
            reach("d")
            context["d"] = sum(context["c"])

    with cloaca.DefaultRunner("history.duckdb", durability="task") as runner:
        try:
            if sys.argv[1] == "run":
                result = runner.execute("chain", {"x": 1})
            else:
                result = runner.resume(sys.argv[1] if sys.argv[1] != "latest" else None, workflow="chain")
            said = {"run": result.run_id, "d": result.final_context["d"]}
        except cloaca.HistoryError as error:
            said = {"error": str(error)}
    print(json.dumps(said))
"""


class Process:
    """One process that executes or resumes the workflow."""

    def __init__(self, folder, which):
        (folder / "flow.py").write_text(textwrap.dedent(FLOW))
        self._process = subprocess.Popen(  # noqa: S603 - a program of ours
            [sys.executable, "flow.py", which],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.executed = []

    def reach(self, name):
        """Return when it is at a task."""
        while name not in self.executed:
            if self.executed:
                os.write(self._process.stdin.fileno(), b"\n")
            line = self._process.stdout.readline().strip()
            assert line, f"It has never reached {name}, only {self.executed}."
            self.executed.append(line)

    def kill(self):
        self._process.kill()
        self._process.wait()

    def end(self):
        """Let it go on; return what it says at its end."""
        self._process.stdin.close()
        *executed, said = self._process.stdout.read().splitlines()
        self.executed += executed
        assert self._process.wait() == 0
        return json.loads(said)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
        self._process.stdin.close()
        self._process.stdout.close()


@pytest.fixture
def start(tmp_path):
    """Starts a process; whatever happens, none outlives the test."""
    with ExitStack() as processes:
        yield lambda which: processes.enter_context(Process(tmp_path, which))


def killed(process, at):
    process.reach(at)
    process.kill()
    return process


def shown(folder, columns):
    """Return what history says of the runs, the oldest first."""
    with DefaultRunner(str(folder / "history.duckdb")) as runner:
        return runner.history().sql(f"SELECT {columns} FROM runs ORDER BY started").to_dict("records")  # noqa: S608


def test_a_run_that_is_killed_and_resumed_again_and_again(start, tmp_path):
    ways = [("run", "b"), ("latest", "c"), ("latest", "d")]
    processes = [killed(start(which), at) for which, at in ways]
    last = start("latest")
    assert last.end()["d"] == 4
    assert [one.executed for one in (*processes, last)] == [["a", "b"], ["b", "c"], ["c", "d"], ["d"]]
    runs = shown(tmp_path, "run_id, status, resumed_from, completed")
    assert [run["status"] for run in runs] == ["Interrupted"] * 3 + ["Completed"]
    assert [run["completed"] for run in runs] == [1, 2, 3, 4]
    assert [(one["run_id"], other["resumed_from"]) for one, other in pairwise(runs)] == [
        (run["run_id"], run["run_id"]) for run in runs[:-1]
    ]


def test_two_processes_resume_one_run_at_once(start, tmp_path):
    killed(start("run"), "b")
    [first] = shown(tmp_path, "run_id")
    both = [start(first["run_id"]) for _ in range(2)]
    for one in both:
        one.reach("c")
    three = [*both, start("latest")]  # it passes over those that are still going on
    said = [one.end() for one in reversed(three)]
    assert [one["d"] for one in said] == [4] * 3
    assert [one.executed for one in three] == [["b", "c", "d"]] * 3
    _, *runs = shown(tmp_path, "run_id, status, resumed_from")
    assert {run["run_id"] for run in runs} == {one["run"] for one in said}
    assert {(run["status"], run["resumed_from"]) for run in runs} == {("Completed", first["run_id"])}
    after = start("latest")
    assert (after.end()["d"], after.executed) == (4, [])


def test_an_earlier_run_is_resumed_while_another_process_runs_the_workflow(start, tmp_path):
    killed(start("run"), "c")
    [first] = shown(tmp_path, "run_id")
    other = start("run")
    other.reach("c")
    [running] = [run["run_id"] for run in shown(tmp_path, "run_id, status") if run["status"] == "Running"]
    assert f"Run {running[-8:]} of 'chain' is still going on, in process" in start(running).end()["error"]
    resumed = start("latest")
    said = resumed.end()
    assert (said["d"], resumed.executed) == (4, ["c", "d"])
    links = {run["run_id"]: run["resumed_from"] for run in shown(tmp_path, "run_id, resumed_from")}
    assert links[said["run"]] == first["run_id"]
    assert (other.end()["d"], other.executed) == (4, ["a", "b", "c", "d"])
    assert [run["status"] for run in shown(tmp_path, "status")] == ["Interrupted", "Completed", "Completed"]

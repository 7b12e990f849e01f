"""Golden tests: recorded, kept as files, and held against the tasks."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import cloaca_nb as cloaca
from cloaca_nb.errors import HistoryError
from cloaca_nb.golden import goldens, recorded
from cloaca_nb.packaging.export.package import Package

# What the tasks do; `RATE` is changed by a test.
FLOW = """
import asyncio, time, tempfile
from datetime import datetime
from pathlib import Path
import numpy as np
import pandas as pd
import cloaca_nb as cloaca

RATE = 3
with cloaca.WorkflowBuilder("flow") as builder:
    builder.parameters(year=2013)

    @cloaca.task()
    def load(context):
        context["rows"] = [context["year"], 1]
        context["frame"] = pd.DataFrame({"a": [1, 2], "b": pd.Categorical(["x", "y"])})
        context["large"] = pd.DataFrame(np.arange(50_000).reshape(-1, 5) * RATE)
        context["stamp"] = f"{datetime.now().isoformat()} in {Path.cwd() / 'out'}"
        context["at"] = time.time()

    @cloaca.task(dependencies=["load"])
    async def scale(context, handle):
        await asyncio.sleep(0)
        context["rows"] = tuple(RATE * row for row in context["rows"])
        context.delete("stamp") if context["stamp"] else None

    @cloaca.task(dependencies=["load"])
    def given_a_large_one(context):
        context["mean"] = float(context["large"][0].mean())

    @cloaca.task(dependencies=[])
    def opaque(context):
        context["function"] = lambda: 1

    @cloaca.task(dependencies=[])
    def every_key(context):
        context["n"] = len(context)

    @cloaca.task(dependencies=[])
    def broken(context):
        raise ValueError("no")
"""
UNTOLD = {
    "given_a_large_one": "it is given 'large', 400,",
    "opaque": "'function'",
    "every_key": "it asks which keys",
    "broken": "in that run it was Failed",
}
PACKAGE = Package("flow_package", "flow", {})


@pytest.fixture
def flow(tmp_path, monkeypatch, registry):
    """Have the workflow registered, with a rate."""
    monkeypatch.chdir(tmp_path)

    def register(rate: int = 3) -> None:
        exec(compile(FLOW.replace("RATE = 3", f"RATE = {rate}"), "flow.py", "exec"), {"__name__": "flow"})  # noqa: S102

    register()
    return register


@pytest.fixture
def files(flow, tmp_path) -> tuple[Path, list[str]]:
    """The golden files of one run, and what was said of them."""
    told: list[str] = []
    with cloaca.DefaultRunner(str(tmp_path / "history.duckdb")) as runner:
        runner.execute("flow", {"year": 2020})
        for path, text in recorded(runner.history(), "last", told.append)(PACKAGE).items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(text)
    return tmp_path / "tests" / "golden", told


def test_each_task_that_can_be_replayed_is_a_golden_and_the_others_are_told(files) -> None:
    folder, told = files
    assert [str(one) for one in goldens(folder)] == ["load", "scale"], told
    assert len(told) == len(UNTOLD)
    for task_id, reason in UNTOLD.items():
        assert [one for one in told if f"task {task_id!r}" in one and reason in one], (task_id, told)


def test_times_and_paths_are_masked_and_large_frames_are_small(files) -> None:
    folder, _ = files
    outputs = json.loads((folder / "load.json").read_text())["outputs"]
    assert outputs["stamp"] == {"json": "<time> in <path>"}
    assert outputs["at"] == {"json": "<time>"}
    assert sorted(outputs["large"]) == ["digest", "preview"]
    assert (folder / "load.json").stat().st_size < 10_000
    assert json.loads((folder / "scale.json").read_text())["deleted"] == ["stamp"]


def test_tasks_that_do_the_same_pass(files) -> None:
    for golden in goldens(files[0]):
        golden.check("flow")


def test_tasks_that_do_something_else_fail_and_say_what(files, flow) -> None:
    flow(rate=4)
    load, scale = goldens(files[0])
    with pytest.raises(AssertionError, match=r"(?s)'load' doesn't set what it set:\n  large: .* → .*DataFrame"):
        load.check("flow")
    with pytest.raises(AssertionError, match=r"rows: \(6060, 3\) → \(8080, 4\) \(tuple\)"):
        scale.check("flow")


def test_a_value_of_another_type_or_a_key_too_many_is_a_difference(files, registry) -> None:
    source = FLOW.replace("tuple(RATE", "list(RATE").replace('context.delete("stamp") if', 'context.set("x", 1) if')
    exec(compile(source, "flow.py", "exec"), {"__name__": "flow"})  # noqa: S102
    with pytest.raises(AssertionError) as caught:
        goldens(files[0])[1].check("flow")
    lines = str(caught.value).splitlines()
    assert lines[1:] == [
        "  rows: (6060, 3) → [6060, 3] (list)",
        f"  stamp: deleted → {lines[2].partition('→ ')[2]}",
        "  x: not there → 1",
    ]


def test_pytest_runs_the_golden_tests_of_a_package(files, tmp_path) -> None:
    (tmp_path / "flow_package.py").write_text(FLOW)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S603 - our own Python
    assert (done.returncode, "2 passed" in done.stdout) == (0, True), done.stdout


def test_a_run_that_is_not_there_is_said_before_anything_is_made(flow) -> None:
    with cloaca.DefaultRunner(":memory:") as runner, pytest.raises(HistoryError, match="has no run yet"):
        recorded(runner.history(), "last", print)

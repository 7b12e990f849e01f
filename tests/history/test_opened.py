"""A task that is taken says which files it reads by name were changed since; no other task does."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.task import Task
from cloaca_nb.history.opened import changed_since
from cloaca_nb.runner import DefaultRunner

BEES = "bees.csv"
LATER = 60  # seconds
SOURCES = {
    # name: a task's text, and the files that it is known to read
    "a cell": ("%%cloaca_task load --retry-attempts 2\nbees = open('bees.csv').read()", [BEES]),
    "a function": ("@task()\ndef load(context):\n    context['x'] = pd.read_csv('bees.csv')", [BEES]),
    "a function in another": ("    @task()\n    def load(context):\n        open('bees.csv')", [BEES]),
    "a cell that awaits": ("%%cloaca_task load\nx = await read(open('bees.csv'))\nif not x:\n    return", [BEES]),
    "two": ("open('bees.csv'); open('hives.csv')", [BEES, "hives.csv"]),
    "what it writes": ("open('bees.csv', 'w')\nframe.to_csv('hives.csv')", []),
    "a folder": ("open('folder')", []),
    "nothing of that name": ("open('wasps.csv')", []),
    "no name of a file": ("open('bees\\0.csv'); open('" + "x" * 5000 + "')", []),
    "a shell line": ("%%cloaca_task load\n!cat bees.csv\nx = open('bees.csv')", []),
    "a doubtful escape": ("open('bees.csv'); '\\d'", [BEES]),
    "no text": ("", []),
}


@pytest.fixture(autouse=True)
def _garden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    for name in (BEES, "hives.csv"):
        (tmp_path / name).write_text("hive\n")


@pytest.mark.parametrize("case", SOURCES)
def test_files_are_known_by_the_text_of_the_task(case: str) -> None:
    source, files = SOURCES[case]
    task = Task("load", print, (), source=source)
    assert changed_since(task, 0.0) == files
    assert changed_since(task, time.time() + LATER) == []


def load(context: Any) -> None:
    context["bees"] = Path("bees.csv").read_text()


def keep(context: Any) -> None:
    Path("kept.csv").write_text(context["bees"])
    context["kept"] = Path("kept.csv").stat().st_size


LOAD = Task("load", load, (), source="def load(context):\n    context['bees'] = Path('bees.csv').read_text()")
KEEP = Task("keep", keep, ("load",), source="def keep(context):\n    Path('kept.csv').write_text(context['bees'])")


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[DefaultRunner]:
    with DefaultRunner(tmp_path / "history.duckdb") as made:
        yield made


def change(name: str) -> None:
    """Have a file look as if it was changed after all that has run so far."""
    os.utime(name, (time.time() + LATER, time.time() + LATER))


def reasons(result: Any) -> list[str]:
    assert result.status == "Completed"
    return list(result.tasks["reason"])


def test_a_resumed_run_names_the_file_that_was_changed_and_how_to_read_it(runner: DefaultRunner) -> None:
    workflow = Workflow("garden", [LOAD, KEEP])
    first = runner.execute(workflow)
    second = runner.resume(first.run_id, workflow=workflow)
    assert [one.partition(" run ")[0] for one in reasons(second)] == ["unchanged since", "unchanged since"]
    assert not [one for one in reasons(second) if "but" in one]

    change(BEES)
    change("kept.csv")  # which a task writes, but doesn't read
    third = runner.resume(second.run_id, workflow=workflow)
    told = ", but bees.csv was changed since: --from load reads it again"
    assert [one.endswith(told) for one in reasons(third)] == [True, False]
    assert [one.endswith(told) for one in reasons(runner.execute(workflow, cached=True))] == [True, False]


def test_a_file_that_is_read_again_is_no_longer_new(runner: DefaultRunner) -> None:
    workflow = Workflow("garden", [LOAD, KEEP])
    runner.execute(workflow)
    os.utime(BEES, (time.time(), time.time()))
    again = runner.execute(workflow)
    assert not [one for one in reasons(runner.resume(again.run_id, workflow=workflow)) if "but" in one]

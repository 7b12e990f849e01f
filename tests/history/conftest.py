"""Runs said by hand, as the engine says them: history is tested without an engine."""

import itertools
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cloaca_nb.core import events
from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.merge import DELETED
from cloaca_nb.core.status import Outcome, Status
from cloaca_nb.core.task import Task
from cloaca_nb.history import present
from cloaca_nb.history.history import History

START = 1_780_000_000.25
FAILURE = events.Failure("ValueError", "no rows", "Cell In[3], line 2, in clean", "  raise ValueError('no rows')")


def define(name: str = "flights") -> Workflow:
    """Three tasks in a chain."""
    return Workflow(
        name,
        [
            Task("load", print, dependencies=(), source="def load(context): ...", where="Cell In[2]"),
            Task("clean", print, dependencies=("load",)),
            Task("report", print, dependencies=("clean",)),
        ],
    )


def completed_run(run_id: str, *, start: float = START, kind: str = "run", final: Any = 3) -> list[events.Event]:
    """`clean` needs two attempts, deletes a key and sets one; everything else goes well."""
    said = itertools.count(start, 0.5)
    return [
        events.RunStarted(next(said), run_id, define(), kind, {"year": 2013, "raw": [1]}),
        events.AttemptStarted(next(said), run_id, "load", 1),
        events.OutputWritten(next(said), run_id, "load", 1, "stdout", "3 rows\n"),
        events.OutputWritten(next(said), run_id, "load", 1, "stderr", "careful\n"),
        events.TaskFinished(next(said), run_id, "load", 1, Outcome.COMPLETED, {"rows": 3}, None, ""),
        events.AttemptStarted(next(said), run_id, "clean", 1),
        events.AttemptFailed(next(said), run_id, "clean", 1, FAILURE, 0.25),
        events.AttemptStarted(next(said), run_id, "clean", 2),
        events.ProgressMade(next(said), run_id, "clean", 2, 5, 10, "half"),
        events.TaskFinished(next(said), run_id, "clean", 2, Outcome.COMPLETED, {"raw": DELETED, "x": 1}, None, ""),
        events.AttemptStarted(next(said), run_id, "report", 1),
        events.TaskFinished(next(said), run_id, "report", 1, Outcome.COMPLETED, {"rows": final}, None, ""),
        events.RunFinished(next(said), run_id, Status.COMPLETED, {"year": 2013, "x": 1, "rows": final}, ""),
    ]


def failed_run(run_id: str, *, start: float = START) -> list[events.Event]:
    """`clean` fails, so `report` is skipped."""
    said = itertools.count(start, 0.5)
    return [
        events.RunStarted(next(said), run_id, define(), "run", {}),
        events.AttemptStarted(next(said), run_id, "load", 1),
        events.TaskFinished(next(said), run_id, "load", 1, Outcome.COMPLETED, {"rows": 3}, None, ""),
        events.AttemptStarted(next(said), run_id, "clean", 1),
        events.AttemptFailed(next(said), run_id, "clean", 1, FAILURE, None),
        events.TaskFinished(next(said), run_id, "clean", 1, Outcome.FAILED, {}, FAILURE, ""),
        events.TaskFinished(next(said), run_id, "report", 0, Outcome.SKIPPED, {}, None, "because clean failed"),
        events.RunFinished(next(said), run_id, Status.FAILED, {"rows": 3}, "clean: ValueError: no rows"),
    ]


def say(history: History, said: list[events.Event]) -> None:
    """Have a run recorded, and wait until it is on disk, as `execute` does."""
    recorder = history.recorder()
    for event in said:
        recorder(event)
    recorder.sync()


@pytest.fixture
def runs() -> Any:
    """The functions of this file, for tests."""
    return sys.modules[__name__]


@pytest.fixture(params=["memory", "file"])
def history(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[History]:
    """A history of each kind: both answer alike."""
    opened = History.open(":memory:" if request.param == "memory" else str(tmp_path / "history.duckdb"))
    yield opened
    opened.close()


@pytest.fixture
def open_history(tmp_path: Path) -> Iterator[Callable[..., History]]:
    """Opens the same history file again and again, as several kernels would."""
    opened: list[History] = []

    def open_once_more(**options: Any) -> History:
        opened.append(History.open(str(tmp_path / "history.duckdb"), **options))
        return opened[-1]

    yield open_once_more
    for one in opened:
        one.close()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The working directory, with nothing said of where the history lies, and no notebook."""
    opened: dict[Any, History] = {}
    monkeypatch.setattr(present, "_opened", opened)
    monkeypatch.setattr(present, "_notebooks", [])
    monkeypatch.delenv("CLOACA_HISTORY", raising=False)
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    for one in opened.values():
        one.close()


@pytest.fixture
def work_and_kill() -> Iterator[Callable[[str, Path, int], tuple[int, int]]]:
    """Has work done on the history in a folder by a process that is killed on the way, see `killer`.

    Returns its exit code, and how many calls it has counted if it wasn't killed.
    """
    command = [sys.executable, str(Path(__file__).with_name("killer.py"))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - ours
        assert process.stdin is not None
        assert process.stdout is not None

        def work(what: str, folder: Path, killed_at: int) -> tuple[int, int]:
            print(folder / "history.duckdb", what, killed_at, sep="\t", file=process.stdin, flush=True)
            code, count = process.stdout.readline().split()
            return int(code), int(count)

        yield work

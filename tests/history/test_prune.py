"""Old runs are removed with all that only they needed, and never anything else, whatever happens meanwhile."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from IPython.core.formatters import PlainTextFormatter

from cloaca_nb.core import events
from cloaca_nb.core.context import Context
from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.names import Keys
from cloaca_nb.core.status import Outcome, Status
from cloaca_nb.core.task import Task
from cloaca_nb.errors import HistoryError
from cloaca_nb.history import history as history_module
from cloaca_nb.history.history import History
from cloaca_nb.history.prune import Pruned
from cloaca_nb.history.pruning_lines import pruning_lines
from cloaca_nb.history.room import room_of
from cloaca_nb.runner import DefaultRunner

Open = Callable[..., History]
WRITER = Path(__file__).with_name("writer.py")
FOR_EVER = 1_000_000
DAY = 86_400
TABLES = ("runs", "tasks", "attempts", "events", "logs", "artifacts")
FLIGHTS = Workflow("flights", [Task("load", print, dependencies=()), Task("report", print, dependencies=("load",))])


def frame(number: int) -> pd.DataFrame:
    """A value that is an artifact of its own."""
    return pd.DataFrame({"a": np.arange(4000) + number})


def run_with(run_id: str, value: Any, *, at: float = 0, resumed_from: str = "", report: bool = True) -> list[Any]:
    """A run of two tasks: what `load` sets, and whether `report` completes or fails."""
    over = [events.TaskFinished(at + 1, run_id, "load", 1, Outcome.COMPLETED, {"df": value}, None, "")]
    outcome = Outcome.COMPLETED if report else Outcome.CANCELLED
    over.append(events.TaskFinished(at + 2, run_id, "report", 1, outcome, {}, None, ""))
    status = Status.COMPLETED if report else Status.CANCELLED
    return [
        events.RunStarted(at, run_id, FLIGHTS, "run", {"year": at}, resumed_from),
        *over,
        events.RunFinished(at + 3, run_id, status, {"year": at, "df": value}, ""),
    ]


def said_by_another_workflow(run_id: str, at: float) -> list[Any]:
    other = Workflow("weather", [Task("look", print, dependencies=())])
    return [
        events.RunStarted(at, run_id, other, "run", {}),
        events.RunFinished(at + 1, run_id, Status.COMPLETED, {}, ""),
    ]


def ids(history: History) -> list[str]:
    return sorted(history.runs()["run_id"])


def artifacts(folder: Path) -> set[str]:
    return {path.name for path in folder.glob("*-artifacts/??/*")}


def aged(folder: Path) -> None:
    """Have all artifacts look as if they were kept a day ago."""
    for path in folder.glob("*-artifacts/??/*"):
        os.utime(path, (path.stat().st_atime, path.stat().st_mtime - DAY))


def rows_of(history: History, run_id: str) -> dict[str, int]:
    return {
        table: int(history.sql(f"SELECT count(*) AS n FROM {table} WHERE run_id = '{run_id}'")["n"][0])  # noqa: S608 - ours
        for table in TABLES
    }


def test_the_latest_runs_of_each_workflow_stay(history: History, runs: Any) -> None:
    for number in range(4):
        runs.say(history, runs.completed_run(f"a{number}", start=100 + number))
        runs.say(history, said_by_another_workflow(f"b{number}", 200 + number))
    runs.say(history, runs.completed_run("try", start=90, kind="try"))
    before = rows_of(history, "a0")
    would = history.prune(2, dry_run=True)
    assert would.runs == ("a0", "a1", "b0", "b1")
    assert len(ids(history)) == 9
    assert rows_of(history, "a0") == before
    done = history.prune(2)
    assert done.runs == would.runs
    assert done.rows == would.rows > 0
    assert set(rows_of(history, done.runs[0]).values()) == {0}
    assert history.prune(2).runs == ()


KEEP = [
    # what stays, which runs of the ages 1, 10 and 100 days stay
    (0, []),
    (1, ["1"]),
    ("2", ["1", "10"]),
    ("30 days", ["1", "10"]),
    ("1 week", ["1"]),
    (" 49 hours ", ["1"]),
    (timedelta(days=1000), ["1", "10", "100"]),
    ("10 minutes", []),
]


@pytest.mark.parametrize(("keep", "stay"), KEEP, ids=[str(keep) for keep, _ in KEEP])
def test_what_stays(keep: Any, stay: list[str], history: History, runs: Any) -> None:
    now = pd.Timestamp.now("UTC").timestamp()
    for age in (100, 10, 1):
        runs.say(history, runs.completed_run(str(age), start=now - age * DAY))
    history.prune(keep)
    assert ids(history) == sorted(stay)


@pytest.mark.parametrize("keep", [-1, "soon", "3 moons", True, None, 1.5, timedelta(days=-1)])
def test_a_rule_that_is_none(keep: Any, history: History) -> None:
    with pytest.raises(HistoryError, match="doesn't say which runs stay.*e.g. 20"):
        history.prune(keep)


def test_a_run_that_goes_on_stays_with_all_that_it_went_on_with(history: History, runs: Any) -> None:
    runs.say(history, run_with("a", 1, at=100))
    runs.say(history, run_with("b", 2, at=200, resumed_from="a"))
    runs.say(history, run_with("c", 3, at=300, resumed_from="b")[:1])
    assert history.prune(0).runs == ()
    runs.say(history, run_with("c", 3, at=300, resumed_from="b")[1:])
    assert history.prune(1).runs == ("a", "b")


def test_a_run_stays_as_long_as_one_that_stays_would_lack_its_values(history: History, runs: Any) -> None:
    runs.say(history, run_with("a", 1, at=100))
    runs.say(history, run_with("b", 1, at=200, resumed_from="a", report=False))
    runs.say(history, run_with("c", 1, at=300, resumed_from="b", report=False))
    assert history.prune(1).runs == ()
    assert [earlier.run_id for earlier in history.memory(FLIGHTS, "c").tasks["report"]] == ["c", "b", "a"]
    runs.say(history, run_with("d", 1, at=400, resumed_from="c"))
    assert history.prune(1).runs == ("a", "b", "c")


def test_artifacts_go_that_no_run_needs(open_history: Open, runs: Any, tmp_path: Path) -> None:
    recording = open_history()
    for number, at in ((1, 100), (2, 200), (1, 300)):
        runs.say(recording, run_with(f"run{at}", frame(number), at=at))
    recording.close()
    kept = artifacts(tmp_path)
    assert len(kept) == 2
    aged(tmp_path)
    history = open_history()
    size = (tmp_path / "history.duckdb").stat().st_size
    would = history.prune(1, dry_run=True)
    assert (artifacts(tmp_path), (tmp_path / "history.duckdb").stat().st_size) == (kept, size)
    done = history.prune(1)
    assert done.runs == ("run100", "run200")
    assert done.artifact_bytes == would.artifact_bytes > 30_000
    assert len(artifacts(tmp_path)) == 1
    assert (tmp_path / "history.duckdb").stat().st_size == size - done.database_bytes
    change = history.memory(FLIGHTS, "run300").tasks["load"][0]
    assert history.memory(FLIGHTS).values(change)["df"].equals(frame(1))
    assert "Removed 2 runs" in str(done)


def test_artifacts_of_other_schemas_and_of_journals_stay(open_history: Open, runs: Any, tmp_path: Path) -> None:
    for schema, number in (("one", 1), ("other", 2)):
        with open_history(schema=schema) as history:
            runs.say(history, run_with("run", frame(number), at=100))
    unmerged = open_history(schema="third")
    runs.say(unmerged, run_with("run", frame(3), at=100))
    aged(tmp_path)
    assert len(artifacts(tmp_path)) == 3
    assert open_history(schema="one").prune(0).runs == ("run",)
    assert len(artifacts(tmp_path)) == 2
    for schema, number in (("other", 2), ("third", 3)):
        history = open_history(schema=schema)
        assert history.context("run")["digest"].notna().all()
        [change] = history.memory(FLIGHTS, "run").tasks["load"]
        assert history.memory(FLIGHTS, "run").values(change)["df"].equals(frame(number))


def test_what_was_kept_lately_stays_while_a_process_records(open_history: Open, runs: Any, tmp_path: Path) -> None:
    history = open_history()
    runs.say(history, run_with("run", frame(1), at=100))
    done = history.prune(0)
    assert (done.runs, done.artifact_bytes) == (("run",), 0)
    assert "in use lately" in done.note
    assert len(artifacts(tmp_path)) == 1


def test_artifacts_are_left_to_a_newer_version_that_records_here(open_history: Open, runs: Any, tmp_path: Path) -> None:
    with open_history() as history:
        runs.say(history, run_with("run", frame(1), at=100))
    aged(tmp_path)
    (tmp_path / "history.duckdb-journals" / "main" / "later.000001.jsonl").write_text('{"schema": 999}\n')
    done = open_history().prune(0)
    assert done.runs == ("run",)
    assert "A newer cloaca_nb" in done.note
    assert len(artifacts(tmp_path)) == 1


def test_code_stays_while_a_process_lives_that_has_said_it(open_history: Open, runs: Any) -> None:
    recording, reading = open_history(), open_history()
    runs.say(recording, runs.completed_run("a", start=100))
    reading.prune(0)
    runs.say(recording, runs.completed_run("b", start=200)[:2])  # its code isn't said again
    assert list(reading.tasks("b")["task_id"]) == ["load", "clean", "report"]
    runs.say(recording, runs.completed_run("b", start=200)[2:])
    recording.close()
    reading.prune(0)
    assert reading.sql("FROM code").empty
    assert reading.sql("FROM processes").empty
    assert reading.sql("FROM code_parts").empty


def test_the_code_behind_what_a_run_read_goes_with_the_last_that_read_it(open_history: Open) -> None:
    flow = Workflow("flow", [Task("count", lambda context: context.get("rows") and None, (), keys=Keys())])
    with DefaultRunner(str(open_history().location)) as runner:
        runner.execute(flow, {"rows": frame(1)})
        runner.execute(flow, {"rows": np.arange(3)})
    history = open_history()
    for kept, distributions in ((1, {"numpy"}), (0, set())):
        history.prune(kept)
        behind = history.sql("SELECT name FROM code_parts WHERE code IN (SELECT unnest(read_code) FROM tasks)")
        assert {name.removeprefix("distribution ") for name in behind["name"]} == distributions
    assert history.sql("FROM code_parts").empty


def test_tables_are_what_they_were_when_the_file_was_written_anew(open_history: Open, runs: Any) -> None:
    history = open_history()
    for run_id in "abc":
        runs.say(history, runs.completed_run(run_id, start=ord(run_id)))
    shown = "SELECT table_name, comment FROM duckdb_tables() WHERE comment IS NOT NULL ORDER BY ALL"
    questions = (shown, "FROM documentation", "FROM runs WHERE run_id = 'c'", "FROM logs WHERE run_id = 'c'")
    before = [history.sql(question) for question in questions]
    history.prune(1)
    for question, then in zip(questions, before, strict=True):
        pd.testing.assert_frame_equal(history.sql(question), then)
    assert history.context("c")["key"].tolist() == ["year", "x", "rows"]


@pytest.mark.skipif(os.name == "nt", reason="it has no such permissions")
def test_the_file_that_was_written_anew_has_the_permissions_of_the_other(open_history: Open, runs: Any) -> None:
    history = open_history()
    for run_id in "ab":
        runs.say(history, runs.completed_run(run_id))
    assert len(history.runs()) == 2
    path = history.location.path
    path.chmod(0o600)
    history.prune(1)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def assert_whole_or_gone(folder: Path) -> None:
    """Of the old runs all is there or nothing; what stays can be read; nothing is left over after one more call."""
    with History.open(str(folder / "history.duckdb")) as history:
        found = ids(history)
        assert found in (["run1"], ["run0", "run1"])
        for run_id in found:
            assert rows_of(history, run_id) == {
                "runs": 1,
                "tasks": 2,
                "attempts": 0,
                "events": 0,
                "logs": 0,
                "artifacts": 4,
            }
        memory = history.memory(FLIGHTS, "run1")
        assert memory.values(memory.tasks["load"][0])["df"].equals(frame(1))
        aged(folder)
        history.prune(1)
        assert ids(history) == ["run1"]
    assert len(artifacts(folder)) == 1
    assert [path.name for path in folder.iterdir() if path.suffix in (".new", ".wal")] == []


def test_killed_at_any_point_it_leaves_a_whole_history(
    runs: Any, work_and_kill: Callable[[str, Path, int], tuple[int, int]], tmp_path: Path
) -> None:
    whole = tmp_path / "whole"
    whole.mkdir()
    with History.open(str(whole / "history.duckdb")) as history:
        for number in range(2):
            runs.say(history, run_with(f"run{number}", frame(number), at=100 + number))
    aged(whole)
    tried = tmp_path / "tried"
    shutil.copytree(whole, tried)
    code, calls = work_and_kill("prune", tried, 0)
    assert code == 0
    seen = set()
    for place in range(1, 10):
        shutil.rmtree(tried)
        shutil.copytree(whole, tried)
        assert work_and_kill("prune", tried, calls * place // 10) == (-signal.SIGKILL, 0)
        seen.add(len(artifacts(tried)))
        assert_whole_or_gone(tried)
    assert seen == {1, 2}


def test_it_disturbs_no_run_of_another_process(open_history: Open, tmp_path: Path) -> None:
    database = tmp_path / "history.duckdb"
    command = [sys.executable, str(WRITER), str(database), "run", str(FOR_EVER)]
    history = open_history()
    finished: list[str] = []
    removed: list[str] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - a program of ours
        assert process.stdout is not None
        try:
            for _ in range(8):
                finished += [process.stdout.readline().strip() for _ in range(4)]
                removed += history.prune(2).runs
                assert len(history.runs()) >= 2
        finally:
            process.kill()
    finished += process.stdout.read().split() if not process.stdout.closed else []
    left = ids(history)
    assert len(removed) == len(set(removed)) >= 10
    assert set(left).isdisjoint(removed)
    assert set(finished) <= {*left, *removed}
    for run_id in set(left) & set(finished):
        assert rows_of(history, run_id) == {
            "runs": 1,
            "tasks": 5,
            "attempts": 5,
            "events": 0,
            "logs": 5,
            "artifacts": 10,
        }


def test_a_large_history_says_once_what_could_be_freed(
    open_history: Open, runs: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    history = open_history()
    for number in range(22):
        runs.say(history, run_with(f"run{number:02}", 1, at=100 + number))
    assert history.advice() == ""
    monkeypatch.setattr(history_module, "LARGE", 1)
    history.runs()
    history.runs()
    [said] = [record.getMessage() for record in caplog.records]
    assert "would free about" in said
    assert said.endswith(pruning_lines(history.location, None, 20))
    assert len(history.runs()) == 22


def test_the_room_that_old_runs_take_is_about_what_prune_frees(open_history: Open, runs: Any, tmp_path: Path) -> None:
    history = open_history()
    shared = frame(1000)
    for number in range(6):
        runs.say(history, run_with(f"run{number}", frame(number) if number % 2 else shared, at=100 + number))
    assert len(history.runs()) == 6
    for keep in (1, 3, 6):
        would = history.prune(keep, dry_run=True)
        room = room_of(history._store, tmp_path / "history.duckdb", keep)
        assert room.old == pytest.approx(would.freed, rel=0.2)
        whole = (tmp_path / "history.duckdb").stat().st_size + history._artifacts.size
        assert room.taken == pytest.approx(whole, rel=0.2)


def test_run_that_is_pruned_while_it_is_about_to_be_resumed(open_history: Open, runs: Any) -> None:
    history, other = open_history(), open_history()
    runs.say(history, runs.failed_run("old"))
    runs.say(history, runs.completed_run("new", start=runs.START + DAY))
    run_id, _ = history.to_resume("old")
    assert other.prune(1).runs == ("old",)
    with pytest.raises(HistoryError, match="has no run 'old'"):
        history.initial(run_id)
    with pytest.raises(HistoryError, match="Run old was removed from the history just now"):
        history.memory(runs.define(), run_id)


def test_resuming_beside_prune_is_whole_or_an_error(tmp_path: Path) -> None:
    """Two threads, each with a history of its own as two kernels have: one resumes what the other removes."""
    is_over = threading.Event()

    def remove() -> None:
        with History.open(str(tmp_path / "history.duckdb")) as history:
            while not is_over.is_set():
                history.prune(1)

    def load(context: Context) -> None:
        context["rows"] = [context["first"], 2, 3]

    def count(context: Context) -> None:
        context["count"] = len(context["rows"]) + context["first"]

    flow = Workflow("flow", [Task("load", load, (), keys=Keys()), Task("count", count, ("load",), keys=Keys())])
    whole, errors = 0, list[str]()
    with DefaultRunner(str(tmp_path / "history.duckdb")) as runner:
        remover = threading.Thread(target=remove)
        remover.start()
        try:
            for number in range(12):
                old = runner.execute(flow, {"first": number}).run_id
                runner.execute(flow, {"first": -1})
                try:
                    resumed = runner.resume(old, workflow=flow)
                except HistoryError as error:
                    errors.append(str(error))
                else:
                    assert dict(resumed.final_context) == {"first": number, "rows": [number, 2, 3], "count": 3 + number}
                    whole += 1
        finally:
            is_over.set()
            remover.join()
    assert whole + len(errors) == 12
    assert [error for error in errors if "has no run" not in error and "was removed from" not in error] == []


def test_in_a_cell_it_reads_as_a_sentence():
    shown = PlainTextFormatter()(Pruned(("a", "b"), 7, 2_000_000, 0, dry_run=True))
    assert shown.startswith("Would remove 2 runs (7 rows)")

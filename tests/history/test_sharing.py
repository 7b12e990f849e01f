"""Several processes on one history, and what remains of those that die."""

import shutil
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cloaca_nb.errors import HistoryError
from cloaca_nb.history import database as database_module
from cloaca_nb.history.database import Database
from cloaca_nb.history.history import History
from cloaca_nb.history.journal import native_lock, segment_path
from cloaca_nb.history.location import Location

Open = Callable[..., History]
WRITER = Path(__file__).with_name("writer.py")
TASKS = 5
FOR_EVER = 1_000_000


@contextmanager
def writing(database: Path, prefix: str, count: int) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, str(WRITER), str(database), prefix, str(count)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - a program of ours
        try:
            yield process
        finally:
            process.kill()


def reported(process: "subprocess.Popen[str]", count: int) -> list[str]:
    assert process.stdout is not None
    return [process.stdout.readline().strip() for _ in range(count)]


def assert_whole(history: History, finished: list[str]) -> None:
    """Every run that was reported finished is there, once, with all that belongs to it."""
    found = history.sql(
        """
        SELECT run_id, status, completed,
               (SELECT count(*) FROM tasks WHERE tasks.run_id = runs.run_id) AS tasks,
               (SELECT count(*) FROM attempts WHERE attempts.run_id = runs.run_id) AS attempts,
               (SELECT count(*) FROM logs WHERE logs.run_id = runs.run_id) AS logs,
               (SELECT count(*) FROM artifacts WHERE artifacts.run_id = runs.run_id AND role = 'final') AS final
        FROM runs
        """
    )
    assert found["run_id"].is_unique
    of_finished = found[found["run_id"].isin(finished)]
    assert set(of_finished["run_id"]) == set(finished)
    assert set(of_finished["status"]) == {"Completed"}
    for counted in ("completed", "tasks", "attempts", "logs", "final"):
        assert set(of_finished[counted]) == {TASKS}, counted


@pytest.mark.parametrize("after", [1, 4, 9])
def test_killed_process_loses_nothing_that_it_reported(after: int, open_history: Open, tmp_path: Path) -> None:
    with writing(tmp_path / "history.duckdb", "killed", FOR_EVER) as process:
        finished = reported(process, after)
        process.send_signal(signal.SIGKILL)
    history = open_history()
    assert_whole(history, finished)
    states = set(history.runs()["status"])
    assert states <= {"Completed", "Interrupted"}
    assert list(tmp_path.rglob("*.jsonl")) == []


def test_two_processes_write_while_a_third_reads(open_history: Open, tmp_path: Path) -> None:
    path = tmp_path / "history.duckdb"
    seen: list[int] = []
    with writing(path, "one", 40) as one, writing(path, "two", 40) as other:
        finished = reported(one, 5) + reported(other, 5)
        reader = open_history()
        for _ in range(10):
            assert_whole(reader, finished)
            seen.append(len(reader.runs()))
            finished += reported(one, 3) + reported(other, 3)
        finished += reported(one, 5) + reported(other, 5)
        assert one.wait() == other.wait() == 0
    assert seen == sorted(seen)
    assert len(finished) == len(set(finished)) == 80
    assert_whole(reader, finished)
    assert set(reader.runs()["status"]) == {"Completed"}


def copies(folder: Path, to: Path) -> None:
    for path in folder.glob("*.jsonl"):
        shutil.copy(path, to)


def test_merging_is_idempotent(open_history: Open, runs: Any, tmp_path: Path) -> None:
    """A crash between the insertion of a journal's rows and its removal leaves the journal: it is merged again."""
    journals, kept = tmp_path / "history.duckdb-journals" / "main", tmp_path / "kept"
    kept.mkdir()
    history = open_history()
    runs.say(history, runs.completed_run("a"))
    copies(journals, kept)
    history.close()
    for _ in range(2):
        copies(kept, journals)
        reader = open_history()
        counts = reader.sql("SELECT (SELECT count(*) FROM runs) AS runs, (SELECT count(*) FROM tasks) AS tasks")
        assert counts.iloc[0].to_list() == [1, 3]
        reader.close()
        assert list(journals.glob("*.jsonl")) == []


def test_half_merged_journal_goes_on_where_it_was(open_history: Open, runs: Any) -> None:
    writer, reader = open_history(), open_history()
    said = runs.completed_run("a")
    for event in said:
        runs.say(writer, [event])
        assert len(reader.runs()) == 1
    assert len(reader.tasks("a")) == 3
    assert list(reader.logs(run="a")["text"]) == ["3 rows\n", "careful\n"]


@pytest.mark.parametrize(
    "damage",
    [b'{"tasks":{"run_id":["torn"', b'{"tasks": nonsense}\n', b"[1]\n", b"\x00" * 50, b'{"tasks":{"run_id":["\xff"]}'],
)
def test_damaged_end_costs_no_other_line(damage: bytes, open_history: Open, runs: Any, tmp_path: Path) -> None:
    writer = open_history()
    runs.say(writer, runs.completed_run("a"))
    folder = tmp_path / "history.duckdb-journals" / "main"
    (segment,) = folder.glob("*.jsonl")
    whole = segment.read_bytes()
    writer.close()
    dead = segment_path(folder, "0-dead", 1)
    dead.write_bytes(whole.replace(b'"a"', b'"b"') + damage)
    reader = open_history()
    assert set(reader.runs()["run_id"]) == {"a", "b"}
    assert len(reader.tasks("b")) == 3
    assert not dead.exists()


def test_what_is_damaged_is_kept_aside(open_history: Open, tmp_path: Path) -> None:
    reader = open_history()
    folder = tmp_path / "history.duckdb-journals" / "main"
    folder.mkdir(exist_ok=True)
    segment_path(folder, "0-dead", 1).write_bytes(b'{"schema":1}\nnonsense\n')
    assert reader.runs().empty
    assert [path.read_bytes() for path in folder.glob("*.damaged")] == [b"nonsense\n"]


def test_journal_of_a_newer_version_is_left_to_it(open_history: Open, tmp_path: Path) -> None:
    reader = open_history()
    folder = tmp_path / "history.duckdb-journals" / "main"
    folder.mkdir(exist_ok=True)
    newer = segment_path(folder, "0-dead", 1)
    newer.write_bytes(b'{"schema":1000}\n{"new":1}\n')
    assert reader.runs().empty
    assert newer.exists()


OTHER_PROGRAM = """
    import duckdb, sys
    connection = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == "reads")
    print("open", flush=True)
    sys.stdin.read()
"""


@contextmanager
def other_program(database: Path, how: str) -> Iterator[None]:
    command = [sys.executable, "-c", textwrap.dedent(OTHER_PROGRAM), str(database), how]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes) as process:  # noqa: S603 - a program of this file
        reported(process, 1)
        try:
            yield
        finally:
            process.kill()


def test_reader_gets_an_answer_while_another_program_reads_the_file(
    open_history: Open, runs: Any, tmp_path: Path
) -> None:
    history = open_history()
    runs.say(history, runs.completed_run("a"))
    assert len(history.runs()) == 1
    with other_program(tmp_path / "history.duckdb", "reads"):
        runs.say(history, runs.completed_run("b"))
        assert set(history.runs()["run_id"]) == {"a", "b"}
    assert set(history.runs()["run_id"]) == {"a", "b"}


def test_runs_go_on_while_another_program_writes_the_file(open_history: Open, runs: Any, tmp_path: Path) -> None:
    path = tmp_path / "history.duckdb"
    history = open_history()
    with other_program(path, "writes"):
        runs.say(history, runs.completed_run("a"))
        with pytest.raises(HistoryError, match="another program has opened it"):
            Database(Location(path), "main", patience=0.05).use(lambda _: None)
    assert list(history.runs()["run_id"]) == ["a"]


@contextmanager
def held_lock(database: Path, work: Callable[[], object]) -> Iterator[threading.Event]:
    """Hold the lock of a history until the event is set, and work again and again meanwhile."""
    holds, enough = threading.Event(), threading.Event()

    def hold() -> None:
        with native_lock(database.with_name(f"{database.name}-journals") / "merge.lock"):
            holds.set()
            while not enough.wait(0.01):
                work()

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        assert holds.wait(20)
        yield enough
    finally:
        enough.set()
        thread.join()


def test_who_holds_the_database_and_gets_on_is_waited_for(
    open_history: Open, runs: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = tmp_path / "history.duckdb"
    runs.say(open_history(), runs.completed_run("a"))
    assert len(open_history().runs()) == 1
    draft = tmp_path / f"{database.name}-00000000.new"

    def grow() -> None:
        with draft.open("a") as file:
            file.write("more")

    with held_lock(database, grow) as enough:
        monkeypatch.setattr(database_module.logger, "warning", lambda *_: enough.set())
        assert Database(Location(database), "main", patience=0.2).use(lambda desk: desk.lasting)
    with held_lock(database, list), pytest.raises(HistoryError, match="another process has held .*merge.lock for 0 s"):
        Database(Location(database), "main", patience=0.2).use(lambda _: None)

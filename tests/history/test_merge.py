"""Journals become tables: many at once, long ones in parts, and what each process says again taken once."""

import contextlib
import os
import shutil
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from cloaca_nb.history import merge
from cloaca_nb.history.backlog import Backlog
from cloaca_nb.history.database import Database
from cloaca_nb.history.history import History
from cloaca_nb.history.journal import lock_path, native_lock, segment_path
from cloaca_nb.history.merge import merge_folder
from cloaca_nb.history.schema import PROCESSES, TABLES
from cloaca_nb.history.store import Store

Open = Callable[..., History]
MANY = 30
PLACES = 24  # a merge is killed at so many less one


Said = Callable[[list[Any]], bytes]


@pytest.fixture
def said(open_history: Open, runs: Any, tmp_path: Path) -> Said:
    """Gives what is in the journal of a process named `journal` that was told these events, and nowhere else."""

    def journal_of(events: list[Any]) -> bytes:
        history = open_history()
        runs.say(history, events)
        (path,) = journals(tmp_path).glob("*.jsonl")
        text = path.read_bytes()
        path.unlink()
        history.close()
        return text.replace(path.name.partition(".")[0].encode(), b"journal")

    return journal_of


@pytest.fixture
def segment(said: Said, runs: Any) -> bytes:
    """The journal of a process that has recorded a run of id `a`."""
    return said(runs.completed_run("a"))


def journals(folder: Path) -> Path:
    return folder / "history.duckdb-journals" / "main"


def leave(folder: Path, journal: str, said: bytes) -> None:
    """Leave a journal as a process does that was killed."""
    folder.mkdir(exist_ok=True)
    segment_path(folder, journal, 1).write_bytes(said)
    lock_path(folder, journal).touch()


def test_many_leftovers_are_merged_at_once_and_removed(segment: bytes, open_history: Open, tmp_path: Path) -> None:
    for number in range(MANY):
        leave(journals(tmp_path), f"{number}-dead", segment.replace(b'"a"', b'"run%d"' % number))
    history = open_history()
    assert len(history.runs()) == MANY
    assert set(history.sql("SELECT count(*) AS tasks FROM tasks GROUP BY run_id")["tasks"]) == {3}
    assert list(journals(tmp_path).iterdir()) == []


@pytest.mark.parametrize(("table", "key"), [("code", "task_id"), ("code_parts", "name")])
def test_what_several_processes_say_alike_is_taken_once(
    table: str, key: str, segment: bytes, open_history: Open, tmp_path: Path
) -> None:
    for number in range(3):
        leave(journals(tmp_path), f"{number}-dead", segment.replace(b'"a"', b'"run%d"' % number))
    found = open_history().sql(f"SELECT * FROM {table}")  # noqa: S608 - a name of ours
    assert len(found) == len(found.drop_duplicates([found.columns[0], key])) > 0


def test_long_journal_is_merged_in_parts(
    segment: bytes, open_history: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merge, "SEGMENT_SIZE", len(segment))
    header, _, rest = segment.partition(b"\n")
    said = b"".join(rest.replace(b'"a"', b'"run%d"' % number) for number in range(MANY))
    leave(journals(tmp_path), "0-dead", header + b"\n" + said + b'{"torn')
    history = open_history()
    assert len(history.runs()) == MANY
    assert set(history.runs()["status"]) == {"Completed"}


def test_journal_that_holds_nothing_but_its_beginning_is_not_merged_before_it_grows(
    segment: bytes, open_history: Open, tmp_path: Path
) -> None:
    header, _, rest = segment.partition(b"\n")
    leave(journals(tmp_path), "journal", header + b"\n")
    history = open_history()
    with native_lock(lock_path(journals(tmp_path), "journal")):  # its process lives
        assert len(history.runs()) == 0
        assert history.sql("FROM merged").empty
        leave(journals(tmp_path), "journal", header + b"\n" + rest)
        assert len(history.runs()) == 1
        assert list(history.sql("FROM processes")["journal"]) == ["journal"]


def test_much_is_merged_in_turns_between_which_others_get_theirs(
    segment: bytes, open_history: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merge, "TURN", 0)
    monkeypatch.setattr(merge, "SEGMENT_SIZE", len(segment))
    for number in range(MANY):
        leave(journals(tmp_path), f"{number}-dead", segment.replace(b'"a"', b'"run%d"' % number))
    other = open_history()
    seen: list[int] = []

    def look(_seconds: float) -> None:
        seen.append(other._store.read(lambda reading: len(reading.rows("FROM runs")), up_to_date=False))

    database = Database(other.location, "main")
    with contextlib.closing(Store(database, partial(merge_folder, Backlog(journals(tmp_path))), look)) as store:
        rows = store.read(lambda reading: reading.rows("FROM runs"))
    assert len(rows) == len({row["run_id"] for row in rows}) == MANY
    assert seen == sorted(seen)
    assert len(set(seen)) > MANY // 2
    assert len(other.sql("FROM tasks")) == MANY * 3


def test_runs_that_many_dead_processes_left_open_are_interrupted(
    said: Said, open_history: Open, runs: Any, tmp_path: Path
) -> None:
    unfinished = said(runs.completed_run("a")[:6])
    for number in range(3):
        own = unfinished.replace(b'"a"', b'"run%d"' % number).replace(b'"journal"]', b'"%d-dead"]' % number)
        leave(journals(tmp_path), f"{number}-dead", own)
    found = open_history().sql("SELECT status, completed, host FROM runs JOIN processes USING (journal)")
    assert list(found["status"]) == ["Interrupted"] * 3
    assert list(found["completed"]) == [1] * 3


def contents(folder: Path) -> dict[str, str]:
    """Return every row of the history in a folder; whatever is left to be merged is, and nothing else is left."""
    with History.open(str(folder / "history.duckdb")) as history:
        names = [table.name for table in (*TABLES, PROCESSES)]
        found = {name: history.sql(f"FROM {name} ORDER BY ALL").to_csv() for name in names}
        found["views"] = history.runs().to_csv() + history.tasks("c").to_csv()
    assert list(journals(folder).iterdir()) == []
    assert [path.name for path in folder.iterdir() if path.suffix in (".new", ".wal")] == []
    return found


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing is forked on this system")
def test_killed_at_any_point_it_loses_and_doubles_nothing(
    said: Said, runs: Any, work_and_kill: Callable[[str, Path, int], tuple[int, int]], tmp_path: Path
) -> None:
    whole, tried = tmp_path / "whole", tmp_path / "tried"
    journals(whole).mkdir(parents=True)
    leave(journals(whole), "0-other", said(runs.failed_run("b")))
    leave(journals(whole), "journal", said([*runs.completed_run("a"), *runs.completed_run("c")[:5]]))
    shutil.copy(tmp_path / "history.duckdb", whole)
    shutil.copytree(whole, tried)
    code, calls = work_and_kill("merge", tried, 0)
    assert code == 0
    merged = contents(tried)
    assert [merged["runs"].count(status) for status in ("Completed", "Failed", "Interrupted")] == [1, 1, 1]
    for place in range(1, PLACES):
        shutil.rmtree(tried)
        shutil.copytree(whole, tried)
        assert work_and_kill("merge", tried, max(calls * place // PLACES, 1)) == (-signal.SIGKILL, 0)
        assert contents(tried) == merged, place

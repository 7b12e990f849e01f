"""A history that an earlier version wrote: it is brought to the present version, and goes on."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pytest

from cloaca_nb.errors import HistoryError
from cloaca_nb.history.history import History
from cloaca_nb.history.migration import SCHEMA_VERSION

Open = Callable[..., History]
NEW_IN_4 = {"tasks": ["read_code"]}
NEW_IN_2 = {
    "runs": ["resumed_from"],
    "tasks": ["code", "reads", "read_digests", "taken_from", *NEW_IN_4["tasks"]],
    "artifacts": ["data", "problem"],
}


@pytest.fixture
def of_version_1(open_history: Open, runs: Any, tmp_path: Path) -> Path:
    """A history with two runs, without all that came with version 2."""
    path = written_by(1, NEW_IN_2, open_history, runs, tmp_path)
    with duckdb.connect(str(path)) as connection:
        connection.execute("UPDATE artifacts SET codec = NULL")
        connection.execute("DROP TABLE code_parts")
    return path


@pytest.fixture
def of_version_3(open_history: Open, runs: Any, tmp_path: Path) -> Path:
    return written_by(3, NEW_IN_4, open_history, runs, tmp_path)


def written_by(version: int, lacking: dict[str, list[str]], open_history: Open, runs: Any, folder: Path) -> Path:
    """Make a history with two runs, without the columns that came after a version."""
    history = open_history()
    runs.say(history, runs.completed_run("a"))
    runs.say(history, runs.failed_run("b", start=runs.START + 60))
    history.close()
    path = folder / "history.duckdb"
    with duckdb.connect(str(path)) as connection:
        for (view,) in connection.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall():
            connection.execute(f"DROP VIEW {view}")
        for table, columns in lacking.items():
            for column in columns:
                connection.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
        connection.execute("UPDATE schema_version SET version = ?", [version])
    for mark in path.parent.rglob("*.checked.json"):
        mark.unlink()
    return path


@pytest.mark.parametrize("version", [1, 3])
def test_an_old_history_is_brought_to_the_present_version(
    version: int, request: pytest.FixtureRequest, open_history: Open, runs: Any
) -> None:
    path = request.getfixturevalue(f"of_version_{version}")
    for _ in range(2):
        history = open_history()
        assert list(history.runs()["run_id"]) == ["b", "a"]
        assert list(history.tasks("a")["outcome"]) == ["Completed"] * 3
        assert history.sql("FROM schema_version")["version"][0] == SCHEMA_VERSION
        history.close()
    history = open_history()
    runs.say(history, runs.completed_run("c", start=runs.START + 120))
    assert list(history.runs()["run_id"]) == ["c", "b", "a"]
    assert path.exists()


def test_an_old_copy_that_is_put_back_is_brought_to_the_present_version_too(
    of_version_3: Path, open_history: Open, runs: Any, tmp_path: Path
) -> None:
    backup = shutil.copyfile(of_version_3, tmp_path / "backup.duckdb")
    with open_history() as history:
        assert history.sql("FROM schema_version")["version"][0] == SCHEMA_VERSION
    shutil.copyfile(backup, of_version_3)  # the same file as before, by all that the system tells
    history = open_history()
    runs.say(history, runs.completed_run("c", start=runs.START + 120))
    assert list(history.runs()["run_id"]) == ["c", "b", "a"]
    assert history.sql("FROM schema_version")["version"][0] == SCHEMA_VERSION


def test_another_database_that_is_put_in_its_place_is_told_and_left(
    open_history: Open, runs: Any, tmp_path: Path
) -> None:
    history = open_history()
    runs.say(history, runs.completed_run("a"))
    assert len(history.runs()) == 1
    other = tmp_path / "sales.duckdb"
    with duckdb.connect(str(other)) as connection:
        connection.execute("CREATE TABLE sales AS SELECT 1 AS amount")
    shutil.copyfile(other, tmp_path / "history.duckdb")
    with pytest.raises(HistoryError, match="is a database of something else: its tables are sales"):
        history.runs()
    assert (tmp_path / "history.duckdb").read_bytes() == other.read_bytes()


def test_a_run_of_an_old_history_has_nothing_to_be_taken(of_version_1: Path, open_history: Open, runs: Any) -> None:
    assert of_version_1.exists()
    history = open_history()
    assert history.to_resume() == ("b", "flights")
    memory = history.memory(runs.define(), "b")
    (load,) = memory.tasks["load"]
    assert (load.outcome, load.code, load.reads) == ("Completed", None, {})
    assert history.initial() == {}


def test_of_a_run_of_version_3_nobody_knows_the_code_behind_its_values(
    of_version_3: Path, open_history: Open, runs: Any
) -> None:
    assert of_version_3.exists()
    memory = open_history().memory(runs.define(), "a")
    assert {one.behind for of_task in memory.tasks.values() for one in of_task} == {None}


def test_a_journal_of_version_3_is_merged(open_history: Open, runs: Any, tmp_path: Path) -> None:
    history = open_history()
    runs.say(history, runs.completed_run("a"))
    [journal] = (tmp_path / "history.duckdb-journals").rglob("*.jsonl")
    header, *lines = journal.read_text().splitlines()
    written = [json.loads(line) for line in lines]
    for line in written:
        line.get("ended", {}).pop("read_code", None)
    earlier = ({**json.loads(header), "schema": 3}, *written)
    journal.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in earlier))
    reader = open_history()
    assert list(reader.tasks("a")["outcome"]) == ["Completed"] * 3
    assert reader.sql("SELECT DISTINCT read_code FROM tasks")["read_code"][0] is None

"""A history that an earlier version wrote: it is brought to the present version, and goes on."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from cloaca_nb.history.history import History
from cloaca_nb.history.migration import SCHEMA_VERSION

Open = Callable[..., History]
NEW_IN_2 = {
    "runs": ["resumed_from"],
    "tasks": ["code", "reads", "read_digests", "taken_from"],
    "artifacts": ["data", "problem"],
}


@pytest.fixture
def of_version_1(open_history: Open, runs: Any, tmp_path: Path) -> Path:
    """A history with two runs, without all that came with version 2."""
    history = open_history()
    runs.say(history, runs.completed_run("a"))
    runs.say(history, runs.failed_run("b", start=runs.START + 60))
    history.close()
    path = tmp_path / "history.duckdb"
    with duckdb.connect(str(path)) as connection:
        for (view,) in connection.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall():
            connection.execute(f"DROP VIEW {view}")
        for table, columns in NEW_IN_2.items():
            for column in columns:
                connection.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
        connection.execute("UPDATE artifacts SET codec = NULL")
        connection.execute("DROP TABLE code_parts")
        connection.execute("UPDATE schema_version SET version = 1")
    for mark in path.parent.rglob("*.checked.json"):
        mark.unlink()
    return path


def test_an_old_history_is_brought_to_the_present_version(of_version_1: Path, open_history: Open, runs: Any) -> None:
    for _ in range(2):
        history = open_history()
        assert list(history.runs()["run_id"]) == ["b", "a"]
        assert list(history.tasks("a")["outcome"]) == ["Completed"] * 3
        assert history.sql("FROM schema_version")["version"][0] == SCHEMA_VERSION
        history.close()
    history = open_history()
    runs.say(history, runs.completed_run("c", start=runs.START + 120))
    assert list(history.runs()["run_id"]) == ["c", "b", "a"]
    assert of_version_1.exists()


def test_a_run_of_an_old_history_has_nothing_to_be_taken(of_version_1: Path, open_history: Open, runs: Any) -> None:
    assert of_version_1.exists()
    history = open_history()
    assert history.to_resume() == ("b", "flights")
    memory = history.memory(runs.define(), "b")
    (load,) = memory.tasks["load"]
    assert (load.outcome, load.code, load.reads) == ("Completed", None, {})
    assert history.initial() == {}

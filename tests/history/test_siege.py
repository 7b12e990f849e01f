"""A small soak: `make soak` does the same for minutes, and looks at the time that runs wait as well."""

import importlib
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

SOAK = Path(__file__).parents[2] / "soak"
KILLS = 12
ENOUGH = 300.0  # seconds
SHORT = 2.0
LIMIT = 2.0  # seconds that a run may wait for history at most, on however busy a machine


@pytest.fixture
def soak(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """Loads a script of the soak, which loads others from beside it."""
    monkeypatch.syspath_prepend(str(SOAK))
    return importlib.import_module


def test_killed_processes_lose_nothing_that_they_reported_and_their_runs_go_on(
    soak: Callable[[str], Any], tmp_path: Path
) -> None:
    dice = random.Random(1)  # noqa: S311 - no secret
    assert soak("kills").kill_many(str(tmp_path / "history.duckdb"), ENOUGH, KILLS, dice) == []


def test_fewer_kills_than_were_asked_for_are_told(soak: Callable[[str], Any], tmp_path: Path) -> None:
    dice = random.Random(1)  # noqa: S311 - no secret
    said = soak("kills").kill_many(str(tmp_path / "history.duckdb"), 0.0, KILLS, dice)
    assert said == [f"only 0 of {KILLS} processes were killed in 0 s"]


def test_many_processes_share_one_history(soak: Callable[[str], Any], tmp_path: Path) -> None:
    wrong, waits = soak("waits").share(str(tmp_path / "history.duckdb"), SHORT)
    assert wrong == []
    assert 0 <= waits[0] <= waits[-1] < LIMIT


ROWS = {
    "tasks": "true",
    "attempts": "true",
    "logs": "true",
    "events": "event = 'ProgressMade'",
    "artifacts": "role = 'set'",
    "artifacts of the end": "role = 'final'",
    "artifacts that are gone": "role = 'deleted'",
    "artifacts of the beginning": "role = 'initial'",
}


def test_what_is_missing_or_there_twice_is_seen(soak: Callable[[str], Any], tmp_path: Path) -> None:
    """Were the looking blind, everything would be as promised."""
    siege = soak("siege")
    database = str(tmp_path / "history.duckdb")
    with siege.open_runner(database) as runner:
        run_id = runner.execute(siege.workflow(), siege.initial(3)).run_id

    def seen(change: str) -> list[str]:
        with duckdb.connect(database) as connection:
            connection.execute(change)
        found: list[str] = siege.look(database, {run_id})
        return found

    assert seen("SELECT 1") == []
    for name, which in ROWS.items():
        table = name.partition(" ")[0]
        one = f"FROM {table} WHERE rowid = (SELECT min(rowid) FROM {table} WHERE {which})"  # noqa: S608 - names of ours
        last = f"FROM {table} WHERE rowid = (SELECT max(rowid) FROM {table})"  # noqa: S608 - see above
        assert seen(f"CREATE TABLE kept AS {one}; DELETE {one}"), name
        assert seen(f"INSERT INTO {table} FROM kept") == [], name
        assert seen(f"INSERT INTO {table} FROM kept; DROP TABLE kept"), name
        assert seen(f"DELETE {last}") == [], name

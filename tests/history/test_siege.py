"""A small soak: `make soak` does the same for minutes, and looks at the time that runs wait as well."""

import importlib
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SOAK = Path(__file__).parents[2] / "soak"
KILLS = 12
ENOUGH = 300.0  # seconds
SHORT = 2.0


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
    assert waits

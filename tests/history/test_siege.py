"""A small soak: `make soak` does the same for minutes, and looks at the time that runs wait as well."""

import importlib.util
import random
from pathlib import Path
from typing import Any

import pytest

SOAK = Path(__file__).parents[2] / "soak" / "history.py"
KILLS = 6
ENOUGH = 60.0  # seconds
SHORT = 2.0


@pytest.fixture(scope="module")
def soak() -> Any:
    spec = importlib.util.spec_from_file_location("soak_history", SOAK)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_killed_processes_lose_nothing_that_they_reported_and_their_runs_go_on(soak: Any, tmp_path: Path) -> None:
    assert soak.kill_many(str(tmp_path / "history.duckdb"), ENOUGH, KILLS, random.Random(1)) == []  # noqa: S311


def test_many_processes_share_one_history(soak: Any, tmp_path: Path) -> None:
    wrong, waits = soak.share(str(tmp_path / "history.duckdb"), SHORT)
    assert wrong == []
    assert waits

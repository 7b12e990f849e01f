"""`cloaca_nb.history()`: the history that is meant where none is named."""

from pathlib import Path
from typing import Any

import pytest

import cloaca_nb
from cloaca_nb.errors import ConfigurationError, HistoryError
from cloaca_nb.history.history import History


def test_is_that_of_the_working_directory_and_of_those_above(
    folder: Path, runs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with History.open() as written:
        runs.say(written, runs.completed_run("a"))
    (folder / "below").mkdir()
    monkeypatch.chdir(folder / "below")
    found = cloaca_nb.history()
    assert found.location.path == folder / ".cloaca" / "history.duckdb"
    assert list(found.runs()["run_id"]) == ["a"]


def test_is_one_object_until_it_is_closed(folder: Path, runs: Any) -> None:
    with History.open() as written:
        runs.say(written, runs.completed_run("a"))
        found = cloaca_nb.history()
        assert cloaca_nb.history() is found
        assert len(found.runs()) == 1
        runs.say(written, runs.completed_run("b"))  # by another, as a runner is
        assert len(found.runs()) == 2
    found.close()
    again = cloaca_nb.history()
    assert again is not found
    assert again.prune(keep=1).runs == ("a",)


def test_another_may_be_named(folder: Path, runs: Any) -> None:
    for name, schema in (("one.duckdb", None), ("one.duckdb", "tests"), ("other.duckdb", None)):
        with History.open(name, schema=schema) as written:
            runs.say(written, runs.completed_run(f"{name} {schema}"))
    for named in ("one.duckdb", folder / "one.duckdb", "duckdb:///one.duckdb"):
        assert list(cloaca_nb.history(named).runs()["run_id"]) == ["one.duckdb None"]
    assert list(cloaca_nb.history("one.duckdb", schema="tests").runs()["run_id"]) == ["one.duckdb tests"]
    assert list(cloaca_nb.history("other.duckdb").runs()["run_id"]) == ["other.duckdb None"]


def test_looking_makes_none(folder: Path) -> None:
    with pytest.raises(HistoryError, match=r"There is no history at \.cloaca/history\.duckdb yet: .*execute\(\)"):
        cloaca_nb.history()
    with pytest.raises(HistoryError, match=r"There is no history at none\.duckdb yet"):
        cloaca_nb.history("none.duckdb")
    assert list(folder.iterdir()) == []


def test_what_is_none(folder: Path) -> None:
    with pytest.raises(HistoryError, match=r"ask runner\.history\(\)"):
        cloaca_nb.history(":memory:")
    with pytest.raises(ConfigurationError, match="Supported are"):
        cloaca_nb.history("postgresql://host/db")

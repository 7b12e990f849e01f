"""A query may export to any file but the history's own."""

from pathlib import Path
from typing import Any

import pytest

from cloaca_nb.errors import HistoryError
from cloaca_nb.history.history import History
from cloaca_nb.history.targets import check_targets

OWN = [
    "COPY runs TO 'history.duckdb'",
    "copy (SELECT 1) to './history.duckdb'",
    "COPY runs TO 'other/../history.duckdb' (FORMAT parquet)",
    "COPY runs TO '{folder}/history.duckdb'",
    "COPY runs TO 'history.duckdb.wal'",
    "COPY runs TO 'history.duckdb-journals/main/a.000001.jsonl'",
    "COPY runs TO 'history.duckdb-artifacts' (FORMAT parquet, PARTITION_BY (status), OVERWRITE)",
    "COPY runs TO '{folder}' (FORMAT parquet, PARTITION_BY (status), OVERWRITE)",
    "COPY runs TO '..' (FORMAT parquet, PARTITION_BY (status), OVERWRITE)",
    "EXPLAIN ANALYZE COPY runs TO 'history.duckdb-secret-key'",
    'COPY runs TO "history.duckdb"',
    "COPY runs TO $$history.duckdb$$",
    "COPY runs TO $a$history.duckdb$a$",
    "/* why */ COPY runs TO 'history.duckdb'",
    "-- it's so\nCOPY runs TO 'history.duckdb'",
    "COPY runs TO 'file://{folder}/history.duckdb'",
    "COPY runs TO 'file://localhost{folder}/history.duckdb'",
    "COPY runs TO 'file:{folder}/history.duckdb'",
    "COPY runs TO '~/history.duckdb'",
    "COPY runs TO '{folder}' (PER_THREAD_OUTPUT, FILENAME_PATTERN 'history', FILE_EXTENSION 'duckdb')",
]
OTHERS = [
    "COPY runs TO 'runs.csv'",
    "COPY runs TO 'history.csv' (NULL '')",
    "COPY runs TO 'runs.csv' (DELIMITER '.')",
    "COPY runs TO 'runs' (FORMAT parquet, PARTITION_BY (status), OVERWRITE)",
    "COPY (SELECT 'history.duck') TO 'it''s.csv'",
    "SELECT 'history.duckdb'",
    "EXPLAIN SELECT 'history.duckdb'",
    "COPY runs TO '\0'",
    "SELECT 'COPY' /* COPY */ AS a, 'history.duckdb' AS b",
    "COPY (SELECT 'to (' AS a) TO 'runs.csv'",
]


@pytest.mark.parametrize("sql", OWN)
def test_own_files_are_no_place_to_export_to(sql: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    with pytest.raises(HistoryError, match="an export would be written over it. Name another file to export to"):
        check_targets(sql.replace("{folder}", str(tmp_path)), tmp_path / "history.duckdb", tmp_path)


def test_a_computed_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match="Name the file to export to as a plain text: COPY … TO 'runs.csv'."):
        check_targets("COPY runs TO ('history' || '.duckdb')", tmp_path / "history.duckdb", tmp_path)


@pytest.mark.parametrize("sql", OTHERS)
def test_others_are(sql: str, tmp_path: Path) -> None:
    check_targets(sql, tmp_path / "history.duckdb", tmp_path)


@pytest.mark.parametrize("name", ["history.duckdb", "history.duckdb-journals/main.checked.json"])
def test_a_history_is_not_exported_over_itself(
    name: str, runs: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with History.open("history.duckdb") as history:
        runs.say(history, runs.completed_run("a"))
        history.runs()
        with pytest.raises(HistoryError, match="holds this history"):
            history.sql(f"COPY runs TO '{name}'")
        history.sql("COPY runs TO 'runs.csv'")
    with History.open("history.duckdb") as history:
        assert list(history.runs()["run_id"]) == ["a"]

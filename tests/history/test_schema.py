from collections.abc import Iterator

import duckdb
import pytest

from cloaca_nb.history.migration import SCHEMA_VERSION, migration
from cloaca_nb.history.schema import ENDINGS, PROCESSES, TABLES
from cloaca_nb.history.views import VIEWS


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(":memory:") as made:
        made.execute(migration(0))
        yield made


def test_tables_are_the_documented_ones() -> None:
    assert [table.name for table in TABLES] == [
        "runs",
        "tasks",
        "attempts",
        "events",
        "logs",
        "artifacts",
        "code",
        "code_parts",
    ]


def test_every_table_and_view_says_its_meaning(connection: duckdb.DuckDBPyConnection) -> None:
    silent = connection.execute(
        """
        SELECT table_name FROM duckdb_tables() WHERE comment IS NULL AND table_name <> 'schema_version'
        UNION ALL SELECT view_name FROM duckdb_views() WHERE NOT internal AND comment IS NULL
        """
    )
    assert silent.fetchall() == []


def test_every_column_is_documented(connection: duckdb.DuckDBPyConnection) -> None:
    undocumented = connection.execute(
        """
        SELECT table_name, column_name, data_type FROM duckdb_columns()
        WHERE table_name IN (SELECT "table" FROM documentation)
        EXCEPT SELECT "table", "column", "type" FROM documentation WHERE meaning <> ''
        """
    )
    assert undocumented.fetchall() == []
    assert {table.name for table in TABLES} <= set(connection.sql("FROM documentation").df()["table"])


def test_present_version_needs_no_migration(connection: duckdb.DuckDBPyConnection) -> None:
    assert connection.execute("FROM schema_version").fetchall() == [(SCHEMA_VERSION,)]
    assert migration(SCHEMA_VERSION) == ""


# What users' queries stand on: columns may be added behind these, and none of them changes its name, type or place.
STABLE = {
    "run_summary": """
        run_id VARCHAR, workflow VARCHAR, kind VARCHAR, status VARCHAR, started TIMESTAMP, ended TIMESTAMP,
        duration DOUBLE, tasks INTEGER, completed INTEGER, failed INTEGER, skipped INTEGER, cancelled INTEGER,
        error VARCHAR, version VARCHAR, resumed_from VARCHAR
    """,
    "task_summary": """
        run_id VARCHAR, position INTEGER, task_id VARCHAR, outcome VARCHAR, attempts INTEGER, started TIMESTAMP,
        ended TIMESTAMP, duration DOUBLE, reason VARCHAR, error VARCHAR, location VARCHAR, taken_from VARCHAR
    """,
    "task_statistics": """
        workflow VARCHAR, task_id VARCHAR, runs BIGINT, failed BIGINT, p50 DOUBLE, p95 DOUBLE, latest TIMESTAMP
    """,
    "documentation": "table VARCHAR, column VARCHAR, type VARCHAR, meaning VARCHAR",
}


@pytest.mark.parametrize("view", STABLE)
def test_the_columns_of_a_view_stay(view: str, connection: duckdb.DuckDBPyConnection) -> None:
    found = connection.execute(f"DESCRIBE {view}").fetchall()
    pinned = [tuple(column.split()) for column in STABLE[view].split(",")]
    assert [(name, kind) for name, kind, *_ in found][: len(pinned)] == pinned


def test_every_view_is_pinned_and_documented_as_it_is(connection: duckdb.DuckDBPyConnection) -> None:
    views = connection.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall()
    assert {name for (name,) in views} == set(STABLE)
    for view in VIEWS:
        found = connection.execute(f"DESCRIBE {view.table.name}").fetchall()
        assert [(name, kind) for name, kind, *_ in found] == [(one.name, one.type) for one in view.table.columns]
        told = connection.execute('SELECT "column", meaning FROM documentation WHERE "table" = $1', [view.table.name])
        assert told.fetchall() == [(one.name, one.meaning) for one in view.table.columns]


def test_endings_are_columns_of_runs() -> None:
    assert set(ENDINGS.names) <= set(TABLES[0].names)
    assert PROCESSES.names[0] == "journal"

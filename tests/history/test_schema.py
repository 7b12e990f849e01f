import duckdb
import pytest

from cloaca_nb.history.migration import SCHEMA_VERSION, migration
from cloaca_nb.history.schema import ENDINGS, PROCESSES, TABLES
from cloaca_nb.history.views import VIEWS


@pytest.fixture
def connection() -> duckdb.DuckDBPyConnection:
    made = duckdb.connect(":memory:")
    made.execute(migration(0))
    return made


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


@pytest.mark.parametrize("view", list(VIEWS))
def test_view_answers(view: str, connection: duckdb.DuckDBPyConnection) -> None:
    assert connection.execute(f"FROM {view}").fetchall() == []


def test_endings_are_columns_of_runs() -> None:
    assert set(ENDINGS.names) <= set(TABLES[0].names)
    assert PROCESSES.names[0] == "journal"

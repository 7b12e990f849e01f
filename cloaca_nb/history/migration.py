"""How the database of a history is made, and how one version of it follows another."""

from typing import Final

from cloaca_nb.history.columns import Table
from cloaca_nb.history.schema import MERGED, PROCESSES, TABLES
from cloaca_nb.history.views import VIEWS

__all__ = ["SCHEMA_VERSION", "migration"]

# The first leads from version 1 to 2, the next from 2 to 3. Each is fixed text: one that was released never changes.
MIGRATIONS: Final = (
    """
    ALTER TABLE runs ADD COLUMN resumed_from VARCHAR;
    ALTER TABLE tasks ADD COLUMN code VARCHAR;
    ALTER TABLE tasks ADD COLUMN reads VARCHAR[];
    ALTER TABLE tasks ADD COLUMN read_digests VARCHAR[];
    ALTER TABLE tasks ADD COLUMN taken_from VARCHAR;
    ALTER TABLE artifacts ADD COLUMN data VARCHAR;
    ALTER TABLE artifacts ADD COLUMN problem VARCHAR;
    CREATE TABLE code_parts (code VARCHAR, name VARCHAR, digest VARCHAR, location VARCHAR, shown VARCHAR);
    """,
    "",  # the views alone, which every version writes anew
    "ALTER TABLE tasks ADD COLUMN read_code VARCHAR[];",
    "",  # the views' columns are documented too
    "",  # journals may say of a value that it is to come, and later what it is
)
SCHEMA_VERSION: Final = 1 + len(MIGRATIONS)


def migration(version: int) -> str:
    """Return the SQL that leads from a schema version to the present one.

    Args:
        version: 0 for a database without tables of ours.
    """
    if version == SCHEMA_VERSION:
        return ""
    tables = MIGRATIONS[version - 1 :] if version else [_create(table) for table in (*TABLES, PROCESSES, MERGED)]
    views = [_create_view(view.table.name, view.table.meaning, view.query) for view in VIEWS]
    views.append(_create_view("documentation", "every column of views and tables, with its meaning", _documentation()))
    stamp = f"CREATE OR REPLACE TABLE schema_version AS SELECT {SCHEMA_VERSION} AS version;"
    return "\n".join([*tables, *views, stamp])


def _create(table: Table) -> str:
    columns = ", ".join(f'"{column.name}" {column.type}' for column in table.columns)
    return f"CREATE TABLE {table.name} ({columns}); COMMENT ON TABLE {table.name} IS {_quoted(table.meaning)};"


def _create_view(name: str, meaning: str, query: str) -> str:
    return f"CREATE OR REPLACE VIEW {name} AS {query}; COMMENT ON VIEW {name} IS {_quoted(meaning)};"


def _documentation() -> str:
    """Return the query of the view that documents the columns: a comment on each would cost 30 ms to write."""
    rows = (
        ", ".join(map(_quoted, (table.name, column.name, column.type, column.meaning)))
        for table in (*(view.table for view in VIEWS), *TABLES, PROCESSES, MERGED)
        for column in table.columns
    )
    return f'FROM (VALUES ({"), (".join(rows)})) AS columns("table", "column", "type", meaning)'


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"

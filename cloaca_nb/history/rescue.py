"""The way out when a history's database is damaged: it is moved aside, and what can be read goes into a new one."""

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from cloaca_nb.errors import HistoryError
from cloaca_nb.history.migration import migration
from cloaca_nb.history.renewal import draft_path
from cloaca_nb.history.schema import PROCESSES, TABLES

if TYPE_CHECKING:
    import duckdb

__all__ = ["Rescued", "is_damage", "rescue"]

DAMAGE: Final = (
    "Corrupt database file",
    "Corrupt WAL file",
    "Could not read enough bytes",
    "not a valid DuckDB database file",
)
OF_THE_LOG: Final = "WAL file"
MERGED: Final = "merged"
NAMES: Final = (PROCESSES.name, *(table.name for table in TABLES))


class Rescued(NamedTuple):
    """What came of a damaged database."""

    aside: Path  # where what was damaged lies now
    lost: tuple[str, ...]  # tables that can't be read any more; those of other schemas with their schema

    def __str__(self) -> str:
        if not self.lost:
            return f"Part of it lies in {self.aside} now; all that was written to the database before is there."
        return f"It lies in {self.aside} now; what can't be read of it: {', '.join(self.lost)}."


def is_damage(error: BaseException) -> bool:
    """Whether an error of DuckDB, or its cause, says that the bytes of a file aren't those that were written."""
    text = f"{error}{error.__cause__ or ''}"
    return any(sign in text for sign in DAMAGE)


def rescue(connection: "duckdb.DuckDBPyConnection", path: Path, error: BaseException) -> Rescued:
    """Move a damaged database, or only its log of writes, aside, and put another in its place; nothing is deleted.

    Args:
        connection: one that has nothing attached, and is of no use afterwards.
        path: the database's; nobody else may be at it.
        error: what DuckDB said.

    Raises:
        HistoryError: if it can't be moved.
    """
    mark = f"damaged-{secrets.token_hex(4)}"
    log = path.with_name(f"{path.name}.wal")
    aside = path.with_name(f"{path.name}.{mark}")
    try:
        if OF_THE_LOG in f"{error}{error.__cause__ or ''}" and log.exists():
            return Rescued(log.rename(log.with_name(f"{log.name}.{mark}")), ())
        if log.exists():
            log.rename(aside.with_name(f"{aside.name}.wal"))
        path.rename(aside)
    except OSError as problem:
        raise HistoryError(f"The damaged database {path} can't be moved aside: {problem}.") from problem
    unfinished = draft_path(path)
    connection.execute("ATTACH ? AS history (TYPE duckdb)", [str(unfinished)])
    lost = _copy(connection, aside)
    connection.execute("USE memory")
    connection.execute("DETACH history")
    unfinished.replace(path)
    return Rescued(aside, lost)


def _copy(connection: "duckdb.DuckDBPyConnection", damaged: Path) -> tuple[str, ...]:
    """Copy every table that can be read; return the others."""
    try:
        connection.execute("ATTACH ? AS damaged (TYPE duckdb, READ_ONLY)", [str(damaged)])
        found = connection.execute(
            "SELECT schema_name FROM duckdb_tables() WHERE database_name = 'damaged' AND table_name = 'schema_version'"
        ).fetchall()
    except Exception:  # noqa: BLE001 - damaged bytes may make DuckDB raise anything; then all is lost
        return ("all of it",)
    lost: list[str] = []
    for (schema,) in found:
        connection.execute(f'CREATE SCHEMA IF NOT EXISTS history."{schema}"')
        connection.execute(f'USE history."{schema}"')
        connection.execute(migration(0))
        if not _copied(connection, schema, MERGED):  # journals that are still there would be merged a second time
            lost.append(f"all of schema {schema}")
            continue
        of_schema = [name for name in NAMES if not _copied(connection, schema, name)]
        lost += of_schema if schema == "main" else [f"{schema}.{name}" for name in of_schema]
    return tuple(lost)


def _copied(connection: "duckdb.DuckDBPyConnection", schema: str, table: str) -> bool:
    try:
        connection.execute(f'INSERT INTO {table} BY NAME FROM damaged."{schema}"."{table}"')
    except Exception:  # noqa: BLE001 - see `_copy`
        return False
    return True

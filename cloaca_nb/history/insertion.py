"""Journal lines become rows of the tables, by DuckDB itself: no row passes through Python, or waits for its lock."""

import json
from collections.abc import Sequence
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, Final

from cloaca_nb.history.columns import Table
from cloaca_nb.history.schema import ARRIVALS, ENDED, ENDINGS, FROM_ENDED, PROCESSES, TABLES

if TYPE_CHECKING:
    import duckdb

__all__ = ["insert"]

JOURNAL_TABLES: Final = (*TABLES, ENDED, PROCESSES, ARRIVALS, ENDINGS)
# Said again by each process or segment, and taken once: of each such table what is said, and its rows.
ONCE: Final = {"code": ("version", "task_id"), "code_parts": ("code", "name"), "processes": ("journal",)}
# What becomes known later: of each such table the one that it changes, what tells which rows, and what is set there.
LATER: Final = {
    "arrivals": (
        "artifacts",
        ("run_id", "role", "key"),
        ("type", "digest", "size", "preview", "codec", "data", "problem"),
    ),
    "endings": (
        "runs",
        ("run_id",),
        ("status", "ended", "error", "completed", "failed", "skipped", "cancelled"),
    ),
}
Lines = Sequence[bytes]


def insert(connection: "duckdb.DuckDBPyConnection", parts: Sequence[Lines]) -> list[Lines]:
    """Write the rows of journal lines to the tables.

    Args:
        connection: at the tables, in a transaction.
        parts: lines by where they are from.

    Returns:
        of each part the lines that are damaged, which are left out.
    """
    damaged: list[Lines] = [[] for _ in parts]
    if not _are_valid(connection, list(chain(*parts))):
        damaged = [[line for line in lines if not _is_sound(line)] for lines in parts]
        parts = [[line for line in lines if _is_sound(line)] for lines in parts]
    everything = list(chain(*parts))
    for table in JOURNAL_TABLES:
        _insert_into(connection, table, everything)
    return damaged


def _insert_into(connection: "duckdb.DuckDBPyConnection", table: Table, lines: Lines) -> None:
    mark = f'"{table.name}":{{'.encode()
    of_table = [line for line in lines if mark in line]
    if of_table:
        text = _document(of_table)
        for statement in _insertions(table):
            connection.execute(statement, [text])


def _document(lines: Lines) -> str:
    return (b"[" + b",".join(lines) + b"]").decode(errors="replace")


def _are_valid(connection: "duckdb.DuckDBPyConnection", lines: Lines) -> bool:
    return bool(connection.execute("SELECT json_valid(?)", [_document(lines)]).fetchall()[0][0])


def _is_sound(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


@cache
def _insertions(table: Table) -> tuple[str, ...]:
    """Return the statements that take a table's rows out of a JSON list of journal lines."""
    types = {column.name: [column.journal_type] for column in table.columns}
    structure = json.dumps([{table.name: types}])
    unnested = ", ".join(f'unnest(line."{table.name}"."{name}") AS "{name}"' for name in table.names)
    rows = ("(SELECT", unnested, f"FROM (SELECT unnest(from_json($1, '{structure}')) AS line))")
    values = ", ".join(f'{column.from_journal} AS "{column.name}"' for column in table.columns)
    selected = ("SELECT", values, "FROM", *rows)
    if table.name in LATER:
        changed, keys, columns = LATER[table.name]
        changes = ", ".join(f'"{name}" = later."{name}"' for name in columns)
        same = " AND ".join(f'"{changed}"."{name}" = later."{name}"' for name in keys)
        return (" ".join(("UPDATE", changed, "SET", changes, "FROM (", *selected, ") AS later WHERE", same)),)
    if table is ENDED:
        return tuple(
            " ".join(("INSERT INTO", name, "BY NAME", taken, "FROM (", *selected, ")", which))
            for name, (taken, which) in FROM_ENDED.items()
        )
    if table.name in ONCE:
        keys = ONCE[table.name]
        new = ("SELECT DISTINCT ON (", ", ".join(keys), ")", values, ", row_number() OVER () AS place FROM", *rows)
        unknown = ("WHERE", keys[0], "NOT IN (SELECT", keys[0], "FROM", table.name, ")")
        return (
            " ".join(
                (
                    "INSERT INTO",
                    table.name,
                    "BY NAME SELECT * EXCLUDE (place) FROM (",
                    *new,
                    *unknown,
                    ") ORDER BY place",
                )
            ),
        )
    return (" ".join(("INSERT INTO", table.name, "BY NAME", *selected)),)

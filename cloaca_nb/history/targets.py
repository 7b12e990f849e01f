"""Where a query may export to: anywhere but the history's own files, which it would write over."""

import re
from pathlib import Path
from typing import Final

from cloaca_nb.errors import HistoryError

__all__ = ["check_targets"]

EXPORTS: Final = re.compile(r"\s*(EXPLAIN\b.*?)?\bCOPY\b", re.IGNORECASE | re.DOTALL)
PARTS: Final = re.compile(r"\bPARTITION_BY\b", re.IGNORECASE)
QUOTED: Final = re.compile(r"""'((?:[^']|'')*)'|"((?:[^"]|"")*)\"""")


def check_targets(sql: str, database: Path, cwd: Path) -> None:
    """See that what a statement exports isn't written over a history: DuckDB would replace any file without a word.

    Args:
        sql: a statement; of one that exports nothing nothing is asked.
        database: the history's file.
        cwd: what relative paths start from.

    Raises:
        HistoryError: if it names a file of the history, or a folder that holds it.
    """
    if not EXPORTS.match(sql):
        return
    into_folders = PARTS.search(sql) is not None
    for text in filter(None, (one.replace("''", "'") or other for one, other in QUOTED.findall(sql))):
        if _is_of(database, cwd / text, folders=into_folders):
            raise HistoryError(
                f"{text!r} holds this history, and an export would be written over it. Name another file to export to."
            )


def _is_of(database: Path, path: Path, *, folders: bool) -> bool:
    try:
        path = path.resolve()
    except (OSError, ValueError, RuntimeError):  # no text that is a path
        return False
    own = [one for one in (path, *path.parents) if one.parent == database.parent and one.name.startswith(database.name)]
    return bool(own) or (folders and path in database.parents)

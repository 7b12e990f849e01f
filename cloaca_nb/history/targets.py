"""Where a query may export to: anywhere but the history's own files, which it would write over."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from cloaca_nb.errors import HistoryError

__all__ = ["check_targets"]

EXPORTS: Final = re.compile(r"\bCOPY\b", re.IGNORECASE)
COMPUTED: Final = re.compile(r"\bTO\s*\(", re.IGNORECASE)
INTO_FOLDERS: Final = re.compile(r"\b(PARTITION_BY|PER_THREAD_OUTPUT|FILE_SIZE_BYTES)\b", re.IGNORECASE)
# A comment, or a text in any of the ways to quote one.
APART: Final = re.compile(
    r"""--[^\n]*|/\*.*?\*/|'(?P<single>(?:[^']|'')*)'|"(?P<double>(?:[^"]|"")*)"|\$(?P<tag>\w*)\$(?P<dollar>.*?)\$(?P=tag)\$""",
    re.DOTALL,
)
URL: Final = re.compile(r"file:(//[^/]*)?(?=/)", re.IGNORECASE)


def check_targets(sql: str, database: Path, cwd: Path) -> None:
    """See that what a statement exports isn't written over a history: DuckDB would replace any file without a word.

    Args:
        sql: a statement; of one that exports nothing nothing is asked.
        database: the history's file.
        cwd: what relative paths start from.

    Raises:
        HistoryError: if it names a file of the history, or a folder that holds it; and if the name is computed, so that
            nobody can tell.
    """
    words = APART.sub(" '' ", sql)
    if not EXPORTS.search(words):
        return
    if COMPUTED.search(words):
        raise HistoryError("Name the file to export to as a plain text: COPY … TO 'runs.csv'.")
    into_folders = INTO_FOLDERS.search(words) is not None
    for text in _texts(sql):
        if _is_of(database, cwd, text, folders=into_folders):
            raise HistoryError(
                f"{text!r} holds this history, and an export would be written over it. Name another file to export to."
            )


def _texts(sql: str) -> Iterator[str]:
    """Yield what stands in quotes."""
    for found in APART.finditer(sql):
        if text := (found["single"] or "").replace("''", "'") or found["double"] or found["dollar"]:
            yield text


def _is_of(database: Path, cwd: Path, text: str, *, folders: bool) -> bool:
    try:
        path = (cwd / Path(URL.sub("", text, count=1)).expanduser()).resolve()
    except (OSError, ValueError, RuntimeError):  # no text that is a path
        return False
    own = [one for one in (path, *path.parents) if one.parent == database.parent and one.name.startswith(database.name)]
    return bool(own) or (folders and path in database.parents)

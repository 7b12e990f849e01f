"""A database file written anew beside itself, and put in its own place when it is whole."""

import contextlib
import os
import re
import secrets
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cloaca_nb.errors import HistoryError
from cloaca_nb.history.disk import sync

if TYPE_CHECKING:
    import duckdb

__all__ = ["Renewal", "draft_path", "remove_drafts"]

DRAFT: Final = r"-[0-9a-f]{8}\.new(\.wal)?"  # what follows a database's name in that of a file that isn't it yet


class Renewal:
    """One copy of a database file, made while nobody else is at it; a crash leaves the old file or the new one.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._draft = draft_path(path)

    def write(self, connection: "duckdb.DuckDBPyConnection") -> None:
        """Copy what is attached as `history`, which leaves out the room of deleted rows.

        Raises:
            HistoryError: if the disk has no room for it.
        """
        remove_drafts(self._path)
        needed, free = self._path.stat().st_size, shutil.disk_usage(self._path.parent).free
        if free < needed:
            raise HistoryError(
                f"The room of the removed runs can't be given back: a copy of the history takes up to {needed:,} "
                f"bytes, and {free:,} are free in {self._path.parent}. Free some space and prune again."
            )
        connection.execute("ATTACH ? AS renewed (TYPE duckdb)", [str(self._draft)])
        connection.execute("COPY FROM DATABASE history TO renewed")
        connection.execute("CHECKPOINT renewed")
        connection.execute("DETACH renewed")
        connection.execute("CHECKPOINT history")

    def put_in_place(self) -> None:
        """Give the copy the file's name and permissions; both are closed.

        Raises:
            HistoryError: if not all of one is in its file: DuckDB would take what is beside it for the other's.
        """
        if any(_log_of(path).exists() for path in (self._path, self._draft)):
            raise HistoryError(f"{self._path} wasn't closed by whoever wrote it last. Read it once, and prune again.")
        shutil.copymode(self._path, self._draft)
        _sync(self._draft)
        self._draft.replace(self._path)
        _sync(self._path.parent)

    def discard(self) -> None:
        """Remove the copy, if it wasn't put in place."""
        self._draft.unlink(missing_ok=True)
        _log_of(self._draft).unlink(missing_ok=True)


def draft_path(path: Path) -> Path:
    """Return a new name for a database that isn't whole yet, beside its own."""
    return path.with_name(f"{path.name}-{secrets.token_hex(4)}.new")


def remove_drafts(path: Path) -> None:
    """Remove the drafts of a database that were never finished: whoever calls is alone at it."""
    pattern = re.compile(re.escape(path.name) + DRAFT)
    for found in path.parent.iterdir():
        if pattern.fullmatch(found.name):
            with contextlib.suppress(PermissionError):  # Windows keeps a file that is open: the next call removes it
                found.unlink(missing_ok=True)


def _log_of(path: Path) -> Path:
    """Return where DuckDB keeps what isn't in the file yet."""
    return path.with_name(f"{path.name}.wal")


def _sync(path: Path) -> None:
    """Have a file or a folder on the disk, where a folder can be opened (not on Windows)."""
    if os.name == "nt" and path.is_dir():
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        sync(descriptor)
    finally:
        os.close(descriptor)

"""What a history stands on: its tables, its artifacts, and a journal once something is recorded."""

import json
import os
import platform
import re
import socket
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from cloaca_nb.errors import DefinitionError, HistoryError
from cloaca_nb.history.artifacts import ArtifactStore, artifacts_folder
from cloaca_nb.history.backlog import Backlog
from cloaca_nb.history.database import Database
from cloaca_nb.history.journal import FileJournal, Journal, MemoryJournal
from cloaca_nb.history.location import ELSEWHERE, Location
from cloaca_nb.history.merge import merge_folder, merge_memory
from cloaca_nb.history.migration import SCHEMA_VERSION
from cloaca_nb.history.store import Store

__all__ = ["Means", "means_of"]


class Means(NamedTuple):
    """What a history stands on."""

    store: Store
    artifacts: ArtifactStore
    open_journal: Callable[[Callable[[], None]], Journal]  # it calls back when there is enough to merge


def means_of(location: Location, schema: str) -> Means:
    """Return what a history stands on, after a look at the file; one that isn't there is made.

    Args:
        location: where the history lies.
        schema: a name that keeps it apart from others in the same database.

    Raises:
        DefinitionError: for a schema's name that isn't one.
        HistoryError: if it can't be opened, or is something else; nothing is touched then.
    """
    _check_schema(schema)
    return _in_memory(location, schema) if location.path is None else _in_file(location, location.path, schema)


def _in_memory(location: Location, schema: str) -> Means:
    journal = MemoryJournal()
    store = Store(Database(location, schema), partial(merge_memory, journal))
    return Means(store, ArtifactStore(None), lambda _: journal)


def _in_file(location: Location, path: Path, schema: str) -> Means:
    _make_folder(location, path)
    database = Database(location, schema)
    database.open()
    folder = location.journals / schema
    store = Store(database, partial(merge_folder, Backlog(folder)))
    return Means(store, ArtifactStore(artifacts_folder(path)), partial(FileJournal, folder, _header))


def _make_folder(location: Location, path: Path) -> None:
    if path.parent.is_dir():
        return
    if location.hidden_folder is None:
        raise HistoryError(f"History can't be kept in {path}: there is no folder {path.parent}. Make it first.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        (path.parent / ".gitignore").write_text("*\n")
    except OSError as error:
        raise HistoryError(
            f"The folder of the history can't be made: {error}. Make it yourself, or {ELSEWHERE}."
        ) from error


def _header(journal: str) -> bytes:
    process = {
        "journal": [journal],
        "host": [socket.gethostname()],
        "pid": [os.getpid()],
        "started": [time.time()],
        "python": [platform.python_version()],
    }
    return json.dumps({"schema": SCHEMA_VERSION, "processes": process}, separators=(",", ":")).encode()


def _check_schema(schema: str) -> None:
    if not schema:
        raise DefinitionError("Schema name cannot be empty")
    if not re.fullmatch(r"\w+", schema, re.ASCII):
        raise DefinitionError(
            f"Schema name must contain only alphanumeric characters and underscores, which {schema!r} doesn't."
        )

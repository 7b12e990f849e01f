"""How the file of a history is attached to a connection, after a look at what it is."""

import json
import logging
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from cloaca_nb.errors import HistoryError
from cloaca_nb.history.location import Location
from cloaca_nb.history.migration import SCHEMA_VERSION, migration
from cloaca_nb.history.renewal import draft_path, remove_drafts

if TYPE_CHECKING:
    import duckdb

__all__ = ["Attachment", "Connection", "Desk", "is_writable"]

Connection: TypeAlias = "duckdb.DuckDBPyConnection"
logger = logging.getLogger(__name__)


class Desk(NamedTuple):
    """What a piece of work is given."""

    connection: "Connection"  # with the history's tables under their bare names
    lasting: bool  # whether what is written stays; False for a copy of a database that can only be read


class Attachment:
    """The ways to the tables of one history.

    Args:
        location: where the file lies, if there is one.
        schema: which schema of the database holds the tables.
    """

    def __init__(self, location: Location, schema: str) -> None:
        self._location = location
        self._schema = schema

    def in_place(self, connection: Connection) -> Desk:
        """Attach the file itself; it is made if there is none.

        Raises:
            HistoryError: if it is something else, or of a newer version; nothing of it is touched then.
        """
        path = self._location.path
        if path is None:
            return Desk(self._at_home(connection), lasting=True)
        if path.exists():
            self._check_before_writing(connection, path)
        else:
            self._say_if_deleted(path)
            self._create(connection, path)
        connection.execute("ATTACH ? AS history (TYPE duckdb)", [str(path)])
        if self.is_known(path):
            connection.execute(f'USE history."{self._schema}"')
        else:
            self.forget()  # a crash in the middle of a migration leaves none that is wrong
            self._at_home(connection)
            self.remember(path)
        return Desk(connection, lasting=True)

    def examined(self, connection: Connection) -> Desk:
        """Attach the file only to see that it may be a history.

        Raises:
            HistoryError: if it is something else, or of a newer version.
        """
        connection.execute("ATTACH ? AS history (TYPE duckdb, READ_ONLY)", [str(self._location.path)])
        self._version(connection, "history")
        return Desk(connection, lasting=False)

    def copied(self, connection: Connection) -> Desk:
        """Load the file into memory, where what other processes have in their journals can be added to it."""
        connection.execute("ATTACH ? AS original (TYPE duckdb, READ_ONLY)", [str(self._location.path)])
        self._version(connection, "original")
        connection.execute("ATTACH ':memory:' AS history")
        connection.execute("COPY FROM DATABASE original TO history")
        connection.execute("DETACH original")
        return Desk(self._at_home(connection), lasting=False)

    def _at_home(self, connection: Connection) -> Connection:
        """Bring the tables to the present version, and make them the ones that bare names mean."""
        version = self._version(connection, "history")
        if version < SCHEMA_VERSION:
            connection.begin()
            connection.execute(f'CREATE SCHEMA IF NOT EXISTS history."{self._schema}"')
            connection.execute(f'USE history."{self._schema}"')
            connection.execute(migration(version))
            connection.commit()
        connection.execute(f'USE history."{self._schema}"')
        return connection

    def _create(self, connection: Connection, path: Path) -> None:
        """Make the database whole before it gets its name: a crash leaves all of it or none."""
        remove_drafts(path)
        unfinished = draft_path(path)
        try:
            connection.execute("ATTACH ? AS history (TYPE duckdb)", [str(unfinished)])
            self._at_home(connection)
            connection.execute("USE memory")
            connection.execute("DETACH history")
            unfinished.replace(path)
        except BaseException:
            remove_drafts(path)  # of a full disk they would take what is left
            raise

    # -- what the file is

    def _check_before_writing(self, connection: Connection, path: Path) -> None:
        """Look at a file that wasn't looked at before without touching it."""
        if self.is_known(path):
            return
        self.examined(connection)
        connection.execute("DETACH history")

    def _version(self, connection: Connection, database: str) -> int:
        """Return the version of the tables, 0 if there are none.

        Raises:
            HistoryError: if they are somebody else's, or newer.
        """
        found = connection.execute(
            "SELECT table_name FROM duckdb_tables() WHERE database_name = ? AND schema_name = ?",
            [database, self._schema],
        )
        names = {name for (name,) in found.fetchall()}
        if not names:
            return 0
        if not {"schema_version", "runs", "merged"} <= names:
            shown = ", ".join(sorted(names)[:5])
            raise HistoryError(
                f"{self._location} is a database of something else: its tables are {shown}. Nothing of it was touched. "
                "Name another file for the history."
            )
        (version,) = connection.execute(f'FROM {database}."{self._schema}".schema_version').fetchall()[0]
        if version > SCHEMA_VERSION:
            raise HistoryError(
                f"{self._location} was written by a newer cloaca_nb: its schema is version {version}, this one reads "
                f"up to {SCHEMA_VERSION}. Nothing of it was touched. Upgrade cloaca_nb."
            )
        return int(version)

    @property
    def _mark(self) -> Path:
        return self._location.journals / f"{self._schema}.checked.json"

    def _say_if_deleted(self, path: Path) -> None:
        if self._mark.exists():
            logger.warning(
                "The database %s was deleted. A new one is begun, with what is still in the journals beside it.", path
            )

    def is_known(self, path: Path) -> bool:
        """Whether this very file was found to be a history of this version; saves loading DuckDB to look."""
        try:
            return bool(json.loads(self._mark.read_text()) == _identity(path))
        except (OSError, ValueError):  # no mark, or none that can be read: look again
            return False

    def forget(self) -> None:
        """Have the file looked at again."""
        self._mark.unlink(missing_ok=True)

    def remember(self, path: Path) -> None:
        """Mark the file as found to be one."""
        if is_writable(path):
            new = self._mark.with_suffix(f".{secrets.token_hex(4)}")
            new.write_text(json.dumps(_identity(path)))
            new.replace(self._mark)


def _identity(path: Path) -> dict[str, int]:
    """Return which file it is (asking for its status opens nothing), and for which version it is good."""
    status = path.stat()
    return {"schema": SCHEMA_VERSION, "device": status.st_dev, "file": status.st_ino}


def is_writable(path: Path) -> bool:
    """Return whether a file, or one that isn't there yet, can be written to where it lies."""
    return os.access(path.parent, os.W_OK) and (not path.exists() or os.access(path, os.W_OK))

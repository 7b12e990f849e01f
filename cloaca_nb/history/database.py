"""The DuckDB file of a history, shared by any number of processes; the sole importer of duckdb.

The file is attached to a connection in memory for one piece of work at a time, under a file lock beside it. Nothing
else ever opens it: DuckDB's own lock on a file is dropped as soon as the holding process opens the file another way.
"""

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from cloaca_nb.errors import HistoryError
from cloaca_nb.history.attachment import Attachment, Connection, Desk, is_writable
from cloaca_nb.history.interruptible import hearing
from cloaca_nb.history.journal import native_lock
from cloaca_nb.history.location import Location
from cloaca_nb.history.obstacles import held, is_full, read_only, unreadable, unusable
from cloaca_nb.history.renewal import Renewal
from cloaca_nb.history.rescue import is_damage, rescue

if TYPE_CHECKING:
    import pyarrow as pa
    from filelock import BaseFileLock

__all__ = ["Connection", "Database", "Desk", "select"]

T = TypeVar("T")
PATIENCE: Final = 10.0  # seconds to wait for a database that somebody else holds
TICK: Final = 0.005  # seconds between two tries
logger = logging.getLogger(__name__)
# Kinds of statement that are let through, to a transaction that only reads: results are exported by COPY, and a PIVOT
# over whatever values there are is MULTI, as it asks for them first.
READING: Final = frozenset({"SELECT", "EXPLAIN", "COPY", "MULTI"})
BUSY: Final = ("Could not set lock on file", "being used by another process")


class Database:
    """One history's tables; safe to call from any thread of the process that made it.

    Args:
        location: where the file lies, if there is one.
        schema: which schema of the database holds the tables.
        patience: seconds to wait for a database that somebody else holds.
    """

    def __init__(self, location: Location, schema: str, *, patience: float = PATIENCE) -> None:
        self._location = location
        self._attachment = Attachment(location, schema)
        self._patience = patience
        self._lock = threading.RLock()
        self._kept: Connection | None = None
        self._closed = False
        self._busy = False
        self._process = os.getpid()

    def open(self) -> None:
        """Make the database if there is none, else see that it is a history that this version can read.

        Raises:
            HistoryError: if it is something else, or can't be reached; nothing of it is touched then.
        """
        if self._location.path is not None and not self._attachment.is_known(self._location.path):
            self.use(lambda _: None)

    def use(
        self, work: Callable[[Desk], T], *, or_copy: bool = True, afterwards: Callable[[], object] | None = None
    ) -> T:
        """Return what `work` returns, done while no other process is at this history.

        Args:
            work: must not keep the connection.
            or_copy: whether a copy in memory will do where the file can only be read.
            afterwards: called when the file is let go of, and still no other process is at it.

        Raises:
            HistoryError: if the database can't be reached, or isn't a history.
        """
        import duckdb  # noqa: PLC0415 - 0.15 s, and only who reads or ends pays for it

        with self._lock:
            self._check_open()
            self._check_idle()
            self._busy = True
            try:
                with hearing(), self._alone():
                    result = self._done(work, or_copy=or_copy)
                    if afterwards is not None:
                        afterwards()
                    return result
            except OSError as error:
                raise unusable(self._location, error) from error
            except duckdb.Error as error:
                raise unreadable(self._location, error) from error
            finally:
                self._busy = False

    def shrink(self) -> int:
        """Write the file anew without the room of deleted rows; return how many bytes that freed.

        Raises:
            HistoryError: if it can't be reached, or there is no room for the copy; nothing is lost then.
        """
        path = self._location.path
        if path is None:
            return 0
        before = path.stat().st_size  # asking for its size opens nothing
        renewal = Renewal(path)
        try:
            self.use(lambda desk: renewal.write(desk.connection), or_copy=False, afterwards=renewal.put_in_place)
        finally:
            renewal.discard()
        self._attachment.remember(path)
        return before - path.stat().st_size

    def close(self) -> None:
        """Let go of DuckDB; idempotent."""
        with self._lock:
            self._check_idle()
            self._closed = True
            if self._kept is not None and os.getpid() == self._process:
                self._kept.close()
            self._kept = None

    # -- one at a time

    def _check_open(self) -> None:
        if self._closed:
            raise HistoryError(f"The history {self._location} is closed; open it again.")
        if os.getpid() != self._process:
            raise HistoryError(f"The history {self._location} was opened by another process; open it in this one too.")

    def _check_idle(self) -> None:
        """Refuse work in the middle of work: the lock lets its own thread pass."""
        if self._busy:
            raise HistoryError(
                f"The history {self._location} is giving back a value, and that value's own code (its __setstate__, "
                "say) asks it something else, which can't be. Ask in a task, and keep the answer in the value."
            )

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the lock that orders all work on the file, where there is a file that can be written to."""
        path = self._location.path
        if path is None or not is_writable(path):
            yield
            return
        where = self._location.journals / "merge.lock"
        if path.exists() and not where.exists():  # what somebody else may have made gets no folder of ours beside it
            self._try_each(lambda _: None, [self._attachment.examined])
        where.parent.mkdir(exist_ok=True)
        self._acquire(lock := native_lock(where), path)
        try:
            yield
        finally:
            lock.release()

    def _acquire(self, lock: "BaseFileLock", path: Path) -> None:
        """Wait for the lock as long as those who hold it get on with what they do."""
        with contextlib.suppress(TimeoutError):
            lock.acquire(timeout=0)
        seen = _state(path) if not lock.is_locked else None
        while not lock.is_locked:
            try:
                lock.acquire(timeout=self._patience, poll_interval=TICK)
            except TimeoutError:
                before, seen = seen, _state(path)
                if seen == before:
                    why = f"another process has held {lock.lock_file} for {self._patience:.0f} s"
                    raise held(self._location, why) from None
                logger.warning("Other processes take much into the history %s: this one waits for its turn.", path)

    def _done(self, work: Callable[[Desk], T], *, or_copy: bool) -> T:
        """Do the work; on a database that turns out to be damaged, do it on what can be rescued of that."""
        import duckdb  # noqa: PLC0415 - see `use`

        try:
            return self._try(work, or_copy=or_copy)
        except (duckdb.Error, HistoryError) as error:
            path = self._location.path
            if path is not None and or_copy and is_full(error) and path.exists():
                return self._try_each(work, [self._attachment.copied])
            if path is not None and _lacks_tables(error) and self._attachment.is_known(path):
                self._attachment.forget()
                return self._try(work, or_copy=or_copy)
            if path is None or not is_damage(error) or not is_writable(path) or not self._attachment.is_known(path):
                raise
            self._rescue(path, error)
        return self._try(work, or_copy=or_copy)

    def _rescue(self, path: Path, error: BaseException) -> None:
        self._abandon()
        rescued = rescue(self._connection(), path, error)
        self._abandon()
        logger.error("The history %s was damaged (%s). %s", path, str(error).partition("\n")[0], rescued)

    def _try(self, work: Callable[[Desk], T], *, or_copy: bool) -> T:
        """Do the work as soon as nobody outside cloaca_nb holds the file."""
        path = self._location.path
        ways = [self._attachment.in_place] if path is None or is_writable(path) else []
        ways += [self._attachment.copied] if path is not None and or_copy and path.exists() else []
        return self._try_each(work, ways)

    def _try_each(self, work: Callable[[Desk], T], ways: Sequence[Callable[[Connection], Desk]]) -> T:
        deadline = time.monotonic() + self._patience
        while True:
            for way in ways:
                desk = self._enter(way)
                if desk is not None:
                    return self._work(work, desk)
            if time.monotonic() > deadline or not ways:
                raise held(self._location, "another program has opened it") if ways else read_only(self._location)
            time.sleep(TICK)

    def _enter(self, way: Callable[[Connection], Desk]) -> Desk | None:
        """Open the file one way; None: somebody else holds it."""
        import duckdb  # noqa: PLC0415 - see `use`

        try:
            return way(self._connection())
        except (duckdb.IOException, duckdb.ResourceInUseException) as error:
            self._abandon()
            if isinstance(error, duckdb.ResourceInUseException) or any(text in str(error) for text in BUSY):
                return None
            raise
        except BaseException:
            self._abandon()
            raise

    def _work(self, work: Callable[[Desk], T], desk: Desk) -> T:
        try:
            result = work(desk)
            if self._location.path is not None:
                desk.connection.execute("USE memory")
                desk.connection.execute("DETACH history")
        except BaseException:
            self._abandon()
            raise
        return result

    # -- the connection

    def _connection(self) -> Connection:
        import duckdb  # noqa: PLC0415 - see `use`

        if self._kept is None:
            self._kept = duckdb.connect(":memory:")
            if self._location.path is None:
                self._kept.execute("ATTACH ':memory:' AS history")
        return self._kept

    def _abandon(self) -> None:
        """Leave nothing half done or attached, whatever was interrupted."""
        import duckdb  # noqa: PLC0415 - see `use`

        if self._location.path is None and self._kept is not None:
            with contextlib.suppress(duckdb.TransactionException):  # none was open
                self._kept.rollback()
        elif self._kept is not None:
            kept, self._kept = self._kept, None  # first: an interrupt may come as it is closed
            kept.close()


def _lacks_tables(error: BaseException) -> bool:
    """Return whether what was asked for isn't there: the file may be another one by now, as a backup is put back."""
    import duckdb  # noqa: PLC0415 - see `Database.use`

    return isinstance(error.__cause__ or error, duckdb.CatalogException | duckdb.BinderException)


def _state(path: Path) -> dict[str, tuple[int, int]]:
    """Return what changes while somebody writes a database: times and sizes of its file and those beside it."""
    found = {}
    for entry in os.scandir(path.parent):
        with contextlib.suppress(FileNotFoundError):  # it was removed since
            if entry.name.startswith(path.name) and entry.is_file():
                found[entry.name] = (entry.stat().st_mtime_ns, entry.stat().st_size)
    return found


def select(connection: Connection, sql: str, parameters: Sequence[Any] = ()) -> "pa.Table":
    """Return what one statement that only reads answers.

    Raises:
        HistoryError: for a mistake in it, for more than one statement, and for one that would write.
    """
    import duckdb  # noqa: PLC0415 - see `Database.use`

    try:
        statements = connection.extract_statements(sql)
        if len(statements) != 1 or statements[0].type.name not in READING:
            raise HistoryError("History is read by one SELECT at a time; it is written by runs only.")
        connection.execute("BEGIN TRANSACTION READ ONLY")
        answer = connection.sql(statements[0], params=list(parameters))
        table: pa.Table = answer.to_arrow_table()
        connection.rollback()
    except duckdb.Error as error:
        raise HistoryError(f"{error}") from error
    return table

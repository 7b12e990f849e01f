"""History, the one object that records runs and answers questions about them."""

import atexit
import json
import logging
import os
import platform
import re
import socket
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from cloaca_nb.core.graph import Workflow
from cloaca_nb.declare.fingerprint import CodeFingerprint, Fingerprints
from cloaca_nb.errors import DefinitionError, HistoryError, near_miss
from cloaca_nb.history.accounts import Accounts
from cloaca_nb.history.artifacts import ArtifactStore, artifacts_folder
from cloaca_nb.history.backlog import Backlog
from cloaca_nb.history.database import Database
from cloaca_nb.history.journal import FileJournal, Journal, MemoryJournal
from cloaca_nb.history.location import Location, parse_url
from cloaca_nb.history.memory import Memory, initial_values, remember
from cloaca_nb.history.recorder import Recorder
from cloaca_nb.history.rows import EventRows
from cloaca_nb.history.schema import SCHEMA_VERSION
from cloaca_nb.history.store import Store, merge_folder, merge_memory
from cloaca_nb.history.tables import from_arrow
from cloaca_nb.values.digests import content_digest, describe

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["History"]

MAIN: Final = "main"
NEAR: Final = 1000  # runs among which a near miss is looked for
logger = logging.getLogger(__name__)


class History:
    """What happened, kept: made by `History.open`, ended by `close` or with the process.

    Attributes:
        location: where it lies.
    """

    def __init__(
        self,
        location: Location,
        store: Store,
        artifacts: ArtifactStore,
        open_journal: Callable[[Callable[[], None]], Journal],
    ) -> None:
        self.location = location
        self._store = store
        self._artifacts = artifacts
        self._open_journal = open_journal
        self._recorder: Recorder | None = None
        self._merging: threading.Thread | None = None
        self._lock = threading.Lock()
        self._closed = False
        self._process = os.getpid()

    @classmethod
    def open(cls, url: str | None = None, *, schema: str | None = None) -> "History":
        """Open the history of a database URL, or make it.

        Args:
            url: see `parse_url`; None for the history of the working directory.
            schema: a name that keeps this history apart from others in the same database.

        Raises:
            ConfigurationError: for a URL that DuckDB can't serve.
            DefinitionError: for a schema's name that isn't one.
            HistoryError: if it can't be opened, or is something else; nothing is touched then.
        """
        named = MAIN if schema is None else _schema_name(schema)
        location = parse_url(url, environ=os.environ, cwd=Path.cwd())
        history = _in_memory(location, named) if location.path is None else _in_file(location, location.path, named)
        _open_histories.add(history)
        return history

    def recorder(self) -> Recorder:
        """Return the observer that records runs here; one for all runs of this process.

        Raises:
            HistoryError: if nothing can be written here, or the history is closed.
        """
        with self._lock:
            if self._closed:
                raise HistoryError(f"The history {self.location} is closed; open it again to record runs.")
            if self._recorder is None:
                try:
                    journal = self._open_journal(self._merge_soon)
                except OSError as error:
                    raise HistoryError(
                        f"Runs can't be recorded in {self.location}: {error}. Make its folder writable, "
                        "or name another place for the history, e.g. CLOACA_HISTORY=/path/to/history.duckdb."
                    ) from error
                rows = EventRows(journal.name, describe, self._artifacts.keep, _fingerprint)
                self._recorder = Recorder(journal, rows)
            return self._recorder

    def runs(self, limit: int | None = None) -> "pd.DataFrame":
        """Return the runs, newest first; `duration` is in seconds, times are UTC."""
        return self._ask(
            """
            SELECT run_id, workflow, kind, status, started, ended, duration, tasks, failed, error, version
            FROM run_summary ORDER BY started DESC, run_id DESC LIMIT $1
            """,
            limit,
        )

    def tasks(self, run: str | None = None) -> "pd.DataFrame":
        """Return the tasks of a run in registration order, those that aren't over included.

        Args:
            run: its id, or a beginning that only it has; None for the latest.

        Raises:
            HistoryError: if there is no such run.
        """
        return self._ask(
            """
            SELECT task_id, outcome, attempts, started, ended, duration, reason, error, location
            FROM task_summary WHERE run_id = $1 ORDER BY position
            """,
            self._run_id(run),
        )

    def attempts(self, run: str | None = None) -> "pd.DataFrame":
        """Return the attempts of a run that are over, in the order in which they began; see `tasks`."""
        return self._ask(
            """
            SELECT task_id, attempt, outcome, started, ended, epoch(ended - started) AS duration,
                   exception, message, location, traceback, retry_in
            FROM attempts WHERE run_id = $1 ORDER BY started, rowid
            """,
            self._run_id(run),
        )

    def logs(self, task: str | None = None, run: str | None = None) -> "pd.DataFrame":
        """Return what the tasks of a run wrote, in order; of one task if it is named; see `tasks`.

        Raises:
            HistoryError: if there is no such run, or no such task in it.
        """
        run_id = self._run_id(run)
        if task is not None:
            self._check_task(task, run_id)
        return self._ask(
            """
            SELECT time, task_id, attempt, stream, text
            FROM logs WHERE run_id = $1 AND ($2 IS NULL OR task_id = $2) ORDER BY time, rowid
            """,
            run_id,
            task,
        )

    def context(self, run: str | None = None) -> "pd.DataFrame":
        """Return the final context of a run, or what it holds so far; see `tasks`.

        `value` is a preview as short JSON or text; equal values have equal digests, in all runs. `set_by` is the task
        that set the value last, or nothing for one that came with the initial context.
        """
        return self._ask(
            """
            WITH of_run AS (SELECT *, rowid AS place FROM artifacts WHERE run_id = $1),
                 latest AS (SELECT * FROM of_run WHERE role <> 'final'
                            QUALIFY row_number() OVER (PARTITION BY key ORDER BY place DESC) = 1)
            SELECT key, type, digest, size, preview AS value, task_id AS set_by FROM (
                SELECT * FROM of_run WHERE role = 'final'
                UNION ALL
                SELECT * FROM latest WHERE role <> 'deleted'
                    AND EXISTS (FROM runs WHERE run_id = $1 AND ended IS NULL)
            ) ORDER BY place
            """,
            self._run_id(run),
        )

    def to_resume(self, run: str | None = None, workflow: str | None = None) -> tuple[str, str]:
        """Return the id and the workflow of the run that a new one can go on with: by default the latest.

        Args:
            run: its id, or a beginning that only it has.
            workflow: the workflow's name, where the latest run of that one is meant.

        Raises:
            HistoryError: if there is no such run, or it is still going on.
        """
        run_id = self._run_id(run, workflow)
        found = self._ask("SELECT workflow, status, journal FROM runs WHERE run_id = $1", run_id)
        if found["status"][0] == "Running":
            host, pid = self._ask("SELECT host, pid FROM processes WHERE journal = $1", found["journal"][0]).iloc[0]
            raise HistoryError(
                f"Run {run_id} is still going on, in process {pid} on {host}. Cancel it, or wait for its end, first."
            )
        return run_id, str(found["workflow"][0])

    def initial(self, run: str | None = None) -> dict[str, Any]:
        """Return the initial context of a run; see `tasks`. Reads pickles where a value is kept as one.

        Raises:
            HistoryError: if there is no such run, or a value of it can't be given back.
        """
        return initial_values(self._store, self._artifacts, self._run_id(run))

    def memory(self, workflow: Workflow, run_id: str | None = None) -> Memory:
        """Return what is known of a workflow's tasks: from one run and those that it went on with, or from all."""
        self._flush()
        accounts = Accounts(describe, self._artifacts.keep)
        return remember(self._store, self._artifacts, accounts, _fingerprint(workflow), workflow, run_id)

    def sql(self, query: str) -> "pd.DataFrame":
        """Return what one SELECT answers; its tables and views are documented in `history.schema`, and in themselves.

        Raises:
            HistoryError: for a mistake in it, for more than one statement, and for one that would write.
        """
        return self._ask(query)

    def close(self) -> None:
        """Merge what is pending and let go of files, threads and locks; idempotent."""
        with self._lock:
            if self._closed or os.getpid() != self._process:
                return
            self._closed = True
        _open_histories.discard(self)
        try:
            if self._recorder is not None:
                self._recorder.close()
                if self._merging is not None:
                    self._merging.join()
                self._merge_at_end(self._recorder)
        finally:
            self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _merge_at_end(self, recorder: Recorder) -> None:
        if recorder.error is not None:
            logger.error("Not all of the history %s is on disk: %s.", self.location, recorder.error)
        if recorder.has_recorded and self.location.path is not None:
            self._merge()

    def _merge_soon(self) -> None:
        """Merge without keeping the caller, the recorder's thread, waiting."""
        if self._merging is None or not self._merging.is_alive():
            self._merging = threading.Thread(target=self._merge, name="cloaca-history-merge", daemon=True)
            self._merging.start()

    def _merge(self) -> None:
        try:
            self._store.merge()
        except HistoryError as error:  # the next reader merges it
            logger.warning("The latest runs are only in the journals of %s as yet: %s", self.location, error)

    def _flush(self) -> None:
        if self._recorder is not None and not self._closed:
            self._recorder.flush()

    def _ask(self, sql: str, *parameters: Any) -> "pd.DataFrame":
        self._flush()
        return from_arrow(self._store.query(sql, parameters))

    def _run_id(self, run: str | None, workflow: str | None = None) -> str:
        """Return the id of the run that is meant."""
        if run is None:
            latest = self._ask(
                """
                SELECT run_id FROM runs WHERE kind = 'run' AND ($1 IS NULL OR workflow = $1)
                ORDER BY started DESC, run_id DESC LIMIT 1
                """,
                workflow,
            )
            if latest.empty:
                of = f" of {workflow!r}" if workflow else ""
                raise HistoryError(f"The history {self.location} has no run{of} yet.")
            return str(latest["run_id"][0])
        found = list(self._ask("SELECT run_id FROM runs WHERE starts_with(run_id, $1) LIMIT 5", run)["run_id"])
        if run in found or len(found) == 1:
            return run if run in found else found[0]
        if found:
            raise HistoryError(f"{run!r} begins the ids of several runs: {', '.join(found)}. Give more of it.")
        known = self.runs(NEAR)["run_id"]
        raise HistoryError(f"The history {self.location} has no run {run!r}.{near_miss(run, known)} See runs().")

    def _check_task(self, task: str, run_id: str) -> None:
        known = list(self.tasks(run_id)["task_id"])
        if task not in known:
            raise HistoryError(f"Run {run_id} has no task {task!r}.{near_miss(task, known)} It has {', '.join(known)}.")


def _schema_name(schema: str) -> str:
    if not schema:
        raise DefinitionError("Schema name cannot be empty")
    if not re.fullmatch(r"\w+", schema, re.ASCII):
        raise DefinitionError(
            f"Schema name must contain only alphanumeric characters and underscores, which {schema!r} doesn't."
        )
    return schema


def _in_memory(location: Location, schema: str) -> History:
    journal = MemoryJournal()
    store = Store(Database(location, schema), partial(merge_memory, journal))
    return History(location, store, ArtifactStore(None), lambda _: journal)


def _in_file(location: Location, path: Path, schema: str) -> History:
    _make_folder(location, path)
    database = Database(location, schema)
    database.open()
    folder = location.journals / schema
    store = Store(database, partial(merge_folder, Backlog(folder)))
    return History(location, store, ArtifactStore(artifacts_folder(path)), partial(FileJournal, folder, _header))


def _make_folder(location: Location, path: Path) -> None:
    if path.parent.is_dir():
        return
    if location.hidden_folder is None:
        raise HistoryError(f"History can't be kept in {path}: there is no folder {path.parent}. Make it first.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        (path.parent / ".gitignore").write_text("*\n")
    except OSError as error:
        raise HistoryError(f"The folder of the history can't be made: {error}. Name another place for it.") from error


def _header(journal: str) -> bytes:
    process = {
        "journal": [journal],
        "host": [socket.gethostname()],
        "pid": [os.getpid()],
        "started": [time.time()],
        "python": [platform.python_version()],
    }
    return json.dumps({"schema": SCHEMA_VERSION, "processes": process}, separators=(",", ":")).encode()


def _fingerprint(workflow: Workflow) -> Mapping[str, CodeFingerprint]:
    """Return what the code of a workflow's tasks is now, by task."""
    fingerprints = Fingerprints(content_digest)
    return {task.id: fingerprints.of(task) for task in workflow.tasks}


_open_histories: set[History] = set()


@atexit.register
def _close_all() -> None:
    for history in list(_open_histories):
        history.close()

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
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.task import Task
from cloaca_nb.declare.fingerprint import CodeFingerprint, Fingerprints
from cloaca_nb.errors import DefinitionError, HistoryError, near_miss
from cloaca_nb.history.accounts import Accounts
from cloaca_nb.history.artifacts import ArtifactStore, artifacts_folder
from cloaca_nb.history.backlog import Backlog
from cloaca_nb.history.database import Database
from cloaca_nb.history.diff import RunDiff, compare
from cloaca_nb.history.diff_rows import pair_with, read_run, usual_durations
from cloaca_nb.history.journal import FileJournal, Journal, MemoryJournal
from cloaca_nb.history.location import Location, parse_url
from cloaca_nb.history.memory import Memory, initial_values, remember
from cloaca_nb.history.prune import Keep, Pruned, amount, prune
from cloaca_nb.history.recorder import Recorder
from cloaca_nb.history.rows import EventRows
from cloaca_nb.history.schema import SCHEMA_VERSION
from cloaca_nb.history.store import Store, merge_folder, merge_memory
from cloaca_nb.history.tables import from_arrow
from cloaca_nb.history.transfers import Transfer, transfers
from cloaca_nb.values.digests import content_digest

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["History"]

MAIN: Final = "main"
NEAR: Final = 1000  # runs among which a near miss is looked for
LATEST: Final = "last"  # instead of a run's id
LARGE: Final = 1_000_000_000  # bytes of database and artifacts from which on the user is told what `prune` would free
USUAL_KEEP: Final = 20  # runs of each workflow
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
        self._advised = False
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
                rows = EventRows(journal.name, self._artifacts.describe, self._artifacts.keep, _fingerprint)
                self._recorder = Recorder(journal, rows)
            return self._recorder

    def runs(self, limit: int | None = None) -> "pd.DataFrame":
        """Return the runs, newest first; `duration` is in seconds, times are UTC."""
        self._say_advice()
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

    def resolve(self, run: str | None = None) -> str:
        """Return the whole id of the run that is meant; see `tasks`.

        Raises:
            HistoryError: if there is no such run.
        """
        return self._run_id(run)

    def to_resume(self, run: str | None = None, workflow: str | None = None) -> tuple[str, str]:
        """Return the id and the workflow of the run that a new one can go on with: by default the latest.

        Args:
            run: its id, or a beginning that only it has.
            workflow: the workflow's name, where the latest run of that one is meant.

        Raises:
            HistoryError: if there is no such run, or it is still going on.
        """
        run_id = self._run_id(run, workflow)
        (found,) = self._rows(
            """
            SELECT workflow, status, host, pid FROM runs LEFT JOIN processes USING (journal) WHERE run_id = $1
            """,
            run_id,
        )
        if found["status"] == "Running":
            where = "in this process" if found["pid"] is None else f"in process {found['pid']} on {found['host']}"
            raise HistoryError(f"Run {run_id} is still going on, {where}. Cancel it, or wait for its end, first.")
        return run_id, str(found["workflow"])

    def initial(
        self, run: str | None = None, *, named: Collection[str] = (), defaults: Collection[str] = ()
    ) -> dict[str, Any]:
        """Return the initial context of a run; see `tasks`. Reads pickles where a value is kept as one.

        Args:
            run: its id, or a beginning that only it has; None for the latest.
            named: keys whose values aren't wanted.
            defaults: parameters whose values aren't wanted where the run began with their defaults.

        Raises:
            HistoryError: if there is no such run, or a value of it can't be given back.
        """
        return initial_values(self._store, self._artifacts, self._run_id(run), named, defaults)

    def transfers(self, run: str | None = None, *, most: int) -> list[Transfer]:
        """Return what each task of a run was given and what it made of that; no pickle is read; see `tasks`.

        Args:
            run: its id, or a beginning that only it has; None for the latest.
            most: bytes of a value that is read; of a larger one its digest is told.
        """
        self._flush()
        return transfers(self._store, self._artifacts.load, self._run_id(run), most)

    def memory(self, workflow: Workflow, run_id: str | None = None) -> Memory:
        """Return what is known of a workflow's tasks: from one run and those that it went on with, or from all."""
        self._flush()
        accounts = Accounts(self._artifacts.describe, self._artifacts.keep)
        return remember(self._store, self._artifacts, accounts, _fingerprint(workflow), workflow, run_id)

    def diff(self, a: str | None = None, b: str | None = None) -> RunDiff:
        """Return what differs between two runs, and nothing else; no value is read, so no pickle either.

        Args:
            a: a run's id, or a beginning that only it has; None: the latest run, which is compared with the one before.
            b: another run's; None: the latest other run of the same workflow, the earlier of the two being "before".

        Raises:
            HistoryError: if there is no such run, or none to compare it with.
        """
        named = [self._run_id(run) for run in (a, b) if run is not None] or [self._run_id(None)]
        one, other = named if len(named) > 1 else pair_with(self._rows, named[0])
        usual = usual_durations(self._rows, one, other)
        return compare(read_run(self._rows, one), read_run(self._rows, other), usual)

    def prune(self, keep: Keep, *, dry_run: bool = False) -> Pruned:
        """Remove old runs, and the artifacts that no other run needs; the database file shrinks by what was theirs.

        Runs that are still going on stay, and so do those that a run which stays went on with, if it would lack what
        was completed there. It is safe at any time, whatever other processes do here, and can be interrupted.

        Args:
            keep: how many runs of each workflow stay (tries count apart), the latest first; or for how long runs stay:
                a timedelta, or a text like "30 days".
            dry_run: whether to say only what would be removed.

        Raises:
            HistoryError: for another `keep`, or if the history can't be written to.
        """
        self._flush()
        now = datetime.now(UTC).replace(tzinfo=None)
        return prune(self._store, self._artifacts, self.location, keep, now, dry_run=dry_run)

    def advice(self) -> str:
        """Return a sentence on what `prune` would free, if this history has grown large; else an empty text."""
        path = self.location.path
        size = 0 if path is None else path.stat().st_size + self._artifacts.size
        if size < LARGE:
            return ""
        try:
            would = self.prune(USUAL_KEEP, dry_run=True)
        except HistoryError:  # it can only be read, or is busy: no time for advice
            return ""
        return (
            f"The history {self.location} takes {amount(size)}. To keep the latest {USUAL_KEEP} runs of each workflow "
            f"would free about {amount(would.freed)}: history().prune(keep={USUAL_KEEP}), "
            f"or cloaca-nb history prune --keep {USUAL_KEEP}."
        )

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

    def _say_advice(self) -> None:
        if not self._advised:
            self._advised = True
            if advice := self.advice():
                logger.warning(advice)

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

    def _rows(self, sql: str, *parameters: Any) -> list[dict[str, Any]]:
        """Return what we ask ourselves: no frame, so who asks for none needn't wait for pandas to be loaded."""
        self._flush()
        rows: list[dict[str, Any]] = self._store.query(sql, parameters).to_pylist()
        return rows

    def _run_id(self, run: str | None, workflow: str | None = None) -> str:
        """Return the id of the run that is meant: by all of it, its beginning, or the end that messages show."""
        if run in {None, LATEST}:
            latest = self._rows(
                """
                SELECT run_id FROM runs WHERE kind = 'run' AND ($1 IS NULL OR workflow = $1)
                ORDER BY started DESC, run_id DESC LIMIT 1
                """,
                workflow,
            )
            if not latest:
                of = f" of {workflow!r}" if workflow else ""
                raise HistoryError(f"The history {self.location} has no run{of} yet; run it first.")
            return str(latest[0]["run_id"])
        matching = self._rows(
            """
            SELECT run_id FROM runs
            WHERE starts_with(run_id, $1) OR (length($1) >= 8 AND ends_with(run_id, $1)) LIMIT 5
            """,
            run,
        )
        found = [str(row["run_id"]) for row in matching]
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
    return {task.id: _fingerprint_of(task, fingerprints) for task in workflow.tasks}


def _fingerprint_of(task: Task, fingerprints: Fingerprints) -> CodeFingerprint:
    """Return what a task's code is; code that can't be looked at must not cost the run its history."""
    try:
        return fingerprints.of(task)
    except Exception as error:  # a value's own code may raise anything
        logger.exception("The code of task %s can't be told from an earlier one.", task.named)
        return CodeFingerprint("", {}, (f"its code can't be looked at ({type(error).__name__}: {error}).",))


_open_histories: set[History] = set()


@atexit.register
def _close_all() -> None:
    for history in list(_open_histories):
        history.close()

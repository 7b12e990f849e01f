"""History, the one object that records runs and answers questions about them."""

import atexit
import logging
import os
import threading
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from cloaca_nb.errors import HistoryError
from cloaca_nb.history.answers import Answers
from cloaca_nb.history.artifacts import artifacts_folder
from cloaca_nb.history.code import fingerprints
from cloaca_nb.history.location import Location, parse_url
from cloaca_nb.history.means import Means, means_of
from cloaca_nb.history.obstacles import unrecordable
from cloaca_nb.history.prune import Keep, Pruned, amount, prune
from cloaca_nb.history.pruning_lines import pruning_lines
from cloaca_nb.history.recorder import Recorder
from cloaca_nb.history.room import room_of
from cloaca_nb.history.rows import EventRows

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["History"]

MAIN: Final = "main"
LARGE: Final = 1_000_000_000  # bytes of database and artifacts from which on the user is told what `prune` would free
USUAL_KEEP: Final = 20  # runs of each workflow
logger = logging.getLogger(__name__)


class History(Answers):
    """What happened, kept: made by `History.open`, ended by `close` or with the process.

    Attributes:
        location: where it lies.
    """

    def __init__(self, location: Location, means: Means, schema: str | None) -> None:
        super().__init__(location, means.store, means.artifacts, self._record_light)
        self._schema = schema
        self._open_journal = means.open_journal
        self._recorder: Recorder | None = None
        self._merging: threading.Thread | None = None
        self._lock = threading.Lock()
        self._closed = False
        self._advised = False
        self._process = os.getpid()

    @classmethod
    def open(cls, url: str | os.PathLike[str] | None = None, *, schema: str | None = None) -> "History":
        """Open the history of a database URL, or make it.

        Args:
            url: see `parse_url`; None for the history of the working directory.
            schema: a name that keeps this history apart from others in the same database.

        Raises:
            ConfigurationError: for a URL that DuckDB can't serve.
            DefinitionError: for a schema's name that isn't one.
            HistoryError: if it can't be opened, or is something else; nothing is touched then.
        """
        location = parse_url(url, environ=os.environ, cwd=Path.cwd())
        history = cls(location, means_of(location, MAIN if schema is None else schema), schema)
        _open_histories.add(history)
        return history

    @property
    def is_closed(self) -> bool:
        """Whether it answers no more: it was closed, or opened by the process that this one was forked from."""
        return self._closed or os.getpid() != self._process

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
                    raise unrecordable(self.location, error) from error
                code = partial(fingerprints, secret_digest=self._secret_digest)
                ways = (self._artifacts.describe, self._artifacts.keep, code, self._secret_digest)
                rows = EventRows(journal.name, *ways)
                self._recorder = Recorder(journal, rows)
            return self._recorder

    def runs(self, limit: int | None = None) -> "pd.DataFrame":
        """Return the runs, newest first; `duration` is in seconds, times are UTC."""
        found = super().runs(limit)
        self._say_advice()
        return found

    def run_rows(self, limit: int | None = None) -> list[dict[str, Any]]:
        """Return the same as `runs` as rows, for who shows a few of them and needn't wait for pandas to be loaded."""
        found = super().run_rows(limit)
        self._say_advice()
        return found

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
        if path is None or not path.exists() or (path.stat().st_size < LARGE and not artifacts_folder(path).is_dir()):
            return ""
        try:
            room = room_of(self._store, path, USUAL_KEEP)
        except (HistoryError, OSError):  # it is busy, or was just deleted: no time for advice
            return ""
        if room.taken < LARGE or not room.old:
            return ""
        return (
            f"The history {self.location} takes about {amount(room.taken)}. To keep the latest {USUAL_KEEP} runs of "
            f"each workflow would free about {amount(room.old)}: "
            f"{pruning_lines(self.location, self._schema, USUAL_KEEP)}"
        )

    def settle(self) -> None:
        """Return when all that runs of this process have told so far is on disk, large values included.

        Raises:
            HistoryError: see `check_caller`.
        """
        if self._recorder is not None and not self._closed:
            self._recorder.flush()

    def check_caller(self) -> None:
        """See that the caller may wait for what is recorded here; see `Recorder.check_caller`.

        Raises:
            HistoryError: if it is the code of a value that is being recorded.
        """
        if self._recorder is not None:
            self._recorder.check_caller()

    def close(self) -> None:
        """Merge what is pending and let go of files, threads and locks; idempotent.

        Raises:
            HistoryError: see `check_caller`.
        """
        self.check_caller()
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

    def __repr__(self) -> str:
        return f"<History {self.location}{', closed' if self.is_closed else self._runs_counted()}>"

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
            merging = threading.Thread(target=self._merge, name="cloaca-history-merge", daemon=True)
            try:
                merging.start()
            except RuntimeError:  # the system has no thread left: the next reader merges it
                return
            self._merging = merging

    def _merge(self) -> None:
        try:
            self._store.merge()
        except HistoryError as error:  # the next reader merges it
            logger.warning("The latest runs are only in the journals of %s as yet: %s", self.location, error)

    def _record_light(self) -> None:
        if self._recorder is not None and not self._closed:
            self._recorder.flush_light()  # what is still being written is unknown here as in any other process


_open_histories: set[History] = set()


@atexit.register
def _close_all() -> None:
    for history in list(_open_histories):
        try:
            history.close()
        except KeyboardInterrupt:
            logger.warning("The history %s wasn't written to its end; what was on its way is lost.", history.location)

"""What a recorder could not record, until who waits for it has been told."""

import contextlib
import logging
from typing import Final

from cloaca_nb.errors import HistoryError
from cloaca_nb.history.journal import Deleted
from cloaca_nb.history.rows import News

__all__ = ["Unrecorded"]

logger: Final = logging.getLogger(__name__)


class Unrecorded:
    """Errors by run; for one thread, but for `check` and `first`."""

    def __init__(self) -> None:
        self._errors: dict[str | None, BaseException] = {}  # by run; None: of whichever
        self._deleted: OSError | None = None
        self._logged: set[tuple[type, type]] = set()

    @property
    def first(self) -> BaseException | None:
        """An error that nobody was told of; None if there is none."""
        return next(iter(tuple(self._errors.values())), None)

    def note(self, error: BaseException, news: News | None = None) -> None:
        """Note an error; that of an event is logged as well, with where it happened, but once for each kind.

        Args:
            error: a `HistoryError` if the disk has refused a value, any other if all of an event is lost.
            news: of what; None: of many events.
        """
        run_id = None if news is None else news.run_id
        self._errors[run_id if isinstance(run_id, str) else None] = error
        kind = (type(news), type(error))
        if news is None or isinstance(error, HistoryError) or kind in self._logged:
            return
        self._logged.add(kind)
        with contextlib.suppress(Exception):  # of a handler or filter of the user's
            logger.error("History can't record %s of run %s.", kind[0].__name__, run_id, exc_info=error)

    def note_journal(self, error: Exception | None) -> None:
        """Note why a journal isn't on disk. One that was deleted goes on in a new file: what it held is gone."""
        if isinstance(error, Deleted):
            self._deleted = error

    def check(self, run_id: str | None, of_journal: Exception | None) -> None:
        """See that all of a run was recorded; what is told is forgotten.

        Args:
            run_id: of which run; None: of all.
            of_journal: why the journal isn't on disk now; None if it is.

        Raises:
            HistoryError: if something wasn't.
        """
        for known in tuple(self._errors) if run_id is None else (run_id, None):
            error = self._errors.pop(known, None)
            if isinstance(error, HistoryError):
                raise HistoryError(f"{error} The rest of the run was recorded.") from error
            if error is not None:
                raise HistoryError(f"An event couldn't be recorded: {error!r}. All others were.") from error
        refusal, self._deleted = of_journal or self._deleted, None
        if refusal is not None:
            raise HistoryError(
                f"Not everything could be written to disk: {refusal}. It stays in memory and is tried again; free some "
                "space or make the folder of the history writable."
            ) from refusal

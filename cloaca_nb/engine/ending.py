"""The end of one run: what it came to, whether that is on disk, and who waits for it."""

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Final

from cloaca_nb.core.conflict import Conflict
from cloaca_nb.core.events import RunFinished
from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.lineage import FinalContext, Lineage
from cloaca_nb.core.record import RunRecord
from cloaca_nb.core.status import Outcome, Status
from cloaca_nb.engine.failure import explain

__all__ = ["Ending"]

logger: Final = logging.getLogger("cloaca_nb")


class Ending:
    """The end of one run.

    Args:
        workflow: what is executed.
        record: what there is to know of the run.
        lineage: what its tasks have changed.
        now: gives the time, in seconds since the Unix epoch.
    """

    def __init__(self, workflow: Workflow, record: RunRecord, lineage: Lineage, now: Callable[[], float]) -> None:
        self.over = threading.Event()  # ended, and on disk
        self.final: FinalContext | None = None
        self.history_error: BaseException | None = None
        self.overdue = ""  # what to say of a run whose time was up
        self.conflicts: list[Conflict] = []  # the choices that tasks have read
        self._workflow = workflow
        self._record = record
        self._lineage = lineage
        self._now = now
        self._wake: list[Callable[[], object]] = []

    @contextmanager
    def waking(self, wake: Callable[[], object]) -> Iterator[None]:
        """Have `wake` called when the run is over, for as long as this lasts."""
        self._wake.append(wake)  # no lock, which an interrupt on its way in would leave taken
        try:
            yield
        finally:
            self._wake.remove(wake)

    def announcement(self, status: Status, outcomes: Mapping[str, Outcome]) -> RunFinished:
        """Return what is to be said, given how the tasks ended."""
        run_id = self._record.run_id
        status = Status.FAILED if self.overdue else status
        error = self.overdue or (explain(self._workflow, self._record) if status is Status.FAILED else "")
        try:
            final = self.final = self._lineage.final(outcomes)
        except BaseException as problem:  # a value's own code may raise anything when branches are merged
            logger.critical("The final context of run %s can't be merged.", run_id, exc_info=problem)
            reason = f"The final context can't be merged: {type(problem).__name__}."
            return RunFinished(self._now(), run_id, Status.FAILED, {}, error or reason, _once(self.conflicts))
        conflicts = _once((*self.conflicts, *final.conflicts))
        return RunFinished(self._now(), run_id, status, final.values, error, conflicts)

    def settle(self, settle: Callable[[str], None]) -> None:
        """Wait for history; if it fails the run stands, and its caller is told."""
        try:
            settle(self._record.run_id)
        except Exception as problem:  # noqa: BLE001 - kept for the result
            self.history_error = problem
            logger.warning("History could not keep all of run %s: %s", self._record.run_id, problem)

    def reach(self) -> None:
        """Wake who waits."""
        self.over.set()
        for wake in tuple(self._wake):  # who comes from now on sees that it is over
            with suppress(RuntimeError):  # the loop of who waited is closed
                wake()


def _once(conflicts: Iterable[Conflict]) -> tuple[Conflict, ...]:
    return tuple(dict.fromkeys(conflicts))

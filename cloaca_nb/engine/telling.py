"""What is said of one run: its facts, timed, and with the secrets in them hidden."""

from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Protocol

from cloaca_nb.core.events import (
    AttemptFailed,
    Event,
    Failure,
    OutputWritten,
    ProgressMade,
    RunStarted,
    TaskFinished,
)
from cloaca_nb.core.mask import Mask
from cloaca_nb.core.masking import masked_failure
from cloaca_nb.core.recall import Taken
from cloaca_nb.core.status import Outcome
from cloaca_nb.engine.failure import give_account, read_account, secret_locals

if TYPE_CHECKING:
    from cloaca_nb.core.context import Context
    from cloaca_nb.core.graph import Workflow
    from cloaca_nb.core.task import Task
    from cloaca_nb.engine.failure import Account

__all__ = ["NO_CHANGES", "Telling"]

NO_CHANGES: Final[Mapping[str, Any]] = MappingProxyType({})


class Told(Protocol):
    """An attempt, as far as it is told of."""

    task: "Task"
    number: int
    context: "Context"
    account: "Account | None"  # of its failure, where another process has given one


class Telling:
    """Says what happens in one run, but for the beginning and the end of each attempt, which its execution says.

    Args:
        run_id: of the run.
        tell: takes each fact.
        mask: knows the secrets that are to be hidden, and is told those that tasks set.
        now: gives the time, in seconds since the Unix epoch.
    """

    def __init__(self, run_id: str, tell: Callable[[Event], None], mask: Mask, now: Callable[[], float]) -> None:
        self._tell = tell
        self._now = now
        self._mask = mask
        self._run_id = run_id

    def run_started(
        self,
        workflow: "Workflow",
        kind: str,
        initial: Mapping[str, Any],
        resumed_from: str,
        given: Collection[str],
    ) -> None:
        """Say that the run begins."""
        self._tell(RunStarted(self._now(), self._run_id, workflow, kind, initial, resumed_from, given))

    def printed(self, attempt: Told, stream: str, text: str) -> None:
        """Say what an attempt printed."""
        shown = self.hide(attempt, text)
        self._tell(OutputWritten(self._now(), self._run_id, attempt.task.id, attempt.number, stream, shown))

    def hide(self, attempt: Told, text: str) -> str:
        """Mask the secrets in a text, those included that the attempt has set so far."""
        self._mask.meet(attempt.context.changes.copy())
        return self._mask.text(text)

    def progressed(self, attempt: Told, done: float, total: float | None, message: str) -> None:
        """Say how far an attempt is."""
        self._tell(ProgressMade(self._now(), self._run_id, attempt.task.id, attempt.number, done, total, message))

    def failure_of(self, attempt: Told, error: BaseException) -> Failure:
        """Return what is said of an error; what a body that failed has kept in secret names is hidden in it, too."""
        mask = self._mask
        mask.meet({**attempt.context.changes, **secret_locals(error, mask.keys)})
        failure = read_account(attempt.account or give_account(error))
        return masked_failure(failure, mask) if mask.hides else failure

    def attempt_failed(self, attempt: Told, failure: Failure, retry_in: float | None) -> None:
        """Say that an attempt has failed; `retry_in` is in seconds, None if it was the last."""
        self._tell(AttemptFailed(self._now(), self._run_id, attempt.task.id, attempt.number, failure, retry_in))

    def task_taken(self, task_id: str, taken: Taken) -> None:
        """Say that a task isn't executed, since an earlier run has what it would set."""
        self._mask.meet(taken.changes)
        what = (taken.changes, None, taken.reason, taken.reads, taken.run_id)
        self._tell(TaskFinished(self._now(), self._run_id, task_id, 0, Outcome.COMPLETED, *what))

    def task_left_out(self, task_id: str, attempt: int, outcome: Outcome, reason: str) -> None:
        """Say that a task is over without its body having had its way: it was skipped or cancelled."""
        self._tell(TaskFinished(self._now(), self._run_id, task_id, attempt, outcome, NO_CHANGES, None, reason))

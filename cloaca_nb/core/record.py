"""What the events of one run add up to: the one reading of the stream that panel, terminal and result share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from cloaca_nb.core import events
from cloaca_nb.core.status import Outcome, Status

if TYPE_CHECKING:
    from cloaca_nb.core.graph import Workflow
    from cloaca_nb.core.scope import Conflict

__all__ = ["RunRecord", "TaskRecord"]


@dataclass(slots=True)
class TaskRecord:
    """One task so far. Times are seconds since the Unix epoch."""

    task_id: str
    outcome: Outcome = Outcome.WAITING
    attempts: int = 0
    started: float | None = None  # of the first attempt
    ended: float | None = None
    progress: events.ProgressMade | None = None
    failure: events.Failure | None = None
    reason: str = ""
    lines: int = 0  # of output

    def elapsed(self, now: float) -> float | None:
        """Return the seconds since the first attempt began, up to `now` or the end; None before it began."""
        return None if self.started is None else (self.ended or now) - self.started


@dataclass(slots=True)
class RunRecord:
    """One run so far; `observe` is an `Observer` for the thread that owns this record."""

    run_id: str = ""
    workflow: "Workflow | None" = None
    status: Status = Status.RUNNING
    started: float = 0.0
    ended: float | None = None
    error: str = ""
    tasks: dict[str, TaskRecord] = field(default_factory=dict)
    conflicts: "list[Conflict]" = field(default_factory=list)  # added by the engine, not by an event

    def observe(self, event: events.Event) -> None:
        """Take in one more fact."""
        _TAKE_IN[type(event)](self, event)

    def count(self, outcome: Outcome) -> int:
        """Return how many tasks stand so."""
        return sum(task.outcome is outcome for task in self.tasks.values())

    def elapsed(self, now: float) -> float:
        """Return the seconds since the run began, up to `now` or its end."""
        return (self.ended or now) - self.started


def _run_started(run: RunRecord, event: events.RunStarted) -> None:
    run.run_id, run.workflow, run.started = event.run_id, event.workflow, event.at
    run.tasks = {task_id: TaskRecord(task_id) for task_id in event.workflow.positions}


def _attempt_started(run: RunRecord, event: events.AttemptStarted) -> None:
    task = run.tasks[event.task_id]
    task.outcome = Outcome.RUNNING
    task.attempts = event.attempt
    if task.started is None:
        task.started = event.at


def _output_written(run: RunRecord, event: events.OutputWritten) -> None:
    run.tasks[event.task_id].lines += event.text.count("\n") or 1


def _progress_made(run: RunRecord, event: events.ProgressMade) -> None:
    run.tasks[event.task_id].progress = event


def _attempt_failed(run: RunRecord, event: events.AttemptFailed) -> None:
    task = run.tasks[event.task_id]
    task.outcome, task.failure = Outcome.RETRYING, event.failure


def _task_finished(run: RunRecord, event: events.TaskFinished) -> None:
    task = run.tasks[event.task_id]
    task.outcome = event.outcome
    task.ended = event.at
    task.reason = event.reason
    task.failure = event.failure


def _run_finished(run: RunRecord, event: events.RunFinished) -> None:
    run.status, run.ended, run.error = event.status, event.at, event.error


# A table rather than a `match`, which tries one class after the other: this is done twice for every task.
_TAKE_IN: Final[Mapping[type, Callable[[RunRecord, Any], None]]] = {
    events.RunStarted: _run_started,
    events.AttemptStarted: _attempt_started,
    events.OutputWritten: _output_written,
    events.ProgressMade: _progress_made,
    events.AttemptFailed: _attempt_failed,
    events.TaskFinished: _task_finished,
    events.RunFinished: _run_finished,
}

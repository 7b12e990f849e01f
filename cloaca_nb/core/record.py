"""What the events of one run add up to: the one reading of the stream that panel, terminal and result share."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

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
        match event:
            case events.RunStarted():
                self.run_id, self.workflow, self.started = event.run_id, event.workflow, event.at
                self.tasks = {task.id: TaskRecord(task.id) for task in event.workflow.tasks}
            case events.RunFinished():
                self.status, self.ended, self.error = event.status, event.at, event.error
            case _:
                _observe_task(self.tasks[event.task_id], event)

    def count(self, outcome: Outcome) -> int:
        """Return how many tasks stand so."""
        return sum(task.outcome is outcome for task in self.tasks.values())

    def elapsed(self, now: float) -> float:
        """Return the seconds since the run began, up to `now` or its end."""
        return (self.ended or now) - self.started


def _observe_task(task: TaskRecord, event: events.Event) -> None:
    match event:
        case events.AttemptStarted():
            task.outcome, task.attempts = Outcome.RUNNING, event.attempt
            if task.started is None:
                task.started = event.at
        case events.OutputWritten():
            task.lines += event.text.count("\n") or 1
        case events.ProgressMade():
            task.progress = event
        case events.AttemptFailed():
            task.outcome, task.failure = Outcome.RETRYING, event.failure
        case events.TaskFinished():
            task.outcome, task.ended, task.reason = event.outcome, event.at, event.reason
            task.failure = event.failure

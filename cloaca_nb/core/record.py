"""What the events of one run add up to: the one reading of the stream that panel, terminal and result share."""

import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cloaca_nb.core import events
from cloaca_nb.core.status import Outcome, Status

if TYPE_CHECKING:
    from cloaca_nb.core.conflict import Conflict
    from cloaca_nb.core.graph import Workflow

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
    taken_from: str = ""  # the id of the run that its values are from
    keys: tuple[str, ...] = ()  # that it has set or deleted
    lines: int = 0  # of output

    def elapsed(self, now: float) -> float | None:
        """Return the seconds since the first attempt began, up to `now` or the end; None before it began."""
        return None if self.started is None else max(0.0, (self.ended or now) - self.started)


class RunRecord:
    """One run so far; `observe` is an `Observer`.

    Most runs are looked at a few times a second or never, so what happens twice for every task is only noted down, and
    taken in when somebody looks. It is noted as bare fields, one after the other, because the garbage collector would
    visit every event that is kept, again and again.
    """

    def __init__(self) -> None:
        self.run_id = ""
        self.resumed_from = ""  # the id of the run that this one goes on with
        self.given: Collection[str] = ()  # keys of the initial context that somebody gave
        self.workflow: Workflow | None = None
        self.status = Status.RUNNING
        self.started = 0.0
        self.ended: float | None = None
        self.error = ""
        self.conflicts: tuple[Conflict, ...] = ()  # known when it is over
        self._tasks: dict[str, TaskRecord] = {}
        self._begun: list[Any] = []  # the fields of each AttemptStarted
        self._finished: list[Any] = []  # the fields of each TaskFinished
        self._lock = threading.RLock()

    @property
    def tasks(self) -> Mapping[str, TaskRecord]:
        """Each task so far, by id, in registration order."""
        self._take_in()
        return self._tasks

    def observe(self, event: events.Event) -> None:
        """Take in one more fact."""
        kind = type(event)
        if kind is events.AttemptStarted:
            self._begun.extend(event)  # at one stroke, also for whoever takes in meanwhile
        elif kind is events.TaskFinished:
            self._finished.extend(event)
        elif isinstance(event, events.RunStarted):
            self.run_id, self.workflow, self.started = event.run_id, event.workflow, event.at
            self.resumed_from, self.given = event.resumed_from, event.given
        elif isinstance(event, events.RunFinished):
            self.status, self.ended, self.error = event.status, event.at, event.error
            self.conflicts = event.conflicts
        else:
            with self._lock:
                self._take_in()
                _take_in_of_task(self._tasks[event.task_id], event)

    def count(self, outcome: Outcome) -> int:
        """Return how many tasks stand so."""
        return sum(task.outcome is outcome for task in self.tasks.values())

    def elapsed(self, now: float) -> float:
        """Return the seconds since the run began, up to `now` or its end."""
        return max(0.0, (self.ended or now) - self.started)

    def _take_in(self) -> None:
        with self._lock:
            if not self._tasks and self.workflow is not None:
                self._tasks = {task_id: TaskRecord(task_id) for task_id in self.workflow.positions}
            self._take_in_all(events.AttemptStarted, self._begun)  # each of them came before its task was over
            self._take_in_all(events.TaskFinished, self._finished)

    def _take_in_all(self, kind: type[events.AttemptStarted | events.TaskFinished], noted: list[Any]) -> None:
        size, end = len(kind._fields), len(noted)
        for start in range(0, end, size):
            event = kind(*noted[start : start + size])
            _take_in_of_task(self._tasks[event.task_id], event)
        del noted[:end]  # only now: an interrupt in between has all of them taken in once more, to the same end


def _take_in_of_task(task: TaskRecord, event: events.Event) -> None:
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
            task.failure, task.taken_from = event.failure, event.taken_from
            task.keys = tuple(event.changes)

"""What the events of one run add up to: the one reading of the stream that panel, terminal and result share."""

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

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
    taken_from: str = ""  # the id of the run that its values are from
    keys: tuple[str, ...] = ()  # that it has set or deleted
    lines: int = 0  # of output

    def elapsed(self, now: float) -> float | None:
        """Return the seconds since the first attempt began, up to `now` or the end; None before it began."""
        return None if self.started is None else (self.ended or now) - self.started


class RunRecord:
    """One run so far; `observe` is an `Observer`.

    Most runs are looked at a few times a second or never, so what happens twice for every task is only noted down, and
    taken in when somebody looks.
    """

    def __init__(self) -> None:
        self.run_id = ""
        self.workflow: Workflow | None = None
        self.status = Status.RUNNING
        self.started = 0.0
        self.ended: float | None = None
        self.error = ""
        self.conflicts: list[Conflict] = []  # added by the engine, not by an event
        self._tasks: dict[str, TaskRecord] = {}
        self._noted: deque[events.Event] = deque()
        self._lock = threading.RLock()

    @property
    def tasks(self) -> Mapping[str, TaskRecord]:
        """Each task so far, by id, in registration order."""
        self._take_in()
        return self._tasks

    def observe(self, event: events.Event) -> None:
        """Take in one more fact."""
        kind = type(event)
        if kind in OF_THE_RUN:
            self._take_in_of_run(event)
        self._noted.append(event)
        if kind not in NOTED_ONLY:
            self._take_in()

    def count(self, outcome: Outcome) -> int:
        """Return how many tasks stand so."""
        return sum(task.outcome is outcome for task in self.tasks.values())

    def elapsed(self, now: float) -> float:
        """Return the seconds since the run began, up to `now` or its end."""
        return (self.ended or now) - self.started

    # -- what each kind of event says

    def _take_in_of_run(self, event: events.Event) -> None:
        if isinstance(event, events.RunStarted):
            self.run_id, self.workflow, self.started = event.run_id, event.workflow, event.at
        elif isinstance(event, events.RunFinished):
            self.status, self.ended, self.error = event.status, event.at, event.error

    def _take_in(self) -> None:
        with self._lock:
            while self._noted:
                event = self._noted.popleft()
                if isinstance(event, events.RunStarted):
                    self._tasks = {task_id: TaskRecord(task_id) for task_id in event.workflow.positions}
                elif not isinstance(event, events.RunFinished):
                    _take_in_of_task(self._tasks[event.task_id], event)


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


OF_THE_RUN: Final = frozenset({events.RunStarted, events.RunFinished})
NOTED_ONLY: Final = OF_THE_RUN | {events.AttemptStarted, events.TaskFinished}

"""What a run came to."""

import html
from collections.abc import Callable, Collection, Sequence
from itertools import islice
from typing import Any, Final

from cloaca_nb.core.conflict import Conflict, conflict_lines
from cloaca_nb.core.context import Context
from cloaca_nb.core.duration import duration
from cloaca_nb.core.events import Failure
from cloaca_nb.core.look import counted_states, state_of
from cloaca_nb.core.record import RunRecord, TaskRecord
from cloaca_nb.core.status import Outcome, Status
from cloaca_nb.engine.clock import rfc3339

__all__ = ["TaskError", "WorkflowResult"]

MOST_ROWS: Final = 100  # of tasks that a result shows


class TaskError(str):
    """Why a run failed: a text that also holds the facts.

    Attributes:
        task: the id of the task; empty where the run failed as a whole, because its time was up.
        exception: the name of the exception's type.
        message: its text.
        traceback: the user's own frames, with source lines.
    """

    __slots__ = ("exception", "message", "task", "traceback")

    task: str
    exception: str
    message: str
    traceback: str

    @classmethod
    def of(cls, text: str, task: str, failure: Failure) -> "TaskError":
        """Put it together; for the engine."""
        error = cls(text)
        error.task, error.exception, error.message = task, failure.exception, failure.message
        error.traceback = failure.traceback
        return error


class WorkflowResult:
    """What a run came to: its status, its final context, and how every task fared.

    Args:
        record: what the events of the run add up to.
        final_context: what it ended with.
        frame: makes a table of rows.
        history_error: why history could not keep the run.
    """

    def __init__(
        self,
        record: RunRecord,
        final_context: Context,
        frame: Callable[[list[dict[str, Any]]], Any],
        history_error: BaseException | None = None,
    ) -> None:
        self._record = record
        self._final_context = final_context
        self._frame = frame
        self._history_error = history_error

    @property
    def status(self) -> Status:
        """Completed, Failed or Cancelled; also equal to its lower-case form."""
        return self._record.status

    @property
    def run_id(self) -> str:
        """The run's id in history."""
        return self._record.run_id

    @property
    def workflow(self) -> str:
        """The workflow's name."""
        return self._record.workflow.name if self._record.workflow else ""

    @property
    def given(self) -> frozenset[str]:
        """The keys of its initial context that somebody gave; the other parameters were the workflow's own."""
        return frozenset(self._record.given)

    @property
    def final_context(self) -> Context:
        """The context merged over the last completed tasks; also of a failed run."""
        return self._final_context

    @property
    def error(self) -> TaskError | None:
        """Which task failed, with which exception, where; None unless Failed."""
        record = self._record
        if not record.error:
            return None
        failed = [task for task in record.tasks.values() if task.outcome is Outcome.FAILED and task.failure]
        first = min(failed, key=lambda task: task.ended or 0.0, default=None)
        if first is None or first.failure is None:  # the run as a whole: its time was up
            return TaskError.of(record.error, "", Failure("", record.error, "", ""))
        return TaskError.of(record.error, first.task_id, first.failure)

    @property
    def error_message(self) -> str | None:
        """The text of `error`; None unless Failed."""
        return self._record.error or None

    @property
    def history_error(self) -> BaseException | None:
        """Why history could not keep this run; None if it did."""
        return self._history_error

    @property
    def start_time(self) -> str:
        """When the run began, in UTC (RFC 3339)."""
        return rfc3339(self._record.started)

    @property
    def end_time(self) -> str:
        """When the run ended, in UTC (RFC 3339)."""
        return rfc3339(self._record.ended or self._record.started)

    @property
    def duration(self) -> float:
        """From start to end, in seconds."""
        return self._record.elapsed(0.0)

    @property
    def conflicts(self) -> Sequence[Conflict]:
        """The keys that two branches changed differently and that a later task, or the final context, chose from."""
        return self._record.conflicts

    @property
    def tasks(self) -> Any:
        """A pandas frame with a row per task: task_id, outcome, attempts, duration in seconds, reason, error."""
        return self._frame(list(map(_facts, self._record.tasks.values())))

    def set_by(self, task_id: str) -> tuple[str, ...]:
        """Return the keys that a task has set or deleted."""
        return self._record.tasks[task_id].keys

    def __repr__(self) -> str:
        return f"WorkflowResult(status={self.status}, error={self.error_message})"

    def _repr_html_(self) -> str:
        error = _line(self.error_message, "#dd474c") if self.error_message else ""
        conflicts = "".join(_line(f"! {one}", "#b7760f") for one in conflict_lines(self.conflicts))
        summary = f"{self.workflow}: {self.status} in {duration(self.duration)}"
        final = f"<div>{self.final_context._repr_html_()}</div>"
        tasks = _folded(self._record.tasks.values())
        return f"<div><strong>{html.escape(summary)}</strong>{error}{conflicts}{tasks}{final}</div>"


def _facts(task: TaskRecord) -> dict[str, Any]:
    return {
        "task_id": task.task_id,
        "outcome": str(task.outcome),
        "attempts": task.attempts,
        "duration": task.elapsed(0.0) if task.ended else None,
        "reason": task.reason,
        "error": f"{task.failure.exception}: {task.failure.message}" if task.failure else "",
    }


def _folded(tasks: Collection[TaskRecord]) -> str:
    """Return how many tasks ended how, and below it, folded away, how each of the first ones did."""
    rest = f"<em>and {len(tasks) - MOST_ROWS:,} more, all of them in its .tasks</em>" if len(tasks) > MOST_ROWS else ""
    table = f"<table>{''.join(map(_row, islice(tasks, MOST_ROWS)))}</table>"
    return f'<details><summary style="cursor:pointer">{counted_states(tasks)}</summary>{table}{rest}</details>'


def _row(task: TaskRecord) -> str:
    facts = _facts(task)
    took = "" if facts["duration"] is None else duration(facts["duration"])
    cells = (task.task_id, state_of(task), took, facts["error"] or task.reason)
    shown = (f'<td style="text-align:left">{html.escape(cell)}</td>' for cell in cells)
    return f"<tr>{''.join(shown)}</tr>"


def _line(text: str, color: str) -> str:
    return f'<div style="color:{color};overflow-wrap:anywhere">{html.escape(text)}</div>'

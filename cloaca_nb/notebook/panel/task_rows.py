"""The tasks of a run as the panel's page gets them: short tuples, the changed ones when there are many."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

from cloaca_nb.core.look import state_of
from cloaca_nb.core.record import RunRecord, TaskRecord
from cloaca_nb.core.status import Outcome
from cloaca_nb.notebook.drawing.table import note_of

if TYPE_CHECKING:
    from cloaca_nb.core.graph import Workflow

__all__ = ["TaskRow", "TaskRows"]

_MOST_NOTE = 300  # characters: a line of a list; the chosen task's is shown whole

# Number, state, started, ended, attempts, share done from 0 to 1, note. Times are seconds since the run began.
TaskRow: TypeAlias = tuple[int, str, float | None, float | None, int, float | None, str]


class TaskRows:
    """One row for each task. Rows are replaced, never changed: any thread may read them."""

    def __init__(self, workflow: "Workflow") -> None:
        self.numbers = {task.id: number for number, task in enumerate(workflow.tasks)}
        self.ids = tuple(self.numbers)
        self._rows = [_row(number, TaskRecord(task_id), 0.0) for task_id, number in self.numbers.items()]

    def renew(self, task_ids: set[str], record: RunRecord) -> None:
        """Make the rows of some tasks anew."""
        tasks = record.tasks
        for task_id in task_ids:
            number = self.numbers[task_id]
            self._rows[number] = _row(number, tasks[task_id], record.started)

    def all(self) -> Sequence[TaskRow]:
        """Return every row, by number."""
        return list(self._rows)

    def of(self, task_ids: set[str]) -> Sequence[TaskRow]:
        """Return the rows of some tasks."""
        return [self._rows[self.numbers[task_id]] for task_id in task_ids]


def _row(number: int, task: TaskRecord, begin: float) -> TaskRow:
    return (
        number,
        state_of(task),
        None if task.started is None else round(task.started - begin, 3),
        None if task.ended is None else round(task.ended - begin, 3),
        task.attempts,
        _share(task),
        note_of(task)[:_MOST_NOTE],
    )


def _share(task: TaskRecord) -> float | None:
    """Return how much of a running task is done, from 0 to 1, if it has said so."""
    said = task.progress
    if said is None or not said.total or task.outcome is not Outcome.RUNNING:
        return None
    return round(min(max(said.done / said.total, 0.0), 1.0), 3)

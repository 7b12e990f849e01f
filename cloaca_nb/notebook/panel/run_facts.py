"""What the page is told of one run: folded from its events; whole for a page that knows nothing, else what is new."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from cloaca_nb.core import events
from cloaca_nb.core.conflict import conflict_lines
from cloaca_nb.core.look import LOOKS
from cloaca_nb.core.record import RunRecord
from cloaca_nb.core.status import Status
from cloaca_nb.notebook.drawing.layout import Layout, lay_out, shorten
from cloaca_nb.notebook.drawing.table import blamed, going_html, going_text, note_of, run_html, run_text
from cloaca_nb.notebook.panel.task_logs import TaskLogs
from cloaca_nb.notebook.panel.task_rows import TaskRow, TaskRows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cloaca_nb.core.graph import Workflow

__all__ = ["RunFacts"]

_MOST_FULL = 300  # up to so many tasks every message holds all of them; of more, the changed ones


class RunFacts:
    """One run as it is told; not safe for threads.

    Args:
        workflow: what is run.

    Attributes:
        unseen: how many lines the tasks have written since `count_unseen`.
    """

    def __init__(self, workflow: "Workflow") -> None:
        self.workflow = workflow
        self.unseen = 0
        self._counts_unseen = False
        self.record = RunRecord()
        self._layout = lay_out(workflow)
        self._rows = TaskRows(workflow)
        self._logs = TaskLogs(len(workflow.tasks))
        self._chosen = self._told_chosen = ""  # the id of the task that is looked at
        self._told_lines = 0  # of its log

    def fold(self, happened: Iterable[events.Event]) -> set[str]:
        """Take in events and return the ids of the tasks that they are about, with "" for the run itself."""
        changed: set[str] = set()
        for event in happened:
            self.record.observe(event)
            if isinstance(event, events.OutputWritten):
                self._logs.observe(event)
                self.unseen += self._counts_unseen * len(event.text.splitlines())
            changed.add(getattr(event, "task_id", ""))
        self._rows.renew(changed - {""}, self.record)
        return changed

    def count_unseen(self) -> None:
        """Count from now on what the tasks write."""
        self._counts_unseen = True

    @property
    def has_many(self) -> bool:
        """Whether there are more tasks than can be drawn with their names."""
        return self._layout.compact

    # --- the run ---

    def graph(self) -> dict[str, Any]:
        """Return what there is to draw."""
        layout = self._layout
        return {
            "name": self.workflow.name,
            "looks": {
                state: {"mark": look.mark, "disc": look.disc, "sign": look.sign} for state, look in LOOKS.items()
            },
            **_drawing(layout),
        }

    def state(self, now: float, changed: "set[str] | None" = None) -> dict[str, Any]:
        """Return how the run stands; times are seconds since it began, so clocks need not agree.

        Args:
            now: seconds since the epoch.
            changed: the tasks that are told, where there are many; None: all of them.
        """
        all_of_them = changed is None or len(self._rows.ids) <= _MOST_FULL
        rows: Sequence[TaskRow] = self._rows.all() if all_of_them else self._rows.of((changed or set()) - {""})
        record = self.record
        return {
            "now": round(record.elapsed(now), 3) if record.started else 0.0,
            "run": record.run_id,
            "status": record.status.value,
            "ended": record.ended is not None,
            "error": record.error,
            "conflicts": conflict_lines(record.conflicts),
            "unseen": self.unseen,
            "rows": rows,
        }

    def usual(self, seconds: "Mapping[str, float]") -> dict[str, float]:
        """Return how long tasks usually take, by their numbers, given it by their ids."""
        numbers = self._rows.numbers
        return {str(numbers[task_id]): round(usual, 3) for task_id, usual in seconds.items() if task_id in numbers}

    def still(self, now: float, key: str) -> dict[str, str]:
        """Return what is kept in the notebook, by MIME type; `key` is the panel's that stands over it."""
        if self.record.ended is None:
            return {"text/html": going_html(self.record, key=key), "text/plain": going_text(self.record)}
        return {
            "text/html": run_html(self.record, self._layout, now, key=key),
            "text/plain": run_text(self.record, now),
        }

    # --- the task that is looked at ---

    def task_id(self, number: int) -> str:
        """Return the id of a task, given its number."""
        return self._rows.ids[number]

    def choose(self, number: int | None) -> None:
        """Look at another task, or at none."""
        self._chosen = "" if number is None else self.task_id(number)

    def choose_blamed(self) -> None:
        """Look at the task that a failed run blames, unless another is looked at."""
        blame = blamed(self.record) if self.record.status is Status.FAILED else None
        self._chosen = self._chosen or (blame.task_id if blame else "")

    def news_of_chosen(self, changed: set[str]) -> dict[str, Any] | None:
        """Return what the page doesn't know yet of the task that is looked at; None if there is nothing."""
        if self._chosen == self._told_chosen and self._chosen not in changed - {""}:
            return None
        known = self._told_lines if self._chosen == self._told_chosen else 0
        self._told_chosen, self._told_lines = self._chosen, self._logs.count(self._chosen)
        return self.about_chosen(known)

    def about_chosen(self, known: int = 0) -> dict[str, Any]:
        """Return the task that is looked at, with the lines of its log from number `known` on."""
        if not self._chosen:
            return {}
        task = self.record.tasks.get(self._chosen)
        failure = task.failure if task else None
        first, lines = self._logs.since(self._chosen, known)
        return {
            "task": self._rows.numbers[self._chosen],
            "note": note_of(task) if task else "",
            "where": failure.where if failure else "",
            "traceback": failure.traceback if failure else "",
            "sets": task.keys if task else (),
            "known": known,
            "first": first,
            "lines": lines,
        }


def _drawing(layout: Layout) -> dict[str, Any]:
    return {
        "width": layout.width,
        "height": layout.height,
        "compact": layout.compact,
        "slim": layout.slim,
        "tasks": [{"id": task_id, "label": shorten(task_id), "box": box} for task_id, box in layout.boxes.items()],
        "edges": [edge._asdict() for edge in layout.edges],
    }

"""The live panel of one run: one widget, and one thread that folds the run's events and publishes what they add up to.

Whoever says an event only queues it. The publisher thread alone owns the record and writes the widget: at most ten
messages a second, whatever the run does, and always a last one. Traits go from the kernel to the page only; the page
sends nothing but the wish to cancel. When the panel is closed, a static picture and table take the widget's place.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextvars import copy_context
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias
from uuid import uuid4

import anywidget
import traitlets
from IPython.display import display, update_display

from cloaca_nb.core.record import RunRecord, TaskRecord
from cloaca_nb.core.status import Outcome
from cloaca_nb.notebook.layout import Layout, lay_out, shorten
from cloaca_nb.notebook.look import LOOKS, state_of
from cloaca_nb.notebook.table import note_of, run_html, run_text

if TYPE_CHECKING:
    from cloaca_nb.core.events import Event
    from cloaca_nb.core.graph import Workflow

__all__ = ["Panel"]

_MOST_FULL = 300  # up to so many tasks every message holds all of them; of more, the changed ones

_Row: TypeAlias = tuple[int, str, float | None, float | None, int, float | None, str]


class Panel:
    """Shows a run while it goes on: an observer of its events.

    Args:
        workflow: what is run.
        on_cancel: called when the user clicks Cancel, from a thread of the kernel's; None: no such button.
        clock: seconds since the epoch.
        interval: seconds between two updates.
    """

    def __init__(
        self,
        workflow: "Workflow",
        *,
        on_cancel: Callable[[], None] | None = None,
        clock: Callable[[], float] = time.time,
        interval: float = 0.1,
    ) -> None:
        self._workflow = workflow
        self._on_cancel = on_cancel
        self._clock = clock
        self._interval = interval
        self._layout = lay_out(workflow)
        self._record = RunRecord()
        self._events: deque[Event] = deque()
        self._rows = _Rows(workflow)
        self._cancelling = self._told = False
        self._closing = threading.Event()
        self._display_id = uuid4().hex
        self._shown: _Shown | None = None

    def __call__(self, event: "Event") -> None:
        """Queue an event: cheap, from any thread."""
        self._events.append(event)

    def show(self) -> None:
        """Display the widget in the cell that runs now, and keep it up to date."""
        widget = _Widget(lambda: self._state(self._rows.all()), graph=self._graph())
        _answer_where_asked(widget)
        widget.on_msg(self._receive)
        display(widget, display_id=self._display_id)  # type: ignore[no-untyped-call]  # IPython's
        self._shown = _Shown(widget, self._publish)

    def close(self) -> None:
        """Publish the last state, put the static picture and table in the widget's place, and end. May be repeated."""
        shown, self._shown = self._shown, None
        if shown is None:
            return
        self._closing.set()
        shown.thread.join()
        shown.context.run(self._leave, shown.widget)

    def _leave(self, widget: "_Widget") -> None:
        """Replace the display: a saved output with a widget in it would say "model not found" when it is reopened."""
        now = self._clock()
        still = {"text/html": run_html(self._record, self._layout, now), "text/plain": run_text(self._record, now)}
        update_display(still, raw=True, display_id=self._display_id)  # type: ignore[no-untyped-call]  # IPython's
        widget.close()

    def _receive(self, _: Any, content: Mapping[str, Any], __: Any) -> None:
        """Take a message from the page, on one of the kernel's threads."""
        if content.get("type") == "cancel" and self._on_cancel:
            self._cancelling = True
            self._on_cancel()

    # --- the publisher thread ---

    def _publish(self, widget: "_Widget") -> None:
        while not self._closing.wait(self._interval):
            self._update(widget)
        self._update(widget)

    def _update(self, widget: "_Widget") -> None:
        """Send what has changed since the last time, if anything has."""
        changed = self._fold()
        if changed or self._told is not self._cancelling:
            self._told = self._cancelling
            all_of_them = len(self._layout.boxes) <= _MOST_FULL
            widget.state = self._state(self._rows.all() if all_of_them else self._rows.of(changed))

    def _fold(self) -> set[str]:
        """Take in the queued events and return the ids of the tasks that they are about, or "" for the run itself."""
        changed: set[str] = set()
        for _ in range(len(self._events)):
            event = self._events.popleft()
            self._record.observe(event)
            changed.add(getattr(event, "task_id", ""))
        self._rows.renew(changed, self._record)
        return changed

    def _state(self, rows: Sequence[_Row]) -> dict[str, Any]:
        """Return what the page draws; times are seconds since the run began, so clocks need not agree."""
        record = self._record
        return {
            "now": round(record.elapsed(self._clock()), 3) if record.started else 0.0,
            "status": record.status.value,
            "ended": record.ended is not None,
            "error": record.error,
            "cancelling": self._cancelling,
            "rows": rows,
        }

    def _graph(self) -> dict[str, Any]:
        """Return what the page needs once."""
        return {
            "key": self._display_id,
            "name": self._workflow.name,
            "cancel": self._on_cancel is not None,
            "looks": {
                state: {"mark": look.mark, "disc": look.disc, "sign": look.sign} for state, look in LOOKS.items()
            },
            **_drawing(self._layout),
        }


class _Rows:
    """The tasks as the page gets them. Rows are replaced, never changed: any thread may read them."""

    def __init__(self, workflow: "Workflow") -> None:
        self._numbers = {task.id: number for number, task in enumerate(workflow.tasks)}
        self._rows = [_row(number, TaskRecord(task_id), 0.0) for task_id, number in self._numbers.items()]

    def renew(self, task_ids: set[str], record: RunRecord) -> None:
        for task_id in task_ids - {""}:
            number = self._numbers[task_id]
            self._rows[number] = _row(number, record.tasks[task_id], record.started)

    def all(self) -> Sequence[_Row]:
        return list(self._rows)

    def of(self, task_ids: set[str]) -> Sequence[_Row]:
        return [self._rows[self._numbers[task_id]] for task_id in task_ids - {""}]


def _row(number: int, task: TaskRecord, begin: float) -> _Row:
    """Return one task as the page gets it: number, state, started, ended, attempts, share done, note."""
    return (
        number,
        state_of(task),
        None if task.started is None else round(task.started - begin, 3),
        None if task.ended is None else round(task.ended - begin, 3),
        task.attempts,
        _share(task),
        note_of(task),
    )


def _share(task: TaskRecord) -> float | None:
    """Return how much of a running task is done, from 0 to 1, if it has said so."""
    said = task.progress
    if said is None or not said.total or task.outcome is not Outcome.RUNNING:
        return None
    return round(min(max(said.done / said.total, 0.0), 1.0), 3)


def _drawing(layout: Layout) -> dict[str, Any]:
    return {
        "width": layout.width,
        "height": layout.height,
        "compact": layout.compact,
        "slim": layout.slim,
        "tasks": [{"id": task_id, "label": shorten(task_id), "box": box} for task_id, box in layout.boxes.items()],
        "edges": [edge._asdict() for edge in layout.edges],
    }


class _Shown:
    """A widget on display and the thread that publishes on it, in the context of the cell that it was shown in."""

    def __init__(self, widget: "_Widget", publish: Callable[["_Widget"], None]) -> None:
        self.widget = widget
        self.context = copy_context()
        self.thread = threading.Thread(
            target=self.context.run, args=(publish, widget), name="cloaca-panel", daemon=True
        )
        self.thread.start()


class _Widget(anywidget.AnyWidget):
    """The page's side. `graph` is sent once; `state` as often as it changes."""

    _esm = Path(__file__).with_name("panel.js")
    _css = Path(__file__).with_name("panel.css")
    graph = traitlets.Dict().tag(sync=True)
    state = traitlets.Dict().tag(sync=True)

    def __init__(self, whole: Callable[[], dict[str, Any]], **traits: Any) -> None:
        self._whole = whole
        super().__init__(**traits)

    def get_state(self, key: Any = None, drop_defaults: bool = False) -> dict[str, Any]:  # noqa: FBT001, FBT002 - ipywidgets' signature
        """Return the traits. A page that asks for all of them, at the start or after a reload, gets every task."""
        state: dict[str, Any] = super().get_state(key, drop_defaults)
        return state | {"state": self._whole()} if key is None else state


def _answer_where_asked(widget: _Widget) -> None:
    """Have clicks handled on the subshell that they come from.

    ipykernel 7.4 sends a comm's messages to the shell that last published on it: here the one that the run blocks.
    """
    if hasattr(widget.comm, "_reply_subshell_for"):
        widget.comm._reply_subshell_for = lambda _, default: default  # noqa: SLF001 - no public way

"""The runs that the cells of a notebook have started: before everybody's eyes, or in the background."""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from contextvars import copy_context
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Final
from uuid import uuid4

from IPython.display import display, update_display

from cloaca_nb.core.duration import duration
from cloaca_nb.core.events import Event, RunStarted
from cloaca_nb.core.look import look_of
from cloaca_nb.core.run_id import is_meant, short
from cloaca_nb.core.status import Status
from cloaca_nb.engine.clock import now
from cloaca_nb.engine.result import WorkflowResult
from cloaca_nb.engine.run import Run
from cloaca_nb.errors import HistoryError, near_miss
from cloaca_nb.notebook.answer import Answer
from cloaca_nb.notebook.failure import hide_our_frames
from cloaca_nb.notebook.shown import Shown, Start

__all__ = ["Notice", "Runs", "told"]

TICK: Final = 0.2  # seconds
PATIENCE: Final = 5.0  # seconds that the end of the session waits for last words


class Runs:
    """The runs that go on.

    Attributes:
        noticed: the run on which the cell that is executed shows a notice that follows it, if it does.
    """

    def __init__(self) -> None:
        self.noticed: Run | None = None
        self._background: list[tuple[Run, threading.Thread]] = []
        self._lock = threading.Lock()

    def watch(self, shown: Shown, start: Start, wait: Callable[[Run], object] | None = None) -> Run:
        """Start a run and block until it is over.

        Args:
            shown: shows it.
            start: starts it.
            wait: blocks until a run is over; None: as waiting goes, on a thread that does nothing else.

        Raises:
            KeyboardInterrupt: on an interrupt, after the run was recorded as Cancelled.
        """
        run = shown.start(start)
        try:
            (wait or _wait_for)(run)
        except KeyboardInterrupt as error:
            run.cancel()
            error.add_note(f"The run of {run.workflow.name!r} was cancelled; %cloaca_history has what it had finished.")
            hide_our_frames(error)
            raise
        finally:
            shown.end(run)
        return run

    def send(
        self, shown: Shown, start: Start, notice: "Notice | None", finished: Callable[[WorkflowResult], None]
    ) -> Run:
        """Start a run and return at once.

        Args:
            shown: shows it.
            start: starts it.
            notice: says that it goes on, and in the end what it came to; None: what shows it does.
            finished: called with the result, by the thread that waits for it.
        """
        run = shown.start(start if notice is None else lambda observers: start([*observers, notice]))
        if notice is not None:
            notice.run = run
            self.noticed = run if notice.follows else None

        def follow() -> None:
            result = run.wait()
            finished(result)
            try:
                shown.end(run)
            finally:
                if notice is not None:
                    notice.end(run)

        # The context of the cell: what is displayed from here lands below it.
        waiting = threading.Thread(
            target=copy_context().run, args=(follow,), name=f"cloaca-background-{run.run_id}", daemon=True
        )
        with self._lock:
            self._background = [(one, thread) for one, thread in self._background if thread.is_alive()]
            self._background.append((run, waiting))
        waiting.start()
        return run

    def going_on(self) -> list[Run]:
        """Return the background runs that go on, the oldest first."""
        with self._lock:
            return [run for run, _ in self._background if not run.is_over]

    def cancel(self, run_id: str | None = None, *, every: bool = False) -> list[Run]:
        """Cancel background runs, and return them once they are recorded as Cancelled.

        Args:
            run_id: of one of them, or its short name; None: the only one.
            every: all of them.

        Raises:
            HistoryError: if none is meant, or several could be.
        """
        going_on = self.going_on()
        chosen = going_on if every else _chosen(going_on, run_id)
        for run in chosen:
            run.cancel()
        return chosen

    def close(self) -> None:
        """Wait a moment for the last words of runs that end with the session."""
        with self._lock:
            threads = [thread for _, thread in self._background]
        for thread in threads:
            thread.join(PATIENCE)


class Notice:
    """One quiet line on a background run: below its cell, which it is changed in when the run is over.

    Args:
        board: where the line is put instead at the end, if what was displayed can't be changed.
        remark: returns what else is to be said at the end, as a sentence; an empty one is left out.

    Attributes:
        run: what it is about, once that has begun.
        follows: whether what is displayed is changed when the run is over.
    """

    def __init__(self, board: deque[str] | None = None, remark: Callable[[], str] = str) -> None:
        self.run: Run | None = None
        self._board = board
        self._remark = cache(remark)
        self.follows = board is None
        self._display_id = uuid4().hex

    def __call__(self, event: Event) -> None:
        """Say that the run goes on, above all that its tasks print: an observer of its events."""
        if isinstance(event, RunStarted):
            going = _going(event.workflow.name, event.run_id, event.at)
            display(going, raw=True, display_id=self._display_id)  # type: ignore[no-untyped-call]  # IPython's

    def end(self, run: Run) -> None:
        """Say what the run came to."""
        if self._board is not None:
            self._board.append(str(self._told(run)))
            return
        told_now = self._told(run)
        update_display(told_now, display_id=self._display_id)  # type: ignore[no-untyped-call]  # IPython's

    def line(self, unseen: int) -> dict[str, str]:
        """Return how the run stands, for a page that has lost what was displayed: it was loaded again.

        Args:
            unseen: how many lines its tasks have printed that this page couldn't show below the cell.
        """
        run = self.run
        if run is None:
            return {}
        if run.is_over:
            return self._told(run, unseen)._repr_mimebundle_()
        return _going(run.workflow.name, run.run_id, run.record.started)

    def _told(self, run: Run, unseen: int = 0) -> Answer:
        line, remark = told(run), self._remark()
        printed = f"{unseen:,} line{'s' if unseen != 1 else ''} printed after a reload of the page:"
        elsewhere = ((printed, f"%cloaca_logs --run {short(run.run_id)}"),) if unseen else ()
        return replace(line, parts=(*line.parts, *elsewhere), notes=(*line.notes, *([remark] if remark else [])))


def told(run: Run) -> Answer:
    """Say how a run stands, in a line."""
    title = f"{look_of(run.status).mark} {run.workflow.name}"
    return Answer(title, tuple(_facts(run)), (run.record.error,) if run.record.error else ())


def _facts(run: Run) -> Iterator[tuple[str, str]]:
    yield "run", short(run.run_id)
    if not run.is_over:
        yield "began", _clock(run.record.started)  # stays true below a cell
        return
    yield (
        f"{run.status.lower()} {'in' if run.status is Status.COMPLETED else 'after'}",
        duration(run.record.elapsed(now())),
    )
    if run.status is not Status.COMPLETED:
        failed = next((task.task_id for task in run.tasks.values() if task.failure), "")
        yield "see", " ".join(filter(None, ("%cloaca_logs", failed, "--run", short(run.run_id))))


def _going(workflow: str, run_id: str, started: float) -> dict[str, str]:
    """Say what stays true below a cell, where nobody may be left to change it; marked, so that a page finds it."""
    parts = (
        ("run", short(run_id)),
        ("began", _clock(started)),
        ("in the background; to end it:", "%cloaca_cancel"),
        ("how it stands:", f"%cloaca_history {short(run_id)}"),
    )
    bundle = Answer(f"{look_of(Status.RUNNING).mark} {workflow}", parts)._repr_mimebundle_()
    return bundle | {"text/html": f'<div data-cloaca-going="{run_id}">{bundle["text/html"]}</div>'}


def _clock(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment, UTC).astimezone():%H:%M:%S}"


def _chosen(going_on: list[Run], run_id: str | None) -> list[Run]:
    there = ", ".join(f"{short(run.run_id)} ({run.workflow.name})" for run in going_on)
    if not going_on:
        raise HistoryError("No background run goes on: %cloaca_run --background starts one.")
    found = [run for run in going_on if run_id is None or is_meant(run.run_id, run_id)]
    if len(found) == 1:
        return found
    if found:
        raise HistoryError(f"Which run? {there}. Name one of them, or use %cloaca_cancel --all.")
    known = [short(run.run_id) for run in going_on]
    raise HistoryError(f"No run {run_id!r} goes on here.{near_miss(run_id or '', known)} Going on: {there}.")


def _wait_for(run: Run) -> None:
    """Block until a run is over: in short waits, as an interrupt just before a wait is noticed only after it."""
    while not run.is_over:
        with suppress(TimeoutError):
            run.wait(TICK)

"""What tasks print, shown where the process prints: of each task as much as a person reads, and a word on the rest."""

import io
import threading
from collections.abc import Callable
from contextvars import copy_context
from typing import Final, TextIO

from cloaca_nb.core.events import AttemptStarted, Event, OutputWritten, RunFinished, RunStarted, TaskFinished
from cloaca_nb.engine.output import real_stream, screen

__all__ = ["Echo"]

# About a thousand lines: more than anybody reads of one task below a cell, and a fifteenth of what a Jupyter server
# passes on in a second before it drops whatever comes, the cell's own output included (1 MB/s, in windows of 3 s).
PER_TASK: Final = 64_000
PER_RUN: Final = 4 * PER_TASK
MOST_TOLD: Final = 3  # tasks of a run that are spoken of one by one
UNITS: Final = ((1e6, "MB"), (1e3, "kB"))


def _in_history(task_id: str, run_id: str) -> str:
    return f"runner.history().logs({task_id!r}, run={run_id!r})"


class Echo:
    """Shows what tasks print, whole lines, while they run; its `observe` is an `Observer`.

    Below a cell and on a terminal each task has a budget, and so has the whole run. What goes beyond is held back. One
    line on stderr says how much, and where the whole is: when the task is over, for the first tasks, and when the run
    is, for all others together. Into a file or a pipe everything goes: a program reads that.

    Args:
        per_task: characters of each task that are shown, over all its attempts and both its streams.
        per_run: characters of each run that are shown.
        where: says where the whole is, given a task's id and the run's.
    """

    def __init__(
        self, per_task: int = PER_TASK, per_run: int = PER_RUN, where: Callable[[str, str], str] = _in_history
    ) -> None:
        self._per_task = per_task
        self._per_run = per_run
        self._where = where
        self._runs: dict[str, _Shown] = {}
        self._lock = threading.RLock()  # a `__del__` may print in the middle of it

    def observe(self, event: Event) -> None:
        """Take in one more fact, from any thread: an `Observer`."""
        if type(event) is AttemptStarted:  # what comes twice for every task is out of the way first
            return
        if isinstance(event, TaskFinished):
            shown = self._runs.get(event.run_id)
            if shown is not None and shown.tasks:
                self._end_task(shown, event)
        elif isinstance(event, OutputWritten):
            self._show(event)
        elif isinstance(event, RunStarted):
            self._runs[event.run_id] = _Shown()
        elif isinstance(event, RunFinished):
            self._end_run(event.run_id)

    def _show(self, event: OutputWritten) -> None:
        with self._lock:
            shown = self._runs.setdefault(event.run_id, _Shown())
        stream = screen(event.stream, shown.began.get(event.stream))
        if stream is None:  # there is none, as under pythonw; or it is a display, which is shown by other means
            return
        text = self._take(shown, event) if _is_for_people(stream) else event.text
        if text:
            _write(stream, text)

    def _take(self, shown: "_Shown", event: OutputWritten) -> str:
        """Return what of a text is within the budgets of its task and run."""
        with self._lock:
            spent = shown.tasks.get(event.task_id)
            if spent is None:
                spent = shown.tasks[event.task_id] = _Spent()
            text = spent.take(event.text, self._per_task - spent.shown, self._per_run - shown.total)
            shown.total += len(text)
            return text

    def _end_task(self, shown: "_Shown", event: TaskFinished) -> None:
        """Say what was held back of a task that is over, or remember it for the end of the run."""
        with self._lock:
            spent = shown.tasks.pop(event.task_id, None)
            if spent is None or not spent.held:
                return
            if len(shown.told) == MOST_TOLD:
                shown.rest.append((event.task_id, spent))
                return
            shown.told.append(event.task_id)
        self._tell(shown, spent, f"Task {event.task_id!r} printed", [spent], event.task_id, event.run_id)

    def _end_run(self, run_id: str) -> None:
        """Say what else was held back of a run that is over."""
        with self._lock:
            shown = self._runs.pop(run_id, None)
        if shown is not None and shown.rest:
            task_id, first = shown.rest[0]
            who = f"{len(shown.rest):,} other task{'s' if len(shown.rest) > 1 else ''} printed"
            self._tell(shown, first, who, [spent for _, spent in shown.rest], task_id, run_id)

    def _tell(
        self, shown: "_Shown", first: "_Spent", who: str, every: "list[_Spent]", task_id: str, run_id: str
    ) -> None:
        stream = screen("stderr", shown.began.get("stderr"))
        if stream is not None:
            size, lines = _size(sum(one.held for one in every)), _lines(sum(one.lines for one in every))
            line = f"{who} {size} more, in {lines} that are not shown here. The whole is in history: "
            first.variables.run(_write, stream, f"{line}{self._where(task_id, run_id)}\n")


class _Shown:
    """What was shown of one run."""

    def __init__(self) -> None:
        self.began = {name: real_stream(name) for name in ("stdout", "stderr")}
        self.total = 0
        self.tasks: dict[str, _Spent] = {}  # those that run and have printed
        self.told: list[str] = []
        self.rest: list[tuple[str, _Spent]] = []


class _Spent:
    """What was shown of one task, and held back."""

    __slots__ = ("held", "lines", "shown", "variables")

    def __init__(self) -> None:
        self.shown = 0
        self.held = 0
        self.lines = 0
        self.variables = copy_context()  # a kernel finds by them the cell that it belongs to

    def take(self, text: str, own: int, of_run: int) -> str:
        """Return the beginning of `text` that may be shown: whole lines, unless one alone is too long for a task.

        Args:
            text: what was printed.
            own: what the task has left, in characters.
            of_run: what its run has left.
        """
        room = 0 if self.held else max(0, min(own, of_run))
        if len(text) <= room:
            self.shown += len(text)
            return text
        cut = text.rfind("\n", 0, room) + 1 or (0 if self.shown or of_run < own else room)
        self.shown += cut
        self.held += len(text) - cut
        self.lines += text.count("\n", cut) + (not text.endswith("\n"))
        shown = text[:cut]
        return shown if shown.endswith("\n") or not shown else f"{shown}\n"


def _is_for_people(stream: TextIO) -> bool:
    """Say whether a stream is a screen's: a kernel's or a terminal's, not a file's or a pipe's."""
    return not isinstance(stream, io.TextIOWrapper) or stream.isatty()


def _write(stream: TextIO, text: str) -> None:
    try:
        stream.write(text)
    except UnicodeEncodeError:  # what the screen can't show is spelled; history has it as it is
        encoding = stream.encoding or "ascii"
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
    # The rest of a line: a kernel sends it with what comes in the next 0.2 s, and would send a message for each flush.
    if not text.endswith("\n") and isinstance(stream, io.TextIOWrapper):
        stream.flush()


def _size(count: int) -> str:
    """Return a number of characters as people say it.

    >>> _size(2_340_000), _size(1_500), _size(12)
    ('2.3 MB', '1.5 kB', '12 characters')
    """
    for unit, name in UNITS:
        if count >= unit:
            return f"{count / unit:,.1f} {name}"
    return f"{count} characters"


def _lines(count: int) -> str:
    return f"{count:,} line{'s' if count != 1 else ''}"

"""A run while it goes on: live lines where a terminal can be repainted, one line per fact where it can't."""

import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Final, Self, TextIO

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from cloaca_nb.core.duration import duration
from cloaca_nb.core.events import AttemptFailed, AttemptStarted, Event, OutputWritten, TaskFinished
from cloaca_nb.core.record import RunRecord, TaskRecord
from cloaca_nb.core.status import Outcome
from cloaca_nb.engine.clock import now
from cloaca_nb.terminal.marks import counted, dotted, has_symbols, mark
from cloaca_nb.terminal.task_line import details, look_of, ticking

__all__ = ["LineProgress", "LiveProgress", "progress_on"]

IN_KERNEL: Final = "JPY_PARENT_PID"  # a kernel's processes have it, and their terminal is a cell: it only grows
FRAMES_PER_SECOND: Final = 10
MOST_LINES: Final = 24  # of tasks on the screen, however high it is
SPARE_LINES: Final = 4  # of the screen's height that no task takes
WIDEST_NAME: Final = 32
# What took the place of sys.stdout and sys.stderr, kept for good: CPython's print() only borrows the stream that
# it writes to, and an abandoned body may be in the middle of one when it is replaced.
_kept: Final[list[TextIO]] = []


def progress_on(
    console: Console, *, verbose: bool = False, environ: Mapping[str, str] = os.environ
) -> "LineProgress | LiveProgress":
    """Return what shows a run's progress on this console: live if it is a terminal that can be repainted.

    Args:
        console: where to.
        verbose: whether to say in full why a task was executed or taken from history.
        environ: environment variables, which tell a shell line of a notebook (`!cloaca-nb run …`).
    """
    is_live = console.is_interactive and console.file.isatty() and IN_KERNEL not in environ
    return LiveProgress(console, verbose=verbose) if is_live else LineProgress(console, verbose=verbose)


class LineProgress(AbstractContextManager["LineProgress"]):
    """One line for each task that is over or tried again."""

    def __init__(self, console: Console, *, verbose: bool = False) -> None:
        self._console = console
        self._verbose = verbose
        self._record = RunRecord()
        self._lock = threading.Lock()
        self._in_line = False  # whether a task left the cursor in the middle of a line

    def observe(self, event: Event) -> None:
        """Take in one more fact of the run: an `Observer`."""
        with self._lock:
            self._record.observe(event)
            if isinstance(event, OutputWritten):
                shares_line = event.stream == "stderr" or sys.stdout.isatty()
                self._in_line = shares_line and not event.text.endswith("\n")
            elif isinstance(event, TaskFinished):
                self._print(self._record.tasks[event.task_id])
            elif isinstance(event, AttemptFailed) and event.retry_in is not None:
                self._print(self._record.tasks[event.task_id], f"  again in {duration(event.retry_in)}")

    def _print(self, task: TaskRecord, also: str = "") -> None:
        said = details(task, verbose=self._verbose)
        line = Text.assemble(mark(self._console, look_of(task)), " ", task.task_id, "  ", said, also)
        head, self._in_line = "\n" if self._in_line else "", False
        if self._console.is_terminal:
            self._console.print(Text(head) + line)
        else:
            self._console.file.write(f"{head}{line.plain}\n")  # thousands of tasks may end in a second

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        """Do nothing: each line was complete."""


class LiveProgress(AbstractContextManager["LiveProgress"]):
    """The tasks that run and those that ended lately, repainted in place; what tasks print appears above them.

    Args:
        console: a terminal that can be repainted.
        clock: seconds since the Unix epoch.
        verbose: whether to say in full why a task was executed or taken from history.
    """

    def __init__(self, console: Console, clock: Callable[[], float] = now, *, verbose: bool = False) -> None:
        self._console = console
        self._clock = clock
        self._verbose = verbose
        self._record = RunRecord()
        self._lock = threading.Lock()
        self._counts = dict.fromkeys(Outcome, 0)
        self._running: dict[str, TaskRecord] = {}
        self._failed: deque[TaskRecord] = deque(maxlen=MOST_LINES)
        self._recent: deque[TaskRecord] = deque(maxlen=MOST_LINES)
        self._spinner = Spinner("dots" if has_symbols(console) else "line", style="cyan")
        self._live = Live(
            console=console,
            get_renderable=self.frame,
            refresh_per_second=FRAMES_PER_SECOND,
            redirect_stdout=sys.stdout.isatty(),
        )

    def observe(self, event: Event) -> None:
        """Take in one more fact of the run: an `Observer`. Quick: another thread paints."""
        with self._lock:
            self._record.observe(event)
            if isinstance(event, AttemptStarted):
                self._running[event.task_id] = self._record.tasks[event.task_id]
            elif isinstance(event, TaskFinished):
                self._running.pop(event.task_id, None)
                self._counts[event.outcome] += 1
                over = self._failed if event.outcome is Outcome.FAILED else self._recent
                over.append(self._record.tasks[event.task_id])

    def frame(self) -> Text:
        """Return what the screen shows now."""
        with self._lock:
            lines = list(self._lines(self._clock()))
        return Text("\n", no_wrap=True, overflow="ellipsis" if has_symbols(self._console) else "crop").join(lines)

    def __enter__(self) -> Self:
        self._live.start()
        _kept.extend((sys.stdout, sys.stderr))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the last frame on the screen."""
        for stream in (sys.stdout, sys.stderr):
            stream.flush()  # the rest of a line that a task began
        self._live.stop()

    def _lines(self, at: float) -> Iterator[Text]:
        chosen = self._chosen()
        width = max((min(len(task.task_id), WIDEST_NAME) for task in chosen), default=0)
        for task in chosen:
            spinner = self._spinner.render(at) if task.outcome is Outcome.RUNNING else None
            sign = spinner if isinstance(spinner, Text) else mark(self._console, look_of(task))
            yield Text.assemble(sign, " ", _fitted(task.task_id, width), "  ", details(task, at, verbose=self._verbose))
        if hidden := len(self._running) - sum(task.ended is None for task in chosen):
            yield Text(f"  and {hidden} more running", style="dim")
        if self._record.run_id and self._record.ended is None:  # at the end the summary says it
            yield self._counts_line(at)

    def _chosen(self) -> list[TaskRecord]:
        """Return the tasks to show, in the order in which they began: running ones first of all, then failed ones."""
        room = max(1, min(MOST_LINES, self._console.height - SPARE_LINES))
        if self._record.ended is not None and len(self._record.tasks) > room:
            return list(self._failed)[:room]  # the summary counts the others
        chosen = list(self._running.values())[:room]
        chosen += list(self._failed)[: room - len(chosen)]
        chosen += [*self._recent][::-1][: room - len(chosen)]
        return sorted(chosen, key=lambda task: task.started or task.ended or 0.0)

    def _counts_line(self, at: float) -> Text:
        parts = [f"{sum(self._counts.values())}/{len(self._record.tasks)} done"]
        parts += [f"{len(self._running)} running"] if self._running else []
        parts += counted(self._counts, (Outcome.FAILED, Outcome.SKIPPED, Outcome.CANCELLED))
        parts.append(ticking(self._record.elapsed(at)))
        return Text(dotted(self._console, parts), style="dim")


def _fitted(name: str, width: int) -> str:
    return name.ljust(width) if len(name) <= WIDEST_NAME else f"{name[: WIDEST_NAME - 2]}.."

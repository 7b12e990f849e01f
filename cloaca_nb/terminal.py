"""What a terminal shows of a run: live lines where it can be repainted, one line per fact where it can't, a summary."""

import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Final, NamedTuple, Self, TextIO

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from cloaca_nb.core.duration import duration
from cloaca_nb.core.events import (
    AttemptFailed,
    AttemptStarted,
    Event,
    Failure,
    OutputWritten,
    TaskFinished,
)
from cloaca_nb.core.record import RunRecord, TaskRecord
from cloaca_nb.core.run_id import short
from cloaca_nb.core.status import Outcome, Status
from cloaca_nb.engine.clock import now

if TYPE_CHECKING:
    from cloaca_nb.core.scope import Conflict
    from cloaca_nb.engine.run import Run

__all__ = ["LineProgress", "LiveProgress", "console_on", "mark", "progress_on", "say_summary", "ticking"]

FRAMES_PER_SECOND: Final = 10
MOST_LINES: Final = 24  # of tasks on the screen, however high it is
SPARE_LINES: Final = 4  # of the screen's height that no task takes
WIDEST_NAME: Final = 32
MOST_TRACEBACKS: Final = 3
SHORT_REASON: Final = 72  # characters of a reason that is said even if nobody asked for it
TAKEN: Final = "Taken"  # how a completed task looks that was taken from an earlier run
# What took the place of sys.stdout and sys.stderr, kept for good: CPython's print() only borrows the stream that
# it writes to, and an abandoned body may be in the middle of one when it is replaced.
_kept: Final[list[TextIO]] = []


class _Look(NamedTuple):
    mark: str
    plain_mark: str  # for terminals without such characters
    style: str


_LOOKS: Final[dict[str, _Look]] = {
    Outcome.WAITING: _Look("·", ".", "dim"),
    Outcome.RUNNING: _Look("▸", ">", "cyan"),
    Outcome.RETRYING: _Look("↻", "~", "yellow"),
    Outcome.COMPLETED: _Look("✓", "+", "green"),
    TAKEN: _Look("↶", "=", "blue"),
    Outcome.FAILED: _Look("✕", "x", "bold red"),
    Outcome.SKIPPED: _Look("⤼", "-", "yellow"),
    Outcome.CANCELLED: _Look("⊘", "!", "magenta"),
    Status.INTERRUPTED: _Look("⚠", "?", "magenta"),
}


def console_on(stream: TextIO) -> Console:
    """Return a console that writes to `stream` what it is given: no markup, no guesses, no line breaks of its own."""
    return Console(file=stream, markup=False, emoji=False, highlight=False, soft_wrap=True)


def mark(console: Console, word: str) -> Text:
    """Return the mark of an outcome or status, in characters that the console has."""
    look = _LOOKS[word]
    return Text(look.mark if _has_symbols(console) else look.plain_mark, style=look.style)


def ticking(seconds: float) -> str:
    """Return how long something has been going on: in tenths from the start, so that the eye finds rest.

    >>> ticking(0.4213), ticking(75.2)
    ('0.4 s', '1 m 15 s')
    """
    return f"{seconds:.1f} s" if seconds < 1 else duration(seconds)


def progress_on(console: Console, *, verbose: bool = False) -> "LineProgress | LiveProgress":
    """Return what shows a run's progress on this console: live if it is a terminal that can be repainted.

    Args:
        console: where to.
        verbose: whether to say in full why a task was executed or taken from history.
    """
    is_live = console.is_interactive and console.file.isatty()
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
        details = _details(task, verbose=self._verbose)
        line = Text.assemble(mark(self._console, _look_of(task)), " ", task.task_id, "  ", details, also)
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
        self._spinner = Spinner("dots" if _has_symbols(console) else "line", style="cyan")
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
        return Text("\n", no_wrap=True, overflow="ellipsis" if _has_symbols(self._console) else "crop").join(lines)

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
            sign = spinner if isinstance(spinner, Text) else mark(self._console, _look_of(task))
            yield Text.assemble(sign, " ", _fitted(task.task_id, width), "  ", _details(task, at, self._verbose))
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
        parts += _counted(self._counts, (Outcome.FAILED, Outcome.SKIPPED, Outcome.CANCELLED))
        parts.append(ticking(self._record.elapsed(at)))
        return Text(_dotted(self._console, parts), style="dim")


def say_summary(console: Console, run: "Run", *, tracebacks: bool = True) -> None:
    """Say what a run that is over came to: failed tasks with the user's own traceback, conflicts, counts.

    Args:
        console: where to.
        run: a run that is over.
        tracebacks: whether those of failed tasks are said as well.
    """
    record = run.record
    if tracebacks:
        _say_tracebacks(console, [task for task in record.tasks.values() if task.outcome is Outcome.FAILED])
    for conflict in dict.fromkeys(record.conflicts):
        console.print(Text(f"! {_conflict(conflict)}", style="yellow"))
    if run.history_error is not None:
        console.print(Text(f"! History could not keep this run: {run.history_error}", style="bold yellow"))
    counts = {outcome: record.count(outcome) for outcome in Outcome}
    taken = [task.taken_from for task in record.tasks.values() if task.taken_from]
    counts[Outcome.COMPLETED] -= len(taken)
    parts = [f"{record.status} in {duration(record.elapsed(now()))}", *_counted(counts, tuple(Outcome)), *_taken(taken)]
    name = Text(run.workflow.name, style="bold")
    console.print(Text.assemble(mark(console, record.status), " ", name, "  ", _dotted(console, parts)))


def _say_tracebacks(console: Console, failed: list[TaskRecord]) -> None:
    for task in failed[:MOST_TRACEBACKS]:
        console.print(Text(f"\n{task.task_id}", style="bold"))
        console.print(Text((task.failure.traceback if task.failure else "").rstrip("\n")))
    if rest := failed[MOST_TRACEBACKS:]:
        console.print(Text("\nAlso failed: " + ", ".join(task.task_id for task in rest)))
    if failed:
        console.line()


def _conflict(conflict: "Conflict") -> str:
    place = f"task {conflict.task_id!r}" if conflict.task_id else "the final context"
    *others, last = conflict.writers
    return f"{conflict.key!r} was set differently by {', '.join((*others, last))}; {place} has that of {last}."


def _look_of(task: TaskRecord) -> str:
    return TAKEN if task.taken_from else task.outcome


def _taken(runs: list[str]) -> Iterator[str]:
    """Yield e.g. ``2 taken from run 89abcdef``."""
    if runs:
        yield f"{len(runs)} taken from {_run(runs[0]) if len(set(runs)) == 1 else 'history'}"


def _run(run_id: str) -> str:
    return f"run {short(run_id)}"


def _details(task: TaskRecord, at: float = 0.0, verbose: bool = False) -> Text:  # noqa: FBT001, FBT002 - see `progress_on`
    """Return what there is to say of a task: how long it took or takes, why it failed or never ran."""
    quiet = task.outcome in (Outcome.COMPLETED, Outcome.RUNNING)
    return Text("  ".join(_facts(task, at, verbose)), style="dim" if quiet else "")


def _facts(task: TaskRecord, at: float, verbose: bool) -> Iterator[str]:  # noqa: FBT001 - see `_details`
    if task.taken_from:
        yield f"taken from {_run(task.taken_from)}" + (f": {task.reason}" if verbose else "")
        return
    if task.outcome in (Outcome.COMPLETED, Outcome.RUNNING):
        yield (duration if task.ended else ticking)(task.elapsed(at) or 0.0)
    if task.outcome is Outcome.COMPLETED and task.attempts > 1:
        yield f"after {task.attempts} attempts"
    if task.outcome is Outcome.RUNNING and (made := task.progress) is not None:
        yield f"{made.done:g}" if made.total is None else f"{made.done:g}/{made.total:g}"
        yield made.message
    if task.outcome in (Outcome.FAILED, Outcome.RETRYING) and task.failure is not None:
        yield _failure(task.failure)
    if task.reason and (verbose or task.outcome is not Outcome.COMPLETED or len(task.reason) <= SHORT_REASON):
        yield task.reason


def _fitted(name: str, width: int) -> str:
    return name.ljust(width) if len(name) <= WIDEST_NAME else f"{name[: WIDEST_NAME - 2]}.."


def _failure(failure: Failure) -> str:
    """Return a failure in one line: ``ValueError: no rows (Cell In[3], line 2)``."""
    message = failure.message.strip().partition("\n")[0]
    place = failure.where.rpartition(", in ")[0] or failure.where
    return f"{failure.exception}: {message}".rstrip(": ") + (f" ({place})" if place else "")


def _counted(counts: Mapping[Outcome, int], wanted: Iterable[Outcome]) -> list[str]:
    return [f"{counts[outcome]} {outcome.lower()}" for outcome in wanted if counts[outcome]]


def _dotted(console: Console, parts: Iterable[str]) -> str:
    return (" · " if _has_symbols(console) else ", ").join(parts)


def _has_symbols(console: Console) -> bool:
    return console.encoding.startswith("utf") and not console.is_dumb_terminal

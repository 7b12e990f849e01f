"""What tasks print, shown where the process prints: of each task as much as a person reads, and a word on the rest."""

import io
import threading
from contextvars import copy_context
from typing import Final, TextIO

from cloaca_nb.core.events import Event, OutputWritten, TaskFinished
from cloaca_nb.engine.output import real_stream

__all__ = ["Echo"]

# About a thousand lines: more than anybody reads of one task below a cell, and a fifteenth of what a Jupyter server
# passes on in a second before it drops whatever comes, the cell's own output included (1 MB/s, in windows of 3 s).
PER_TASK: Final = 64_000
UNITS: Final = ((1e6, "MB"), (1e3, "kB"))


class Echo:
    """Shows what tasks print, whole lines, while they run; its `observe` is an `Observer`.

    Below a cell and on a terminal each task has a budget. What goes beyond is held back, and when the task is over, one
    line on stderr says how much, and where the whole is. Into a file or a pipe everything goes: a program reads that.

    Args:
        per_task: characters of each task that are shown, over all its attempts and both its streams.
    """

    def __init__(self, per_task: int = PER_TASK) -> None:
        self._per_task = per_task
        self._spent: dict[tuple[str, str], _Spent] = {}  # by run and task, for those that have printed
        self._lock = threading.RLock()  # a `__del__` may print in the middle of it

    def observe(self, event: Event) -> None:
        """Take in one more fact, from any thread: an `Observer`."""
        if isinstance(event, OutputWritten):
            self._show(event)
        elif self._spent and isinstance(event, TaskFinished):
            self._tell(event)

    def _show(self, event: OutputWritten) -> None:
        stream = real_stream(event.stream)
        if stream is None:  # there is none, as under pythonw; or it is a display, which is shown by other means
            return
        text = self._take(event) if _is_for_people(stream) else event.text
        if text:
            _write(stream, text)

    def _take(self, event: OutputWritten) -> str:
        """Return what of a text is within its task's budget."""
        with self._lock:
            key = event.run_id, event.task_id
            spent = self._spent.get(key)
            if spent is None:
                spent = self._spent[key] = _Spent()
            return spent.take(event.text, self._per_task)

    def _tell(self, event: TaskFinished) -> None:
        """Say what was held back of a task that is over."""
        with self._lock:
            spent = self._spent.pop((event.run_id, event.task_id), None)
        stream = real_stream("stderr")
        if spent is not None and spent.held and stream is not None:
            spent.variables.run(
                _write,
                stream,
                f"Task {event.task_id!r} printed {_size(spent.held)} more, in {_lines(spent.lines)} that are not shown "
                f"here. The whole is in history: runner.history().logs({event.task_id!r}, run={event.run_id!r})\n",
            )


class _Spent:
    """What was shown of one task, and held back."""

    __slots__ = ("held", "lines", "shown", "variables")

    def __init__(self) -> None:
        self.shown = 0
        self.held = 0
        self.lines = 0
        self.variables = copy_context()  # a kernel finds by them the cell that it belongs to

    def take(self, text: str, most: int) -> str:
        """Return the beginning of `text` that may be shown: whole lines, unless one alone is too long."""
        room = 0 if self.held else most - self.shown
        if len(text) <= room:
            self.shown += len(text)
            return text
        cut = text.rfind("\n", 0, room) + 1 or (0 if self.shown else room)
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

"""A run as text: on a terminal, and for the record of a notebook that nobody looks at while it runs."""

from collections import deque
from typing import TYPE_CHECKING, Final, TextIO

from IPython.display import display

from cloaca_nb.core.events import Event, RunStarted
from cloaca_nb.engine.clock import now
from cloaca_nb.notebook.drawing.layout import lay_out
from cloaca_nb.notebook.drawing.table import run_html, run_text
from cloaca_nb.terminal.marks import console_on
from cloaca_nb.terminal.progress import LineProgress, progress_on
from cloaca_nb.terminal.summary import say_summary

if TYPE_CHECKING:
    from cloaca_nb.core.graph import Workflow
    from cloaca_nb.engine.run import Run
    from cloaca_nb.notebook.shown import Start

__all__ = ["LateLines", "OnRecord", "OnTerminal"]

PATIENCE: Final = 10.0  # seconds for which nobody minds that nothing is said


class OnTerminal:
    """Shows lines as the shell command does; the traceback of a failure is left to the error that ends the cell."""

    def __init__(self, stream: TextIO) -> None:
        self._console = console_on(stream)
        self._progress = progress_on(self._console)

    def start(self, start: "Start") -> "Run":
        """Start the run; the live lines must be there before it, as they take the place of the streams."""
        self._progress.__enter__()
        try:
            return start([self._progress.observe])
        except BaseException:
            self._progress.__exit__(None, None, None)
            raise

    def end(self, run: "Run") -> None:
        """Say what the run came to."""
        self._progress.__exit__(None, None, None)
        if run.is_over:
            say_summary(self._console, run.record, run.history_error, tracebacks=False)


class OnRecord:
    """Shows picture and table at the end; a run that takes long also writes lines, for who reads the log meanwhile."""

    def __init__(self, workflow: "Workflow", stream: TextIO) -> None:
        self._workflow = workflow
        self._lines = LateLines(stream)

    def start(self, start: "Start") -> "Run":
        """Start the run."""
        return start([self._lines.observe])

    def end(self, run: "Run") -> None:
        """Display what the run came to."""
        at = now()
        still = {"text/html": run_html(run.record, lay_out(self._workflow), at), "text/plain": run_text(run.record, at)}
        display(still, raw=True)  # type: ignore[no-untyped-call]  # IPython's


class LateLines:
    """Lines of progress that begin only when the run has taken a while.

    Args:
        stream: where they go.
        patience: seconds after the start of the run.
    """

    def __init__(self, stream: TextIO, patience: float = PATIENCE) -> None:
        self._lines = LineProgress(console_on(stream))
        self._patience = patience
        self._started = 0.0
        self._held: deque[Event] = deque()

    def observe(self, event: Event) -> None:
        """Take in one more fact of the run: an `Observer`."""
        if isinstance(event, RunStarted):
            self._started = event.at
        self._held.append(event)
        if event.at - self._started >= self._patience:
            while self._held:
                self._lines.observe(self._held.popleft())

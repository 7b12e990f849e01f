"""A script's run on the terminal, shown as the shell command shows it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from cloaca_nb.core.events import Event, Observer
from cloaca_nb.core.record import RunRecord
from cloaca_nb.terminal.marks import console_on
from cloaca_nb.terminal.progress import progress_on
from cloaca_nb.terminal.summary import say_summary

__all__ = ["shown_on"]


@contextmanager
def shown_on(stream: TextIO, *, verbose: bool = False) -> Iterator[Observer]:
    """Show a run: live lines while it goes on, or plain ones in a file; at the end what it came to.

    Args:
        stream: where to.
        verbose: whether to say in full why a task was executed or taken from history.

    Yields:
        An observer, which shows the first run that it is told of.
    """
    console = console_on(stream)
    record = RunRecord()
    with progress_on(console, verbose=verbose) as progress:

        def observe(event: Event) -> None:
            if record.run_id in ("", event.run_id):
                record.observe(event)
                progress.observe(event)

        yield observe
    if record.ended is not None:
        say_summary(console, record)

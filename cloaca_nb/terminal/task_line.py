"""A task in one line of a terminal: how long it took or takes, why it failed, was taken or never ran."""

from collections.abc import Iterator
from textwrap import shorten
from typing import Final

from rich.text import Text

from cloaca_nb.core.duration import duration
from cloaca_nb.core.events import Failure
from cloaca_nb.core.record import TaskRecord
from cloaca_nb.core.run_id import short
from cloaca_nb.core.status import Outcome
from cloaca_nb.terminal.marks import TAKEN

__all__ = ["details", "look_of", "run_name", "ticking"]

SHORT_REASON: Final = 72  # characters of a reason that is said even if nobody asked for it
WARNS: Final = ", but "  # in the reason why a task was taken: what its reader has to know
LONGEST_MESSAGE: Final = 160  # characters of the first sentence of an error


def look_of(task: TaskRecord) -> str:
    """Return the word by whose mark a task is shown."""
    return TAKEN if task.taken_from else task.outcome


def details(task: TaskRecord, at: float = 0.0, *, verbose: bool) -> Text:
    """Return what there is to say of a task.

    Args:
        task: as it stands.
        at: seconds since the Unix epoch, for one that runs.
        verbose: whether to say in full why it was executed or taken from history.
    """
    quiet = task.outcome in (Outcome.COMPLETED, Outcome.RUNNING)
    return Text("  ".join(_facts(task, at, verbose=verbose)), style="dim" if quiet else "")


def _facts(task: TaskRecord, at: float, *, verbose: bool) -> Iterator[str]:
    if task.taken_from:
        says_more = verbose or WARNS in task.reason
        yield f"taken from {run_name(task.taken_from)}" + (f": {task.reason}" if says_more else "")
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


def ticking(seconds: float) -> str:
    """Return how long something has been going on: in tenths from the start, so that the eye finds rest.

    >>> ticking(0.4213), ticking(75.2)
    ('0.4 s', '1 m 15 s')
    """
    return f"{seconds:.1f} s" if seconds < 1 else duration(seconds)


def run_name(run_id: str) -> str:
    """Return how a sentence calls a run."""
    return f"run {short(run_id)}"


def _failure(failure: Failure) -> str:
    """Return a failure in one line: ``ValueError: no rows (Cell In[3], line 2)``. The traceback says all of it."""
    message = failure.message.strip().partition("\n")[0]
    if len(message) > SHORT_REASON:
        message = shorten(message.partition(". ")[0], LONGEST_MESSAGE, placeholder=" …")
    place = failure.where.rpartition(", in ")[0] or failure.where
    return f"{failure.exception}: {message}".rstrip(": ") + (f" ({place})" if place else "")

"""What a run that is over came to: failed tasks with the user's own traceback, conflicts, counts."""

from collections.abc import Iterator
from typing import Final

from rich.console import Console
from rich.text import Text

from cloaca_nb.core.conflict import conflict_lines
from cloaca_nb.core.duration import duration
from cloaca_nb.core.record import RunRecord, TaskRecord
from cloaca_nb.core.status import Outcome
from cloaca_nb.engine.clock import now
from cloaca_nb.terminal.marks import counted, dotted, mark
from cloaca_nb.terminal.task_line import run_name

__all__ = ["say_summary"]

MOST_TRACEBACKS: Final = 3


def say_summary(
    console: Console, record: RunRecord, history_error: BaseException | None = None, *, tracebacks: bool = True
) -> None:
    """Say what a run that is over came to: failed tasks with the user's own traceback, conflicts, counts.

    Args:
        console: where to.
        record: of a run that is over.
        history_error: why history could not keep it.
        tracebacks: whether those of failed tasks are said as well.
    """
    if tracebacks:
        _say_tracebacks(console, [task for task in record.tasks.values() if task.outcome is Outcome.FAILED])
    for line in conflict_lines(record.conflicts):
        console.print(Text(f"! {line}", style="yellow"))
    if history_error is not None:
        console.print(Text(f"! History could not keep this run: {history_error}", style="bold yellow"))
    counts = {outcome: record.count(outcome) for outcome in Outcome}
    taken = [task.taken_from for task in record.tasks.values() if task.taken_from]
    counts[Outcome.COMPLETED] -= len(taken)
    ended = f"{record.status} in {duration(record.elapsed(now()))}"
    parts = [ended, *counted(counts, tuple(Outcome)), *_taken(taken, record.resumed_from)]
    name = Text(record.workflow.name if record.workflow else "", style="bold")
    console.print(Text.assemble(mark(console, record.status), " ", name, "  ", dotted(console, parts)))


def _say_tracebacks(console: Console, failed: list[TaskRecord]) -> None:
    for task in failed[:MOST_TRACEBACKS]:
        console.print(Text(f"\n{task.task_id}", style="bold"))
        console.print(Text((task.failure.traceback if task.failure else "").rstrip("\n")))
    if rest := failed[MOST_TRACEBACKS:]:
        console.print(Text("\nAlso failed: " + ", ".join(task.task_id for task in rest)))
    if failed:
        console.line()


def _taken(runs: list[str], resumed_from: str) -> Iterator[str]:
    """Yield e.g. ``2 taken from run 89abcdef``; and with which run this one went on, where that doesn't say it."""
    if runs:
        yield f"{len(runs)} taken from {run_name(runs[0]) if len(set(runs)) == 1 else 'history'}"
    if resumed_from and {*runs} != {resumed_from}:
        yield f"went on with {run_name(resumed_from)}"

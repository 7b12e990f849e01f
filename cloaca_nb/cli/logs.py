"""`cloaca-nb history logs`: what the tasks of a run wrote, also while it goes on."""

import time
from collections import Counter
from typing import TYPE_CHECKING, Annotated, Final

import typer

from cloaca_nb.cli.opened import opened
from cloaca_nb.cli.options import HistoryUrl
from cloaca_nb.core.status import Status

if TYPE_CHECKING:
    from cloaca_nb.history.history import History

__all__ = ["show_logs"]

TICK: Final = 0.5  # seconds between looks at a run of another process
CANCELLED: Final = 130


def show_logs(
    task: Annotated[str | None, typer.Argument(metavar="[TASK]", help="Whose. By default all tasks'.")] = None,
    *,
    run: Annotated[
        str | None,
        typer.Option(metavar="RUN", help="Of which run; a name as `history` shows. By default the latest."),
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the run is over.")] = False,
    history: HistoryUrl = None,
) -> None:
    """Show what the tasks of a run wrote to stdout and stderr, in the order of time."""
    with opened(history) as found:
        run_id = found.resolve(run)
        shown: Counter[tuple[str, int]] = Counter()
        try:
            while True:
                is_over = not follow or _is_over(found, run_id)  # asked first: nothing is written after the end
                _show_new(found, task, run_id, shown)
                if is_over:
                    break
                time.sleep(TICK)
        except KeyboardInterrupt:
            raise SystemExit(CANCELLED) from None
    if not shown:
        whose = "Its tasks" if task is None else f"Task {task!r}"
        typer.echo(f"{whose} wrote nothing in run {run_id}.", err=True)


def _is_over(history: "History", run_id: str) -> bool:
    runs = history.runs()
    return str(runs.loc[runs["run_id"] == run_id, "status"].iloc[0]) != Status.RUNNING


def _show_new(history: "History", task: str | None, run_id: str, shown: Counter[tuple[str, int]]) -> None:
    """Print the pieces that weren't there the last time: those of one attempt are always in the same order."""
    there: Counter[tuple[str, int]] = Counter()
    for task_id, attempt, text in history.logs(task, run_id)[["task_id", "attempt", "text"]].itertuples(index=False):
        there[task_id, attempt] += 1
        if there[task_id, attempt] > shown[task_id, attempt]:
            shown[task_id, attempt] += 1
            typer.echo(text if task is not None else _labelled(task_id, text), nl=False)


def _labelled(task_id: str, text: str) -> str:
    return "".join(f"{task_id} | {line}\n" for line in text.splitlines())

"""`cloaca-nb history logs`: what the tasks of a run wrote, also while it goes on."""

import time
from functools import partial
from typing import Annotated, Final

import typer

from cloaca_nb.cli.opened import opened
from cloaca_nb.cli.options import HistoryUrl
from cloaca_nb.core.run_id import short
from cloaca_nb.history.followed import Piece, followed

__all__ = ["show_logs"]

TICK: Final = 0.5  # seconds between looks at a run of another process
CANCELLED: Final = 130


def show_logs(
    task: Annotated[str | None, typer.Argument(metavar="TASK", help="Whose. By default all tasks'.")] = None,
    *,
    run: Annotated[
        str | None,
        typer.Option(metavar="RUN", help="Of which run; a name as `history` shows. By default the latest."),
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the run is over.")] = False,
    history: HistoryUrl = None,
) -> None:
    """Show what the tasks of a run wrote, in the order of time, and why attempts failed."""
    with opened(history) as found:
        run_id = found.resolve(run)
        if run is None:
            typer.echo(found.heading(run_id), err=True)  # stdout is what the tasks wrote
        is_silent = True
        try:
            for piece in followed(found, task, run_id, partial(time.sleep, TICK) if follow else None):
                typer.echo(piece.text if task is not None else _labelled(piece), nl=False)
                is_silent = False
        except KeyboardInterrupt:
            raise SystemExit(CANCELLED) from None
    if is_silent:
        whose = "Its tasks" if task is None else f"Task {task!r}"
        typer.echo(f"{whose} wrote nothing in run {short(run_id)}.", err=True)


def _labelled(piece: Piece) -> str:
    return "".join(f"{piece.task_id} | {line}\n" for line in piece.text.splitlines())

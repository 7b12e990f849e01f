"""`cloaca-nb history`: the last runs, or the tasks of one."""

import os
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from cloaca_nb.cli.options import HistoryUrl, reader
from cloaca_nb.cli.outcome import readable_errors
from cloaca_nb.cli.table import show_table, stdout, table
from cloaca_nb.core.cell.option_values import count
from cloaca_nb.core.duration import duration
from cloaca_nb.core.moment import moment
from cloaca_nb.core.run_id import short
from cloaca_nb.declare.place import file_label
from cloaca_nb.errors import HistoryError
from cloaca_nb.history.history import History
from cloaca_nb.history.location import Location, parse_url
from cloaca_nb.history.overview import TaskNotes
from cloaca_nb.history.runs_page import executed, went_on
from cloaca_nb.terminal.marks import mark

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

__all__ = ["show_history"]


def show_history(
    ctx: typer.Context,
    *,
    runs: Annotated[
        int,
        typer.Option(metavar="N", parser=reader(partial(count, least=1)), help="How many runs, newest first."),
    ] = 20,
    run: Annotated[
        str | None, typer.Option(metavar="ID", help="Show the tasks of this run; the name shown without it is enough.")
    ] = None,
    history: HistoryUrl = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON: times in UTC, durations in seconds.")] = False,
) -> None:
    """Show the last runs, or the tasks of one; compare two, read what they wrote, ask in SQL, remove old ones."""
    if ctx.invoked_subcommand is not None:
        if run or history or as_json:
            raise typer.BadParameter(
                f"Give the options after the command: cloaca-nb history {ctx.invoked_subcommand} …"
            )
        return
    with readable_errors():
        location = parse_url(history, environ=os.environ, cwd=Path.cwd())
        if location.path is None or not location.path.is_file():
            _say_no_history(location, is_asked_for=(history or run) is not None, as_json=as_json)
            return
        if location.note:
            typer.echo(location.note, err=True)
        with History.open(history) as opened:
            if as_json:
                typer.echo(_json(opened.runs(runs) if run is None else opened.tasks(run)))
            elif run is None:
                _show_runs(opened.run_rows(runs))
            else:
                notes = opened.task_notes(run)
                _show_tasks(opened.task_rows(notes.run_id), notes)


def _say_no_history(location: Location, *, is_asked_for: bool, as_json: bool) -> None:
    """Answer that there is no history: kindly, unless one was named."""
    there = (
        "in memory, which ends with its process" if location.path is None else f"at {file_label(str(location.path))}"
    )
    if is_asked_for:
        raise HistoryError(f"There is no history {there}.")
    if as_json:
        typer.echo("[]")
    typer.echo(f"No history yet {there}: `cloaca-nb run` or `%cloaca_run` begins one.", err=True)


def _show_runs(found: Iterable[Mapping[str, Any]]) -> None:
    console, shown = stdout(), table()
    for title in ("run", "workflow", "", "started"):
        shown.add_column(title, no_wrap=True)
    for title in ("duration", "tasks"):
        shown.add_column(title, justify="right", no_wrap=True)
    shown.add_column("")
    for row in found:
        kind = "" if row["kind"] == "run" else f" ({row['kind']})"
        shown.add_row(
            short(str(row["run_id"])),
            f"{row['workflow']}{kind}",
            _status(console, str(row["status"])),
            moment(row["started"]),
            duration(row["duration"]),
            executed(row),
            Text(went_on(row), style="dim"),
        )
    show_table(console, shown)


def _show_tasks(found: Iterable[Mapping[str, Any]], notes: TaskNotes) -> None:
    console, shown = stdout(), table()
    for title in ("task", ""):
        shown.add_column(title, no_wrap=True)
    for title in ("duration", "usually", "attempts", "log"):
        shown.add_column(title, justify="right", no_wrap=True)
    shown.add_column("")
    for row in found:
        said = " ".join(filter(None, (row["error"] or row["reason"], row["location"] and f"({row['location']})")))
        shown.add_row(
            str(row["task_id"]),
            _status(console, str(row["outcome"])),
            duration(row["duration"]),
            Text(notes.usually(row), style="dim"),
            str(row["attempts"]),
            notes.lines(row["task_id"]),
            said,
        )
    show_table(console, shown)
    if notes.logs:
        typer.echo(f"What a task wrote: cloaca-nb history logs TASK --run {short(notes.run_id)}", err=True)


def _status(console: "Console", word: str) -> Text:
    return Text.assemble(mark(console, word), f" {word}")


def _json(frame: "pd.DataFrame") -> str:
    in_utc = frame.assign(**{name: frame[name].dt.tz_localize("UTC") for name in ("started", "ended")})
    return in_utc.to_json(orient="records", date_format="iso", date_unit="us", indent=2)

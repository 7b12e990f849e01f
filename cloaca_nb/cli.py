"""The face in a shell: each command parses, calls one method, and shows what came of it."""

import io
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from enum import StrEnum
from functools import partial
from itertools import pairwise, takewhile
from operator import eq
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, NoReturn

import typer
from rich.table import Table
from rich.text import Text

from cloaca_nb.core.duration import duration
from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.status import Status
from cloaca_nb.declare.place import file_label
from cloaca_nb.declare.registry import REGISTRY
from cloaca_nb.declare.settings import fit, parse_settings, read_value
from cloaca_nb.engine.failure import describe_failure
from cloaca_nb.engine.run import Run
from cloaca_nb.errors import (
    CloacaError,
    ConfigurationError,
    DefinitionError,
    HistoryError,
    WorkflowNotFoundError,
    near_miss,
)
from cloaca_nb.history.history import History
from cloaca_nb.history.location import Location, parse_url
from cloaca_nb.packaging.export import export
from cloaca_nb.packaging.load import load
from cloaca_nb.packaging.notebook import read_notebook
from cloaca_nb.packaging.package import Package
from cloaca_nb.packaging.write import write_package
from cloaca_nb.runner import DefaultRunner
from cloaca_nb.terminal import console_on, mark, progress_on, say_summary

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

__all__ = ["app", "main", "package_main"]

FAILED: Final = 1
WRONG_USAGE: Final = 2
CANCELLED: Final = 130  # 128 + SIGINT
EXIT_CODES: Final = {Status.COMPLETED: 0, Status.FAILED: FAILED, Status.CANCELLED: CANCELLED}
TICK: Final = 0.2  # seconds between looks at a pending interrupt
SHORTEST_ID: Final = 8  # characters of a run's id, where fewer would do
UNLIMITED: Final = 10_000  # columns
STYLE: Final[dict[str, Any]] = {
    "add_completion": False,
    "rich_markup_mode": None,  # one look for all messages, in logs too
    "pretty_exceptions_enable": False,
    "context_settings": {"help_option_names": ["-h", "--help"]},
}


class ImportName(StrEnum):
    """What an exported package imports."""

    cloaca_nb = "cloaca_nb"
    cloaca = "cloaca"


app: Final = typer.Typer(name="cloaca-nb", no_args_is_help=True, **STYLE)

Params = Annotated[
    list[str] | None,
    typer.Option("--param", metavar="KEY=VALUE", help="A value of the initial context, as JSON or text. Repeatable."),
]
HistoryUrl = Annotated[
    str | None,
    typer.Option(
        "--history",
        metavar="URL",
        help="Where history lies: a path or duckdb:/// URL, or :memory:. By default CLOACA_HISTORY, else the nearest "
        ".cloaca/history.duckdb upward from here.",
    ),
]


def main() -> NoReturn:
    """Run the command line that the process was given: what `cloaca-nb` and `python -m cloaca_nb` call."""
    sys.exit(app())


def package_main(workflow_name: str, argv: Sequence[str] | None = None) -> NoReturn:
    """Run one workflow from the command line: what the `__main__.py` of an exported package calls.

    Leaves the process with 0 (Completed), 1 (Failed), 2 (wrong usage) or 130 (Cancelled).

    Args:
        workflow_name: of a workflow that is registered in this process.
        argv: the arguments, without the program's name; None: those of the process.
    """
    with _readable_errors():
        workflow = REGISTRY.workflow(workflow_name)
    package = typer.Typer(**STYLE)

    @package.command(help=_describe(workflow))
    def run(param: Params = None, history: HistoryUrl = None) -> None:
        with _readable_errors():
            _run(workflow, param, history)

    sys.exit(package(args=None if argv is None else list(argv)))


def _say_version(wanted: bool) -> None:  # noqa: FBT001 - typer's callback
    if wanted:
        typer.echo(f"cloaca-nb {sys.modules[__package__].__version__}")
        raise typer.Exit


@app.callback()
def _cloaca_nb(
    *,
    _version: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Run workflows from notebooks, packages and scripts, look at past runs, and export notebooks as packages."""


@app.command("run")
def _run_command(
    path: Annotated[
        Path,
        typer.Argument(metavar="PATH", help="A notebook (.ipynb), an exported package's folder, or a script (.py)."),
    ],
    param: Params = None,
    workflow: Annotated[
        str | None, typer.Option(metavar="NAME", help="Which workflow, where PATH holds several.")
    ] = None,
    history: HistoryUrl = None,
) -> None:
    """Run the workflow of a notebook, a package or a script.

    Of a notebook only its tasks are run, with the imports, helpers and constants that they need.

    Progress goes to stderr; stdout is what the tasks print. Exit code: 0 Completed, 1 Failed, 130 Cancelled.
    """
    with _readable_errors():
        _run(_load(path, workflow), param, history)


@app.command("history")
def _history_command(
    *,
    runs: Annotated[int, typer.Option(metavar="N", min=1, help="How many runs, newest first.")] = 20,
    run: Annotated[
        str | None, typer.Option(metavar="ID", help="Show the tasks of this run; the beginning of its id is enough.")
    ] = None,
    history: HistoryUrl = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON: times in UTC, durations in seconds.")] = False,
) -> None:
    """Show the last runs, or the tasks of one."""
    with _readable_errors():
        location = parse_url(history, environ=os.environ, cwd=Path.cwd())
        if location.path is None or not location.path.is_file():
            _say_no_history(location, is_asked_for=(history or run) is not None, as_json=as_json)
            return
        if location.note:
            typer.echo(location.note, err=True)
        with History.open(history) as opened:
            # One more than is shown: whether the beginning of an id is unique shows at its neighbours.
            frame = opened.runs(runs + 1) if run is None else opened.tasks(run)
        if as_json:
            typer.echo(_json(frame.head(runs) if run is None else frame))
        elif run is None:
            _show_runs(frame, runs)
        else:
            _show_tasks(frame)


@app.command("export")
def _export_command(
    notebook: Annotated[Path, typer.Argument(metavar="NOTEBOOK", help="A notebook (.ipynb); nothing of it is run.")],
    folder: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="DIR", help="The package's folder: new, empty, or an earlier export."),
    ],
    workflow: Annotated[
        str | None, typer.Option(metavar="NAME", help="Which workflow, where the notebook holds several.")
    ] = None,
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="The package's name; by default the workflow's.")
    ] = None,
    import_name: Annotated[
        ImportName, typer.Option(help="What the package imports: cloaca for the other engine.")
    ] = ImportName.cloaca_nb,
) -> None:
    """Write a notebook's workflow as an installable package."""
    with _readable_errors():
        _check_exists(notebook)
        package = export(read_notebook(notebook), workflow, name=name, import_name=import_name.value)
        _say_exported(package, write_package(package, folder))


def _load(path: Path, name: str | None) -> Workflow:
    """Load what PATH holds; an error in the user's own code is shown as they would see it in Python."""
    _check_exists(path)
    try:
        return load(path, name)
    except CloacaError:
        raise
    except Exception as error:  # noqa: BLE001 - it is the user's own code that runs here, and it may raise anything
        typer.echo(
            f"{file_label(str(path))} can't be loaded.\n\n{describe_failure(error).traceback}", err=True, nl=False
        )
        raise SystemExit(FAILED) from None


def _run(workflow: Workflow, settings: Sequence[str] | None, history: str | None) -> NoReturn:
    """Execute a workflow before the user's eyes, and leave with the exit code of its status."""
    initial = _settings(settings or (), workflow.parameters)
    console = console_on(sys.stderr)
    with DefaultRunner(history) as runner:
        with progress_on(console) as progress:
            run = _execute(partial(runner.start, workflow, initial, observers=(progress.observe,)))
        say_summary(console, run)
        location = runner.history().location
        kept = "kept in memory only" if location.path is None else f"in {file_label(str(location.path))}"
        console.print(Text(f"  run {run.run_id} {kept}", style="dim"))
    raise SystemExit(EXIT_CODES[run.record.status])


def _execute(start: Callable[[], Run]) -> Run:
    """Start a run and wait until it is over; an interrupt cancels it, however early it comes."""
    with _interrupts_held() as interrupts:
        run = start()
    with suppress(KeyboardInterrupt):  # the next line answers it
        while not interrupts and not run.is_over:
            with suppress(TimeoutError):  # one that comes just before a wait is noticed only when it ends
                run.wait(TICK)
    run.cancel()  # no effect on a run that is over
    run.wait()
    return run


@contextmanager
def _interrupts_held() -> Iterator[list[int]]:
    """For the block, let an interrupt wait: it is put into the list."""
    held: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: held.append(number))
    try:
        yield held
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _readable_errors() -> Iterator[None]:
    """Turn an error of ours into one message on stderr and an exit code."""
    try:
        yield
    except CloacaError as error:
        typer.echo(f"Error: {error}", err=True)
        is_wrong_usage = isinstance(error, ConfigurationError | WorkflowNotFoundError)
        raise SystemExit(WRONG_USAGE if is_wrong_usage else FAILED) from None


def _check_exists(path: Path) -> None:
    if not path.exists():
        known = [one.name for one in path.parent.iterdir()] if path.parent.is_dir() else []
        raise typer.BadParameter(f"There is no {str(path)!r}.{near_miss(path.name, known)}", param_hint="PATH")


# -- parameters


def _settings(texts: Sequence[str], parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Read KEY=VALUE texts as values of the initial context, each of the type that its parameter's default has."""
    try:
        given = parse_settings(texts)
        return {key: fit(key, text, parameters) if parameters else read_value(text) for key, text in given.items()}
    except DefinitionError as error:
        raise typer.BadParameter(str(error), param_hint="--param") from None


def _describe(workflow: Workflow) -> str:
    """Return the help of a package's command: what its workflow is for, and its parameters with their defaults."""
    text = workflow.description or f"Run the workflow {workflow.name}."
    if not workflow.parameters:
        return text
    # The mark of a backspace keeps the lines of a paragraph apart.
    lines = [f"  {key}={_as_typed(default)}" for key, default in workflow.parameters.items()]
    return f"{text}\n\n\b\nParameters:\n" + "\n".join(lines)


def _as_typed(value: Any) -> str:
    """Return a value as it is typed after ``KEY=``."""
    try:
        return value if isinstance(value, str) else json.dumps(value)
    except TypeError:
        return str(value)


# -- what is shown


def _say_exported(package: Package, folder: Path) -> None:
    console = _stdout()
    console.print(Text.assemble(mark(console, Status.COMPLETED), f" {package.name} is in {file_label(str(folder))}"))
    for path in sorted(package.files):
        console.print(f"    {path}")
    if package.left_out:
        console.print("  Left out, since no task needs it:")
    for line in package.left_out:
        console.print(Text(f"    {line}", style="dim"))


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


def _show_runs(frame: "pd.DataFrame", limit: int) -> None:
    console, table = _stdout(), _table()
    for title in ("run", "workflow", "", "started"):
        table.add_column(title, no_wrap=True)
    for title in ("duration", "tasks"):
        table.add_column(title, justify="right", no_wrap=True)
    shortened = _shortened(list(frame["run_id"]))
    for row in frame.head(limit).to_dict("records"):
        kind = "" if row["kind"] == "run" else f" ({row['kind']})"
        table.add_row(
            shortened[str(row["run_id"])],
            f"{row['workflow']}{kind}",
            _status(console, str(row["status"])),
            _local(row["started"]),
            _lasted(row["duration"]),
            str(row["tasks"]),
        )
    _show_table(console, table)


def _show_tasks(frame: "pd.DataFrame") -> None:
    console, table = _stdout(), _table()
    for title in ("task", ""):
        table.add_column(title, no_wrap=True)
    table.add_column("duration", justify="right", no_wrap=True)
    table.add_column("attempts", justify="right", no_wrap=True)
    table.add_column("")
    for row in frame.to_dict("records"):
        said = " ".join(filter(None, (row["error"] or row["reason"], row["location"] and f"({row['location']})")))
        table.add_row(
            str(row["task_id"]),
            _status(console, str(row["outcome"])),
            _lasted(row["duration"]),
            str(row["attempts"]),
            said,
        )
    _show_table(console, table)


def _stdout() -> "Console":
    """Return a console on stdout that shows a character which its encoding lacks in another way."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    return console_on(sys.stdout)


def _table() -> Table:
    return Table(box=None, header_style="dim", pad_edge=False, padding=(0, 2, 0, 0))


def _show_table(console: "Console", table: Table) -> None:
    """Show a table: as wide as the terminal at most, and unabridged where a program reads it."""
    if not console.is_terminal:
        console.width = UNLIMITED
    console.print(table, soft_wrap=False)


def _status(console: "Console", word: str) -> Text:
    return Text.assemble(mark(console, word), f" {word}")


def _local(at: "pd.Timestamp") -> str:
    return at.tz_localize("UTC").astimezone(None).strftime("%Y-%m-%d %H:%M:%S")


def _lasted(seconds: float) -> str:
    return "" if seconds != seconds else duration(seconds)  # noqa: PLR0124 - NaN: it isn't over


def _json(frame: "pd.DataFrame") -> str:
    in_utc = frame.assign(**{name: frame[name].dt.tz_localize("UTC") for name in ("started", "ended")})
    return in_utc.to_json(orient="records", date_format="iso", date_unit="us", indent=2)


def _shortened(run_ids: Sequence[str]) -> dict[str, str]:
    """Return the shortest beginning by which each id is known. They sort by time, so only neighbours matter."""
    ordered = sorted(run_ids)
    needed = [sum(1 for _ in takewhile(bool, map(eq, one, other))) + 1 for one, other in pairwise(ordered)]
    length = max([SHORTEST_ID, *needed])
    return {run_id: run_id[:length] for run_id in ordered}

"""The command `cloaca-nb`, with all that it can be told to do."""

import sys
from collections.abc import Callable
from typing import Annotated, Final, NoReturn

import typer

from cloaca_nb.cli.diff import show_diff
from cloaca_nb.cli.examples import epilog
from cloaca_nb.cli.export import export_notebook
from cloaca_nb.cli.history import show_history
from cloaca_nb.cli.imported import import_as_notebook
from cloaca_nb.cli.inspect import show_archive
from cloaca_nb.cli.logs import show_logs
from cloaca_nb.cli.misplaced import HistoryGroup
from cloaca_nb.cli.options import STYLE
from cloaca_nb.cli.pack import pack_project
from cloaca_nb.cli.prune import prune_history
from cloaca_nb.cli.reuse import ReusingCommand
from cloaca_nb.cli.run import run_path
from cloaca_nb.cli.sql import answer_sql

__all__ = ["app", "main"]

app: Final = typer.Typer(name="cloaca-nb", no_args_is_help=True, **STYLE)
app.command("run", cls=ReusingCommand, short_help="Run a notebook, package, archive or script.", epilog=epilog("run"))(
    run_path
)
history: Final = typer.Typer(
    cls=HistoryGroup,
    callback=show_history,
    invoke_without_command=True,
    short_help="Show, compare, query or prune past runs.",
    epilog=epilog("history"),
    **STYLE,
)
LOOKS: Final[dict[str, tuple[Callable[..., None], str]]] = {
    "diff": (show_diff, "Show what differs between two runs."),
    "logs": (show_logs, "Show what the tasks of a run wrote."),
    "sql": (answer_sql, "Ask the history in SQL; it can only read."),
}
for _name, (_command, _short) in LOOKS.items():
    history.command(_name, short_help=_short, epilog=epilog(_name))(_command)
    app.command(_name, hidden=True, epilog=epilog(_name))(_command)  # whoever knows %cloaca_logs looks for it here
history.command("prune", short_help="Remove old runs, and values that no other needs.", epilog=epilog("prune"))(
    prune_history
)
app.add_typer(history, name="history")
app.command("export", short_help="Write a notebook's workflow as a package.", epilog=epilog("export"))(export_notebook)
app.command("import", short_help="Make a notebook of a package.", epilog=epilog("import"))(import_as_notebook)
app.command("pack", short_help="Make a .cloacina archive of a project.", epilog=epilog("pack"))(pack_project)
app.command("inspect", short_help="Check an archive, and show what it says of itself.", epilog=epilog("inspect"))(
    show_archive
)


def main() -> NoReturn:
    """Run the command line that the process was given: what `cloaca-nb` and `python -m cloaca_nb` call."""
    sys.exit(app())


def _say_version(wanted: bool) -> None:  # noqa: FBT001 - typer's callback
    if wanted:
        typer.echo(f"cloaca-nb {sys.modules['cloaca_nb'].__version__}")
        raise typer.Exit


@app.callback()
def _cloaca_nb(
    *,
    _version: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Run workflows from notebooks, packages and scripts, look at past runs, and export notebooks as packages."""

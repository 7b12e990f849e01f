"""`cloaca-nb export`: a notebook becomes a package, and an archive where that is wanted."""

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from cloaca_nb.cli.opened import opened
from cloaca_nb.cli.options import HistoryUrl, Vendor, check_exists, reader
from cloaca_nb.cli.outcome import readable_errors
from cloaca_nb.cli.pack import say_packed
from cloaca_nb.cli.table import stdout
from cloaca_nb.core.cell.option_values import word
from cloaca_nb.core.status import Status
from cloaca_nb.declare.place import file_label
from cloaca_nb.golden import recorded
from cloaca_nb.packaging.analysis.imports import OUR_NAMES
from cloaca_nb.packaging.analysis.notebook import read_notebook
from cloaca_nb.packaging.deliver import Wishes, deliver
from cloaca_nb.packaging.export.package import Package
from cloaca_nb.terminal.marks import mark
from cloaca_nb.verification import verification

__all__ = ["export_notebook"]


def export_notebook(  # noqa: PLR0913 - one for each option
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
        str,
        typer.Option(
            metavar="cloaca_nb|cloaca",
            parser=reader(word(OUR_NAMES)),
            help="What the package imports: cloaca for the other engine.",
        ),
    ] = OUR_NAMES[0],
    *,
    archive: Annotated[
        bool,
        typer.Option("--archive", help="Add <name>-<version>.cloacina, after the package was imported and compared."),
    ] = False,
    vendor: Vendor = None,
    verify: Annotated[
        str | None,
        typer.Option(
            "--verify",
            metavar="RUN",
            help="Run the package as this run (an id, or last) was, and compare what both end with.",
        ),
    ] = None,
    golden: Annotated[
        str | None,
        typer.Option(
            "--golden",
            metavar="RUN",
            help="Add tests: each task, given what it was given in this run (an id, or last), sets what it set there.",
        ),
    ] = None,
    history: HistoryUrl = None,
) -> None:
    """Write a notebook's workflow as an installable package.

    What no task needs is left out and listed. What acts when the notebook runs, like `!wget`, no package does: it is
    listed apart. `%cd` or `os.chdir` above a task is an error, unless its cell begins with `#| cloaca: skip`.
    """
    with readable_errors(), ExitStack() as stack:
        check_exists(notebook, "NOTEBOOK")
        wishes = Wishes(name, import_name, archive=archive, vendor=vendor or ())
        notes: list[str] = []
        if verify is not None or golden is not None:
            runs = stack.enter_context(opened(history))
            more = None if golden is None else recorded(runs, golden, notes.append)
            wishes = wishes._replace(
                more=more, check=None if verify is None else verification(runs, verify, typer.echo)
            )
        made = deliver(read_notebook(notebook), workflow, folder, wishes)
        _say_exported(made.package, made.folder)
        typer.echo(f"  {made.next_step}")
        for note in notes:
            typer.echo(f"  {note}")
        if made.packed is not None:
            say_packed(made.packed)


def _say_exported(package: Package, folder: Path) -> None:
    console = stdout()
    console.print(Text.assemble(mark(console, Status.COMPLETED), f" {package.name} is in {file_label(str(folder))}"))
    for path in sorted([*package.files, *package.data]):
        console.print(f"    {path}")
    for title, lines in package.behind.items():
        console.print(f"  {title}")
        for line in lines:
            console.print(Text(f"    {line}", style="dim"))

"""`cloaca-nb import`: a package becomes a notebook again."""

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from cloaca_nb.cli.options import check_exists
from cloaca_nb.cli.outcome import readable_errors
from cloaca_nb.cli.table import stdout
from cloaca_nb.core.status import Status
from cloaca_nb.declare.place import file_label
from cloaca_nb.packaging.export.imported import import_package
from cloaca_nb.packaging.export.write import write_notebook
from cloaca_nb.terminal.marks import mark

__all__ = ["import_as_notebook"]


def import_as_notebook(
    package: Annotated[
        Path,
        typer.Argument(
            metavar="PACKAGE",
            help="A folder whose pyproject.toml names an entry module, a .py file, or a .cloacina archive.",
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="NOTEBOOK",
            help="The notebook, or a folder for it; by default here, under the name that it was exported from.",
        ),
    ] = None,
) -> None:
    """Make a notebook of a package; nothing of the package is run.

    What an export wrote goes back into its cells, so that another export gives the same package. Of a package that was
    written by hand, each task, function and class gets a cell.
    """
    with readable_errors():
        check_exists(package, "PACKAGE")
        target = output or Path()
        made = import_package(package, target.stem if target.suffix == ".ipynb" else None)
        target = target if target.suffix == ".ipynb" else target / f"{made.notebook.name}.ipynb"
        written = write_notebook(made.notebook, made.files, target)
        console = stdout()
        console.print(Text.assemble(mark(console, Status.COMPLETED), f" {file_label(str(written))}"))
        for name in made.files:
            console.print(f"    {name} beside it")
        if made.note:
            typer.echo(made.note, err=True)

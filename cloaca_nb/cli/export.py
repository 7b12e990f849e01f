"""`cloaca-nb export`: a notebook becomes a package, and an archive where that is wanted."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from cloaca_nb.cli.options import Vendor, check_exists
from cloaca_nb.cli.outcome import readable_errors
from cloaca_nb.cli.pack import say_packed
from cloaca_nb.cli.table import stdout
from cloaca_nb.core.status import Status
from cloaca_nb.declare.place import file_label
from cloaca_nb.packaging.export import export
from cloaca_nb.packaging.notebook import read_notebook
from cloaca_nb.packaging.pack import pack
from cloaca_nb.packaging.package import Package
from cloaca_nb.packaging.write import write_package
from cloaca_nb.terminal import mark

__all__ = ["export_notebook"]


class ImportName(StrEnum):
    """What an exported package imports."""

    cloaca_nb = "cloaca_nb"
    cloaca = "cloaca"


def export_notebook(
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
    *,
    archive: Annotated[
        bool,
        typer.Option("--archive", help="Add <name>-<version>.cloacina, after the package was imported and compared."),
    ] = False,
    vendor: Vendor = None,
) -> None:
    """Write a notebook's workflow as an installable package."""
    with readable_errors():
        check_exists(notebook)
        if vendor and not archive:
            raise typer.BadParameter("Distributions are carried in an archive: add --archive.", param_hint="--vendor")
        content = read_notebook(notebook)
        package = export(content, workflow, name=name, import_name=import_name.value)
        written = write_package(package, folder)
        _say_exported(package, written)
        if archive:
            made = pack(written, written, vendor=vendor or (), expected=package.dependencies, modified=content.modified)
            say_packed(made)


def _say_exported(package: Package, folder: Path) -> None:
    console = stdout()
    console.print(Text.assemble(mark(console, Status.COMPLETED), f" {package.name} is in {file_label(str(folder))}"))
    for path in sorted(package.files):
        console.print(f"    {path}")
    if package.left_out:
        console.print("  Left out, since no task needs it:")
    for line in package.left_out:
        console.print(Text(f"    {line}", style="dim"))

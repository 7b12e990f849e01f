"""`cloaca-nb pack`: a project becomes an archive."""

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from cloaca_nb.cli.options import Vendor, check_exists
from cloaca_nb.cli.outcome import readable_errors
from cloaca_nb.cli.table import stdout
from cloaca_nb.core.status import Status
from cloaca_nb.declare.place import file_label
from cloaca_nb.packaging.pack import Packed, pack
from cloaca_nb.terminal.marks import mark

__all__ = ["pack_project", "say_packed"]


def pack_project(
    folder: Annotated[
        Path,
        typer.Argument(metavar="DIR", help="A project whose pyproject.toml says [tool.cloaca] entry_module."),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="The archive, or a folder for it; by default <name>-<version>.cloacina here.",
        ),
    ] = None,
    vendor: Vendor = None,
) -> None:
    """Make a .cloacina archive of a project, after every check that a loader makes.

    It holds the entry module, the modules beside it that it imports, and vendor/. The package is imported once, in a
    process of its own; none of its tasks is run. The same files give the same bytes.
    """
    with readable_errors():
        check_exists(folder, "DIR")
        say_packed(pack(folder, output, vendor=vendor or ()))


def say_packed(packed: Packed) -> None:
    """Say where an archive is and what it holds; what is odd about it goes to stderr."""
    console, found = stdout(), packed.inspection
    console.print(Text.assemble(mark(console, Status.COMPLETED), f" {file_label(str(packed.path))}"))
    holds = _counted(len(found.files), "file"), _counted(len(found.manifest.tasks), "task"), f"{found.packed:,} bytes"
    console.print(f"    {', '.join(holds)}")
    console.print(f"    {found.fingerprint}")
    for warning in found.warnings:
        typer.echo(warning, err=True)


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"

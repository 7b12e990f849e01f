"""What commands print on stdout: tables as wide as the terminal, in characters that it has."""

import io
import sys
from typing import TYPE_CHECKING, Final

from rich.table import Table

from cloaca_nb.terminal.marks import console_on

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["show_table", "stdout", "table"]

UNLIMITED: Final = 10_000  # columns


def stdout() -> "Console":
    """Return a console on stdout that shows a character which its encoding lacks in another way."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    return console_on(sys.stdout)


def table() -> Table:
    """Return an empty table without lines."""
    return Table(box=None, header_style="dim", pad_edge=False, padding=(0, 2, 0, 0))


def show_table(console: "Console", table: Table) -> None:
    """Show a table: as wide as the terminal at most, and unabridged where a program reads it."""
    if not console.is_terminal:
        console.width = UNLIMITED
    console.print(table, soft_wrap=False)

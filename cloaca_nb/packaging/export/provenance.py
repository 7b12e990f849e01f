"""Where in a notebook a part of a package comes from: one comment above it, written by exports and read by imports."""

import re
from typing import Final, NamedTuple

from cloaca_nb.packaging.analysis.notebook import Cell

__all__ = ["Provenance", "provenance_line", "read_provenance"]

_LINE: Final = re.compile(r"[ \t]*# (?P<notebook>\S.*)\.ipynb, cell (?P<cell>[\w-]+)")


class Provenance(NamedTuple):
    """A cell of a notebook.

    Attributes:
        notebook: the name of its file, without folder and suffix.
        cell: its id, or its place among the code cells where it has none.
    """

    notebook: str
    cell: str


def provenance_line(notebook: str, cell: Cell) -> str:
    """Return the comment that stands above what comes from a cell.

    >>> provenance_line("01_flights", Cell(3, "a1b2", "x = 1"))
    '# 01_flights.ipynb, cell a1b2'
    """
    return f"# {' '.join(notebook.split())}.ipynb, cell {cell.id or cell.number}"


def read_provenance(line: str) -> Provenance | None:
    """Return what such a comment says; None for another line."""
    match = _LINE.fullmatch(line.rstrip())
    return Provenance(match["notebook"], match["cell"]) if match else None

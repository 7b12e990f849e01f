"""Cells that say themselves what an export makes of them: tests, and those with a directive."""

import re
from dataclasses import dataclass

from cloaca_nb.core.cells import TaskCell
from cloaca_nb.core.directives import directive, without_directive
from cloaca_nb.core.testing import cell_of_test, is_test_cell, parse_test_cell
from cloaca_nb.errors import CellError, ExportError
from cloaca_nb.packaging.analysis.magics import Transform, cell_magic
from cloaca_nb.packaging.analysis.notebook import Cell

__all__ = ["TestOfCell", "mark_of", "read_test"]


@dataclass(frozen=True, slots=True)
class TestOfCell:
    """A cell that is a test of a workflow; its function's text is made like a task's."""

    cell: Cell
    test: TaskCell
    workflow: str


def mark_of(cell: Cell) -> str | None:
    """Return the word of a plain cell's directive; None if it has none.

    Raises:
        ExportError: for an unknown word, or a directive in a cell with a cell magic of ours.
    """
    try:
        word = directive(cell.text)
    except CellError as error:
        raise ExportError(f"{cell.at(1)}: {error}") from error
    magic = cell_magic(cell.text)
    if word is not None and magic is not None and magic.name.startswith("cloaca_"):
        raise ExportError(f"{cell.at(1)}: `#| cloaca: {word}` is for plain cells, and this is a %%{magic.name} cell.")
    return word


def read_test(cell: Cell, workflow: str, transform: Transform) -> TestOfCell:
    """Read a test; one in a plain cell is called by the cell's id, else by its place.

    Raises:
        ExportError: if it can't be understood.
    """
    try:
        if is_test_cell(cell.text):
            return TestOfCell(cell, parse_test_cell(cell.text), workflow)
        name = re.sub(r"\W+", "_", cell.id) or f"cell_{cell.number}"
        return TestOfCell(cell, cell_of_test(name, transform(without_directive(cell.text)), 1), workflow)
    except CellError as error:
        raise ExportError(f"{cell.at(1)}: {error}") from error

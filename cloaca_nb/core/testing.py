"""The grammar of a test cell: `%%cloaca_test NAME`, whose body asserts something of tasks or of the final context."""

import re
from collections.abc import Collection
from typing import Final

from cloaca_nb.core.cell.function_text import FunctionText
from cloaca_nb.core.cell.magic_line import MagicLine
from cloaca_nb.core.cell.options import TaskOptions
from cloaca_nb.core.cells import Resolution, TaskCell, function_text, resolve
from cloaca_nb.errors import CellError

__all__ = ["cell_of_test", "function_of_test", "is_test_cell", "parse_test_cell"]

MAGIC: Final = "%%cloaca_test"
FIRST: Final = re.compile(rf"{MAGIC}(?=\s|$)(?P<rest>.*)")
LINE: Final = MagicLine(MAGIC, (), "It takes the test's name and nothing else.")
ENDING: Final = "    return context\n"  # of a task's function; a test returns nothing
CONTEXT: Final = re.compile(r"\bcontext\b")
PREFIX: Final = "test_"  # of the functions that pytest takes for tests


def is_test_cell(text: str) -> bool:
    """Say whether the text of a cell makes it a test."""
    return FIRST.fullmatch(text.lstrip("\n").partition("\n")[0].rstrip()) is not None


def parse_test_cell(text: str) -> TaskCell:
    r"""Understand the whole text of a test cell: it reads names as a task does, and sets none.

    Raises:
        CellError: a ValueError that names the line and the fix.

    >>> parse_test_cell("%%cloaca_test totals\nassert total == 3").id
    'test_totals'
    """
    text = text.replace("\r\n", "\n")
    blank = len(text) - len(text.lstrip("\n"))
    line, _, body = text[blank:].partition("\n")
    found = FIRST.fullmatch(line.rstrip())
    name, _ = LINE.read(found["rest"] if found else "")
    if not name:
        raise CellError(f"{MAGIC} needs the test's name: `{MAGIC} NAME`.")
    if not name.isidentifier():
        raise CellError(f"A test has a name that could be a function's, not {name!r}: {MAGIC} totals")
    return cell_of_test(name, body, blank + 2)


def cell_of_test(name: str, body: str, first_line: int) -> TaskCell:
    """Return a test of that name; see `parse_test_cell`."""
    cell = TaskCell(name if name.startswith(PREFIX) else PREFIX + name, TaskOptions(), body, first_line)
    if not cell.code.statements:
        raise CellError(f"The test {cell.id!r} says nothing, so it can't fail. Assert something in it.")
    if cell.code.is_async:
        raise CellError("A test doesn't await anything: assert what the run ended with, or call asyncio.run(…).")
    return cell


def function_of_test(
    cell: TaskCell, keys: Collection[str], parameters: Collection[str]
) -> tuple[FunctionText, Resolution]:
    """Return the function that a test is, and where its names come from; it takes a ``context`` if it looks at one.

    Args:
        cell: the test.
        keys: that the tasks of its workflow set.
        parameters: of its workflow.

    Raises:
        CellError: a ValueError, if its names can't be told apart.
    """
    resolution = resolve(cell, keys, parameters)._replace(sets=(), deletes=())
    function = function_text(cell, resolution)
    text, lines = function.text.removesuffix(ENDING), function.lines
    lines = lines if text == function.text else lines[:-1]
    first, _, rest = text.partition("\n")
    if not CONTEXT.search(rest):
        first = first.replace("(context)", "()")
    return FunctionText(f"{first}\n{rest}", lines), resolution

"""What of a notebook is not in its package: what no task needs, and what acts when the notebook runs."""

import ast
from collections.abc import Iterable, Mapping

from cloaca_nb.core.secret import MASK, SecretKeys
from cloaca_nb.packaging.analysis.imports import Import
from cloaca_nb.packaging.analysis.ipython_calls import calls_in
from cloaca_nb.packaging.analysis.notebook import Cell
from cloaca_nb.packaging.analysis.statements import Statement

__all__ = ["acts", "acts_itself", "left_out"]


def left_out(statements: Iterable[Statement], others: Iterable[Statement], used: Mapping[Import, str]) -> list[str]:
    """Return a line for each statement that no task needs; of imports those of which nothing is used.

    Nobody expects our own magics in a package: they are not among them. What is carried and what acts isn't, either:
    the `others`.
    """
    known = set(others)
    wheres = set(used.values())
    lines = (
        f"{one.where}: {one.first_line}"
        for one in statements
        if one not in known
        and not any(call.is_ours for call in calls_in(one.node))
        and not (isinstance(one.node, ast.Import | ast.ImportFrom) and one.where in wheres)
    )
    return list(dict.fromkeys(lines))  # several statements may share a line


def acts_itself(statement: Statement) -> bool:
    """Say whether a magic or shell line in a statement acts when that runs."""
    return any(call.acts for call in calls_in(statement.node))


def acts(statements: Iterable[Statement], cells: Iterable[Cell]) -> list[str]:
    """Return a line for each statement and cell that acts when the notebook runs, in document order.

    Nothing of them is in the package: out of their place they do something else, and they may hold secrets.

    Args:
        statements: those that act, and aren't carried.
        cells: which a cell magic makes something else than Python.
    """
    found = [*((cell, _first_line(cell)) for cell in cells), *((one.cell, _masked(one)) for one in statements)]
    return list(dict.fromkeys(line for _, line in sorted(found, key=lambda pair: pair[0].number)))


def _masked(statement: Statement) -> str:
    """Return where a statement stands and its first line, without the value of a variable with a secret's name."""
    text = f"{statement.where}: {statement.first_line}"
    for name, value in (call.variable for call in calls_in(statement.node)):
        if value and name in SecretKeys():
            text = MASK.join(text.rsplit(value, 1))
    return text


def _first_line(cell: Cell) -> str:
    text = cell.text.lstrip()
    number = cell.text[: len(cell.text) - len(text)].count("\n") + 1
    return f"{cell.at(number)}: {text.partition(chr(10))[0].rstrip()}"

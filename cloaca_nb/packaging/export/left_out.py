"""What of a notebook is not in its package: what no task needs, and what acts when the notebook runs."""

import ast
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Final, NamedTuple

from cloaca_nb.core.secret import MASK, SecretKeys
from cloaca_nb.packaging.analysis.imports import Import
from cloaca_nb.packaging.analysis.ipython_calls import calls_in
from cloaca_nb.packaging.analysis.notebook import Cell
from cloaca_nb.packaging.analysis.statements import Statement

__all__ = ["Act", "acts", "acts_section", "left_out", "read_acts"]

_HEADING: Final = "\n## What the notebook does besides\n\nThis acts when the notebook runs; the package won't do it:\n"
_BLOCK: Final = re.compile(r"^(?P<fence>`{3,})\n(?P<text>.*?)\n(?P=fence)$", re.MULTILINE | re.DOTALL)


class Act(NamedTuple):
    """Lines of one cell that act on the world when the notebook runs, and by which tasks may be touched.

    Attributes:
        cell: where they stand.
        lines: where each begins, and its first line, for people.
        text: all of them.
    """

    cell: Cell
    lines: tuple[str, ...]
    text: str


def left_out(statements: Iterable[Statement], carried: Iterable[Statement], used: Mapping[Import, str]) -> list[str]:
    """Return a line for each statement that no task needs; of imports those of which nothing is used.

    Nobody expects our own magics in a package: they are not among them. What acts isn't, either.
    """
    known = set(carried)
    wheres = set(used.values())
    lines = (
        f"{one.where}: {one.first_line}"
        for one in statements
        if one not in known
        and not any(call.is_ours or call.acts for call in calls_in(one.node))
        and not (isinstance(one.node, ast.Import | ast.ImportFrom) and one.where in wheres)
    )
    return list(dict.fromkeys(lines))  # several statements may share a line


def acts(statements: Iterable[Statement], carried: Iterable[Statement], cells: Iterable[Cell]) -> list[Act]:
    """Return what acts when the notebook runs and isn't carried, in document order.

    Args:
        statements: of the notebook.
        carried: those that the package has.
        cells: which a cell magic makes something else than Python.
    """
    known = set(carried)
    acting = [one for one in statements if one not in known and any(call.acts for call in calls_in(one.node))]
    found = [Act(cell, (_line(cell),), cell.text.strip("\n")) for cell in cells]
    for cell, group in groupby(acting, key=lambda one: one.cell):
        own = list(group)
        texts = [_masked(one, "\n".join(cell.text.split("\n")[one.line - 1 : one.node.end_lineno])) for one in own]
        lines = (f"{one.where}: {_masked(one, one.first_line)}" for one in own)
        found.append(Act(cell, tuple(lines), "\n".join(texts)))
    return sorted(found, key=lambda one: one.cell.number)


def acts_section(found: Sequence[Act]) -> str:
    """Return the part of a package's README that shows them; empty if there is none."""
    return _HEADING + "".join(map(_fenced, found)) if found else ""


def read_acts(readme: str) -> list[str]:
    """Return the texts that such a part shows."""
    return [match["text"] for match in _BLOCK.finditer(readme.partition(_HEADING)[2])]


def _masked(statement: Statement, text: str) -> str:
    """Return the text of a statement without the values that it gives to variables with a secret's name."""
    for call in calls_in(statement.node):
        name, value = call.variable
        if value and name in SecretKeys():
            text = MASK.join(text.rsplit(value, 1))
    return text


def _line(cell: Cell) -> str:
    text = cell.text.lstrip()
    number = cell.text[: len(cell.text) - len(text)].count("\n") + 1
    return f"{cell.at(number)}: {text.partition(chr(10))[0].rstrip()}"


def _fenced(act: Act) -> str:
    longest = max(map(len, re.findall("`+", act.text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"\n{fence}\n{act.text}\n{fence}\n"

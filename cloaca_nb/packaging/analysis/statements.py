"""The top-level statements of a cell: their text with its comments, what they define, read and change."""

import ast
import io
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from cloaca_nb.core.code.bindings import own_scope
from cloaca_nb.core.code.newer import hint_of_version
from cloaca_nb.errors import ExportError
from cloaca_nb.packaging.analysis.changes import root_name, touched_by
from cloaca_nb.packaging.analysis.free_names import FreeNames, free_names
from cloaca_nb.packaging.analysis.notebook import Cell
from cloaca_nb.packaging.analysis.quiet import parse

__all__ = ["KNOWN", "Place", "Statement", "read_statements"]

KNOWN: Final = 8192  # statements and cells of which is kept what was found out


class Place(NamedTuple):
    """Where a statement stands in the notebook; places compare in document order."""

    cell: int
    number: int  # among the statements of the cell


@dataclass(frozen=True, slots=True, eq=False)
class Statement:
    """One top-level statement. Compared by identity.

    Attributes:
        cell: where it stands.
        place: its place in document order.
        text: its source with the comments directly above it and at its end.
        node: its syntax tree; line numbers are those of the cell.
        names: what it defines and reads of the notebook's names.
        changes: the names whose values it changes in place, as far as its own syntax shows.
    """

    cell: Cell
    place: Place
    text: str
    node: ast.stmt
    names: FreeNames
    changes: frozenset[str]

    @property
    def where(self) -> str:
        """The cell and the line, as error messages name them."""
        return self.cell.at(self.line)

    @property
    def line(self) -> int:
        """The line of the cell on which the statement (or its first decorator) begins."""
        return _first_line(self.node)

    @property
    def first_line(self) -> str:
        """Its first line of code as it stands in the cell, for messages and lists."""
        return self.cell.text.split("\n")[self.line - 1].strip()

    def same_as(self, other: "Statement") -> bool:
        """Say whether both do the same, comments and layout aside."""
        return self is other or ast.dump(self.node) == ast.dump(other.node)


def read_statements(cell: Cell, text: str, *, lazy_annotations: bool = False) -> tuple[Statement, ...]:
    """Return the top-level statements of a cell.

    Args:
        cell: the cell, for places and messages.
        text: its text as plain Python, line for line that of the cell.
        lazy_annotations: whether ``from __future__ import annotations`` holds for it.

    Raises:
        ExportError: if the text is no Python.
    """
    try:
        nodes = parse(text).body
    except SyntaxError as error:
        raise ExportError(
            f"{cell.at(error.lineno or 1)}: not valid Python ({error.msg}).{hint_of_version(error)} "
            "Mend the cell, or leave it out."
        ) from None
    lines = text.split("\n")
    comments = _comments(text)
    found = []
    for index, node in enumerate(nodes):
        end_above = nodes[index - 1].end_lineno or 0 if index else 0
        start_below = _first_line(nodes[index + 1]) if index + 1 < len(nodes) else len(lines) + 1
        code = _text_of(node, lines, comments, end_above, start_below)
        names = free_names(code, lazy_annotations=lazy_annotations)
        found.append(Statement(cell, Place(cell.number, index), code, node, names, frozenset(_changes(node))))
    return tuple(found)


def _first_line(node: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def _comments(text: str) -> set[int]:
    """Return the numbers of the lines that hold only a comment."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return {token.start[0] for token in tokens if token.type == tokenize.COMMENT and token.line.lstrip()[0] == "#"}


def _text_of(node: ast.stmt, lines: list[str], comments: set[int], end_above: int, start_below: int) -> str:
    """Return the statement's lines with its comments; only its own characters where it shares a line."""
    first, last = _first_line(node), node.end_lineno or node.lineno
    if first <= end_above or last >= start_below:
        return ast.get_source_segment("\n".join(lines), node) or ast.unparse(node)
    while first - 1 in comments and first - 1 > end_above:
        first -= 1
    return "\n".join(lines[first - 1 : last])


def _changes(node: ast.stmt) -> Iterator[str]:
    """Yield the names of the module whose values a statement changes, or may change, in place by its syntax."""
    for part in own_scope([node]):
        if isinstance(part, ast.Attribute | ast.Subscript) and isinstance(part.ctx, ast.Store | ast.Del):
            yield from _stored_in(part)
        elif isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield from _registered_at(part)
        elif isinstance(part, ast.Expr) and isinstance(part.value, ast.Call):
            yield from touched_by(part.value)


def _stored_in(target: ast.Attribute | ast.Subscript) -> Iterator[str]:
    """Yield the name whose value is changed: ``D`` of ``D["k"] = 1``, ``get()`` of ``get().x = 1``."""
    match target:
        case ast.Subscript(value=ast.Call(func=ast.Name(id="globals")), slice=ast.Constant(value=str(name))):
            yield name
        case _:
            yield from root_name(target)


def _registered_at(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> Iterator[str]:
    """Yield the objects that a decorator like ``@area.register`` hands the definition to."""
    for decorator in node.decorator_list:
        target = decorator.func if isinstance(decorator, ast.Call) else decorator
        if isinstance(target, ast.Attribute):
            yield from root_name(target)

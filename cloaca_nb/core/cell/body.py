"""The body of a task cell as Python: parsed, checked, and walked once; errors name the cell's line and the fix."""

import ast
import re
import warnings
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from cloaca_nb.core.code.bindings import SCOPES, How, bindings, captured_later, captured_now, own_scope
from cloaca_nb.core.code.newer import hint_of_version
from cloaca_nb.core.code.scope_flow import ScopeFlow
from cloaca_nb.core.names import BodyNames, body_names, flow_of
from cloaca_nb.errors import CellError

__all__ = ["Body", "parse_statements", "read_body"]

SHOWN: Final = 40  # characters of a value that a message repeats
_OF_IPYTHON: Final = re.compile(r"\s*([\w.,()\[\]* \t]+=\s*)?[%!]")  # `!ls`, `files = !ls`, `%time f()`


@dataclass(frozen=True)
class Body:
    r"""The body of a task cell.

    Attributes:
        text: as it stands in the cell, with line ends of ``\\n``.
        first_line: the line of the cell, from 1, where it starts.
        statements: its syntax tree.
    """

    text: str
    first_line: int
    statements: Sequence[ast.stmt]

    @cached_property
    def lines(self) -> list[str]:
        """The lines of the text."""
        return self.text.split("\n")

    @cached_property
    def flow(self) -> ScopeFlow:
        """What a walk through the code finds."""
        return flow_of(self.statements)

    @cached_property
    def names(self) -> BodyNames:
        """What the body does with its names."""
        return body_names(self.statements)

    @cached_property
    def is_async(self) -> bool:
        """Whether the function that it becomes is an ``async def``."""
        return any(
            isinstance(node, ast.Await | ast.AsyncFor | ast.AsyncWith)
            or (isinstance(node, ast.comprehension) and node.is_async == 1)
            for node in own_scope(self.statements)
        )

    def bound_at(self, name: str) -> int:
        """Return the line of the cell that binds `name` first."""
        lines = [one.line for one in bindings(self.statements) if one.name == name and one.how is not How.ANNOTATION]
        return self.cell_line(min(lines, default=1))

    def read_at(self, name: str) -> int:
        """Return the line of the cell that reads `name` first."""
        read = self.flow.reads.get(name)
        return self.cell_line(read.place[0] if read else 1)

    def deleted_at(self, name: str) -> int:
        """Return the line of the cell where `name`, which came from outside, is deleted first."""
        return self.cell_line(self.flow.deleted[name])

    def class_clashes(self, given: Collection[str]) -> Iterator[tuple[str, int]]:
        """Yield names that a class binds for itself after it used the cell's, and the lines: only globals allow that.

        Args:
            given: names that come from the context.
        """
        if self._taken_by_classes:
            local = {*self.names.bound, *given}
            yield from ((name, line) for name, line in self._taken_by_classes if name in local)

    @cached_property
    def _taken_by_classes(self) -> list[tuple[str, int]]:
        """The names that a class binds for itself after it used one of that name from around it, and the lines."""
        return [
            (name.id, self.cell_line(name.lineno))
            for node in own_scope(self.statements)
            if isinstance(node, ast.ClassDef)
            for own in [{one.name for one in bindings(node.body)}]
            for name in captured_now(node)
            if name.id in own
        ]

    def cell_line(self, line: int) -> int:
        """Return which line of the cell a line of the body is; both from 1."""
        return line + self.first_line - 1


def read_body(text: str, first_line: int) -> Body:
    r"""Parse and check the body of a task cell.

    Args:
        text: the body, with line ends of ``\\n``.
        first_line: the line of the cell, from 1, where it starts.

    Raises:
        CellError: a ValueError, for code that can't be a task's body.
    """
    statements = parse_statements(text, first_line)
    for node, message in _faults(statements):
        raise CellError(_at(text, first_line, getattr(node, "lineno", 1), message))
    try:
        _compile(statements)
    except SyntaxError as error:
        raise _syntax_error(text, first_line, error) from error
    return Body(text, first_line, statements)


def parse_statements(text: str, first_line: int) -> list[ast.stmt]:
    """Parse the text of a cell below its magic line.

    Raises:
        CellError: a ValueError, for code that is no Python.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they come again, with the right file, when the cell is compiled
            return ast.parse(text).body
    except (SyntaxError, ValueError) as error:  # a ValueError is for null bytes
        raise _syntax_error(text, first_line, error) from error


def _compile(statements: Sequence[ast.stmt]) -> None:
    """Let Python find what its grammar allows but no function may hold, e.g. a `break` outside of loops."""
    tree = ast.parse("async def task(context): pass")
    function = tree.body[0]
    if statements and isinstance(function, ast.AsyncFunctionDef):
        function.body = list(statements)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        compile(tree, "<cell>", "exec", dont_inherit=True)


def _syntax_error(text: str, first_line: int, error: SyntaxError | ValueError) -> CellError:
    if not isinstance(error, SyntaxError):
        return CellError(f"The cell is no Python: {error}.")
    line = error.lineno or 1
    source = text.split("\n")[line - 1] if line <= text.count("\n") + 1 else ""
    message = f"{error.msg}.{hint_of_version(error)}"
    if _OF_IPYTHON.match(source):
        instead = ", or call `subprocess.run` instead of `!`" if "!" in source else ""
        message = f"a task holds plain Python, and this is a line for IPython. Put it in a cell of its own{instead}."
    elif "from __future__" in error.msg:
        message = "`from __future__` stands at the top of a module. Put it in a cell of its own, not in a task."
    column = max((error.offset or 1) - 1, 0)
    return CellError(_at(text, first_line, line, message, column))


def _at(text: str, first_line: int, line: int, message: str, column: int | None = None) -> str:
    """Return the message with the cell's line and the source in front of a person's eyes."""
    lines = text.split("\n")
    source = lines[min(line, len(lines)) - 1].replace("\t", " ")
    shown = f"\n    {source.strip()}" if source.strip() else ""
    if shown and column is not None:
        indent = len(source) - len(source.lstrip())
        shown += "\n    " + " " * min(max(column - indent, 0), len(source.strip())) + "^"
    return f"Cell line {line + first_line - 1}: {message}{shown}"


def _faults(statements: Sequence[ast.stmt]) -> Iterator[tuple[ast.AST, str]]:
    """Yield what a task's body may not do, in the order of the text."""
    for statement in statements:
        for node in ast.walk(statement):
            yield from _fault_anywhere(node)
        for node in own_scope([statement]):
            yield from _outside_bindings(node)
            yield from _fault_at_top(node)
        for one in bindings([statement]):
            if one.name == "context":
                yield one.node, "`context` is the task's own context and can't be bound anew. Use another name."


def _fault_anywhere(node: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    match node:
        case ast.Global():
            names = ", ".join(node.names)
            yield (
                node,
                (
                    f"`global {names}` would change the notebook behind the workflow's back. Leave it out: "
                    "what the body assigns goes to the context."
                ),
            )
        case ast.ImportFrom(names=[ast.alias(name="*")]):
            yield node, f"`from {node.module} import *` hides where names come from. Import them by name."


def _outside_bindings(node: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    """Yield where a function binds a name of the cell."""
    for name in captured_later(node) if isinstance(node, SCOPES) else ():
        if not isinstance(name.ctx, ast.Load):
            yield (
                name,
                (
                    f"`nonlocal {name.id}` reaches for a name of the cell, which Python allows in a function only. "
                    "Return the value from the function and assign it."
                ),
            )


def _fault_at_top(node: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    match node:
        case ast.Yield() | ast.YieldFrom():
            yield node, "`yield` can't stand in a task. Collect the values in a list and assign it to a name."
        case ast.Return(value=value) if value is not None and not _is_context(value):
            shown = ast.unparse(value)
            shown = shown if len(shown) <= SHOWN else "…"
            yield (
                node,
                (
                    f"a task cell returns nothing, or `context`. Assign the value to a name (`result = {shown}`) and "
                    "write `return` alone."
                ),
            )


def _is_context(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "context"

"""The function of a task cell itself: made of its text, but with the lines of the cell."""

import ast
import warnings
from collections.abc import Callable, Collection, Sequence
from typing import Any

from cloaca_nb.core.cell.edits import INDENT, lines_in_strings
from cloaca_nb.core.cell.function_text import FunctionText

__all__ = ["compile_function"]


def compile_function(
    text: FunctionText, filename: str, namespace: dict[str, Any], change: ast.NodeTransformer | None = None
) -> Callable[..., Any]:
    """Make the function, so that tracebacks and debuggers see the lines of the cell.

    Args:
        text: of the function.
        filename: by which tracebacks find the cell.
        namespace: the function's globals; no name is added.
        change: what else is made of its tree, whose lines are those of the cell.

    Raises:
        SyntaxError: if the text is no Python.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they would name the lines of the text
        tree = ast.parse(text.text, filename)
    strings = lines_in_strings(text.text)
    for node in ast.walk(tree):
        _move(node, text.lines, strings)
    if change is not None:
        tree = ast.fix_missing_locations(change.visit(tree))
    scratch: dict[str, Any] = {}
    exec(compile(tree, filename, "exec", dont_inherit=True), namespace, scratch)  # noqa: S102 - the user's own code
    (function,) = scratch.values()
    made: Callable[..., Any] = function
    return made


def _move(node: ast.AST, lines: Sequence[int], strings: Collection[int]) -> None:
    """Give a node of the text the place of the cell that it stands for."""
    if not isinstance(node, ast.stmt | ast.expr | ast.excepthandler | ast.arg | ast.keyword | ast.alias | ast.pattern):
        return
    end_line, end_column = node.end_lineno or node.lineno, node.end_col_offset or node.col_offset
    node.col_offset = _outdented(node.lineno, node.col_offset, strings)
    node.end_col_offset = _outdented(end_line, end_column, strings)
    node.lineno, node.end_lineno = lines[node.lineno - 1], max(lines[end_line - 1], lines[node.lineno - 1])
    if node.lineno == node.end_lineno:
        node.end_col_offset = max(node.end_col_offset, node.col_offset)


def _outdented(line: int, column: int, strings: Collection[int]) -> int:
    return column if line - 1 in strings else max(column - len(INDENT), 0)

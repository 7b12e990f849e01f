"""How statements are set on a page: indented without touching strings, spaced as authors do."""

import ast
import io
import token as tokens
import tokenize
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise

from cloaca_nb.packaging.analysis.notebook import Cell
from cloaca_nb.packaging.analysis.statements import Statement

__all__ = ["dedented", "indented", "spaced"]

_OPENS_STRING = getattr(tokens, "FSTRING_START", None)  # f-strings are one token up to Python 3.11
_CLOSES_STRING = getattr(tokens, "FSTRING_END", None)
_AT_LINE_START = {tokenize.NEWLINE, tokenize.NL, tokenize.COMMENT, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING}


def indented(text: str, prefix: str = "    ") -> str:
    """Indent code. The inner lines of a string stay as they are, except where it stands alone, as a docstring does."""
    fixed = set(_lines_in_strings(text))
    lines = enumerate(text.split("\n"), 1)
    return "\n".join(prefix + line if line.strip() and number not in fixed else line for number, line in lines)


def dedented(text: str, prefix: str = "    ") -> str:
    """Take the indentation off again that `indented` puts in front of code."""
    fixed = {number - 1 for number in _lines_in_strings(f"if True:\n{text}\n")}
    lines = enumerate(text.split("\n"), 1)
    return "\n".join(line if number in fixed else line.removeprefix(prefix) for number, line in lines)


def spaced(statements: Iterable[Statement], line_of: Callable[[Cell], str]) -> str:
    """Put statements below each other: two blank lines around functions and classes, else as the author left them.

    Args:
        statements: in document order.
        line_of: a comment that stands above the first statement of each cell.
    """
    found = list(statements)
    parts = [f"{line_of(found[0].cell)}\n{found[0].text}"] if found else []
    for above, below in pairwise(found):
        parts.append("\n" * (1 + _gap(above, below)))
        parts.append(below.text if below.cell is above.cell else f"{line_of(below.cell)}\n{below.text}")
    return "".join(parts)


def _gap(above: Statement, below: Statement) -> int:
    if _is_definition(above.node) or _is_definition(below.node):
        return 2
    begins = below.line - (below.text.count("\n") - _height(below.node))
    adjacent = above.cell is below.cell and begins - (above.node.end_lineno or 0) <= 1
    return 0 if adjacent and below.place.number == above.place.number + 1 else 1


def _height(node: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    first = min([node.lineno, *(decorator.lineno for decorator in decorators)])
    return (node.end_lineno or node.lineno) - first


def _is_definition(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)


def _lines_in_strings(text: str) -> Iterator[int]:
    """Yield the numbers of the lines that begin inside a string which is part of an expression."""
    before, depth, opened = tokenize.ENCODING, 0, []
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.OP:
            depth += (token.string in "([{") - (token.string in ")]}")
        alone = depth == 0 and before in _AT_LINE_START
        if token.type == tokenize.STRING and not alone:
            yield from range(token.start[0] + 1, token.end[0] + 1)
        elif token.type == _OPENS_STRING:
            opened.append(token.start[0])
        elif token.type == _CLOSES_STRING:
            yield from range(opened.pop() + 1, token.end[0] + 1)
        before = token.type

"""The text that stands above a task in its notebook, as the docstring of its function."""

import ast
import re
from typing import Final

from cloaca_nb.packaging.analysis.quiet import parse

__all__ = ["docstring", "with_docstring"]

_HEADING: Final = re.compile(r"^ {0,3}#{1,6}[ \t]+(.*?)[ \t]*#*[ \t]*$", re.MULTILINE)
_PICTURE: Final = re.compile(r"^[ \t]*(!\[[^\n]*\]\([^\n]*\)|<[^\n]*>)[ \t]*$\n?", re.MULTILINE)
_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)


def docstring(markdown: str) -> str:
    """Return the source of a docstring that says what a markdown cell does; empty if that is nothing.

    Pictures and lines of HTML are left out, and the marks of headings.
    """
    text = _HEADING.sub(r"\1", _PICTURE.sub("", markdown.replace("\r\n", "\n")))
    text = "\n".join(line.rstrip() for line in text.strip().split("\n"))
    text = re.sub(r"\n{3,}", "\n\n", text).replace("\\", "\\\\").replace('"""', '\\"\\"\\"').replace("\0", "")
    if "\n" in text:
        return f'"""{text}\n"""'
    return f'"""{text[:-1]}\\""""' if text.endswith('"') else f'"""{text}"""' if text else ""


def with_docstring(text: str, source: str) -> str:
    """Return the text of a function with a docstring, if it has none and a line of its own to put it above.

    Args:
        text: the function, its decorators and the comments above it included.
        source: of the docstring; empty for none.
    """
    function = next((one for one in parse(text).body if isinstance(one, _FUNCTIONS)), None)
    if not source or function is None or ast.get_docstring(function, clean=False) is not None:
        return text
    first = function.body[0]
    row = min([first.lineno, *(one.lineno for one in getattr(first, "decorator_list", []))]) - 1
    lines = text.split("\n")
    indent = lines[row][: len(lines[row]) - len(lines[row].lstrip())]
    if lines[row].encode()[: first.col_offset].strip() or row < 1:
        return text
    row = _header_end(lines, row)
    put = [indent + line if line else line for line in source.split("\n")]
    return "\n".join([*lines[:row], *put, *lines[row:]])


def _header_end(lines: list[str], row: int) -> int:
    """Return the row below the function's header: comments above its first statement belong to that."""
    while row > 1 and (not lines[row - 1].strip() or lines[row - 1].lstrip().startswith("#")):
        row -= 1
    return row

"""IPython's own syntax as Python: what IPython itself makes of a cell's magics, shell lines, help lines and prompts.

They become calls of ``get_ipython()``, and the lines of the cell stay its lines. A cell that is Python already stays as
it is: IPython isn't even loaded for it.
"""

import ast
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

from cloaca_nb.packaging.analysis.ipython_calls import call_of
from cloaca_nb.packaging.analysis.quiet import parse

__all__ = ["CellMagic", "Transform", "cell_magic", "tidied", "to_python"]

Transform: TypeAlias = Callable[[str], str]


class CellMagic(NamedTuple):
    """A cell whose first line is ``%%name line``."""

    name: str
    line: str
    body: str  # everything below, with an empty first line: line numbers stay those of the cell


@lru_cache(4096)  # cells: the whole notebook is read again at each cell
def cell_magic(text: str) -> CellMagic | None:
    """Return the cell magic that a cell begins with, or None; empty lines above it don't count.

    ``%%name?`` asks for help: a line like others, with Python below it.
    """
    blank = len(text) - len(text.lstrip())
    blank = text.rfind("\n", 0, blank) + 1
    first, _, rest = text[blank:].partition("\n")
    match = re.match(r"%%(\w+)(?![\w?])[ \t]*(.*)", first)
    return CellMagic(match[1], match[2].strip(), "\n" * (text.count("\n", 0, blank) + 1) + rest) if match else None


@lru_cache(4096)  # see above
def tidied(text: str) -> str:
    """Return a cell's text without what IPython takes off it first: indentation of the whole cell, and prompts."""
    if cell_magic(text) is not None or _parses(text):
        return text
    return "".join(_cleaned(text.splitlines(keepends=True), _manager()))


def to_python(text: str) -> str:
    """Return a cell's text with IPython's syntax written as Python, line for line.

    What IPython can't read either is left for whoever parses the cell, and says what is wrong and where.

    Args:
        text: a cell without a cell magic.
    """
    if _parses(text):
        return text
    from IPython.core.inputtransformer2 import TRANSFORM_LOOP_LIMIT  # noqa: PLC0415 - see the module's own docstring

    manager = _manager()
    lines = _cleaned(f"{text}\n".splitlines(keepends=True), manager)
    for _ in range(TRANSFORM_LOOP_LIMIT):
        changed, after = manager.do_one_token_transform(lines)
        if not changed:
            break
        lines = _aligned(lines, after)
    return "".join(lines)[:-1]


def _manager() -> Any:
    """Return what knows IPython's syntax; it has no types."""
    from IPython.core.inputtransformer2 import TransformerManager  # noqa: PLC0415 - see above

    return TransformerManager()  # type: ignore[no-untyped-call]  # likewise


def _parses(text: str) -> bool:
    try:
        parse(text)
    except (SyntaxError, ValueError):
        return False
    return True


def _cleaned(lines: list[str], manager: Any) -> list[str]:
    """Return lines as they are after IPython's first look; empty ones stay, which it drops or takes blanks off."""
    begin = next((number for number, line in enumerate(lines) if line.strip()), len(lines))
    after = lines[begin:]
    for transform in manager.cleanup_transforms:
        after = transform(after)
    if len(after) != len(lines) - begin:
        return lines
    return [*lines[:begin], *(new if old.strip() else old for old, new in zip(lines[begin:], after, strict=True))]


def _aligned(before: list[str], after: list[str]) -> list[str]:
    """Return lines of which one has become a call, with an empty one for each line that went into it."""
    place = next(number for number, (old, new) in enumerate(zip(before, after, strict=False)) if old != new)
    lost = ["\n"] * (len(before) - len(after))
    return [*after[:place], _untimed(after[place]), *lost, *after[place + 1 :]]


def _untimed(line: str) -> str:
    """Return a line without its ``%time``: what that times runs in the notebook as it is."""
    code = line.strip()
    statements = parse(code).body if _parses(code) else []
    value = getattr(statements[0], "value", None) if statements else None
    if not isinstance(value, ast.expr):
        return line
    found = call_of(value)
    if found is None or found.magic != "time" or not found.line.strip() or not _parses(found.line.strip()):
        return line
    return line.replace(ast.get_source_segment(code, value) or code, found.line.strip())

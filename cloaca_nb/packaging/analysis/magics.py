"""IPython's own syntax, told from Python without IPython: what a cell's magics, shell lines and help lines become.

They become what IPython itself makes of them, calls of ``get_ipython()``, on the same lines. A line is looked at only
where a statement begins: inside an expression or a string, ``% y)`` and ``%d items`` are left alone.
"""

import io
import re
import tokenize
from collections.abc import Callable
from functools import lru_cache
from typing import Final, NamedTuple, TypeAlias

from cloaca_nb.packaging.analysis.quiet import parse

__all__ = ["CellMagic", "Transform", "cell_magic", "to_python"]

Transform: TypeAlias = Callable[[str], str]

# None of these can begin a Python statement, so no valid Python is taken for IPython's.
_ESCAPE: Final = re.compile(r"(?P<indent>\s*)(?P<escape>!!|!|%)(?P<rest>.*)", re.DOTALL)
_ASSIGNED: Final = re.compile(
    r"(?P<indent>\s*)(?P<target>[\w.,()\[\]* \t]+?)\s*=\s*(?P<escape>!|%)(?P<rest>.*)", re.DOTALL
)
# ``?x``; or ``x?`` at the end of a line, of which IPython then runs nothing else.
_HELP: Final = re.compile(
    r"""(?P<indent>\s*)(?:\?{1,2}(?P<before>.*)|[^'"#]*?(?P<after>%{0,2}[\w.*]+(?:\[-?\d+\][\w.*]*)*)\s*\?{1,2})\s*$"""
)


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


def to_python(text: str) -> str:
    """Return a cell's text with IPython's syntax written as Python, line for line.

    Args:
        text: a cell without a cell magic.
    """
    if _parses(text):
        return text
    lines = text.splitlines(keepends=True)
    done: list[str] = []
    while lines:
        count = _magic_length(lines)
        if count:
            done.append(_as_call("".join(lines[:count])))
        else:
            count = _statement_length(lines)
            done.extend(lines[:count])
        del lines[:count]
    return "".join(done)


def _parses(text: str) -> bool:
    try:
        parse(text)
    except (SyntaxError, ValueError):
        return False
    return True


def _magic_length(lines: list[str]) -> int:
    """Return how many lines a magic or shell line at the start takes; 0 if there is none."""
    first = lines[0]
    if not (_ESCAPE.match(first) or _ASSIGNED.match(first) or _HELP.match(first)):
        return 0
    count = 1
    while lines[count - 1].rstrip("\n").endswith("\\") and count < len(lines):
        count += 1
    return count


def _statement_length(lines: list[str]) -> int:
    """Return how many lines the first logical line takes; all of them if it never ends."""
    if not lines[0].strip() or lines[0].lstrip().startswith("#"):
        return 1
    reader = io.StringIO("".join(lines)).readline
    try:
        return next(token.end[0] for token in tokenize.generate_tokens(reader) if token.type == tokenize.NEWLINE)
    except (tokenize.TokenError, SyntaxError, StopIteration):
        return len(lines)  # not Python either: whoever parses the whole cell says what is wrong and where


def _as_call(text: str) -> str:
    """Write one magic or shell line as the call that IPython makes of it, and keep its number of lines."""
    line = re.sub(r"\\\n", " ", text.rstrip("\n"))
    ending = "\n" * text.count("\n")
    if match := _HELP.match(line):
        asked = (match["before"] or match["after"] or "").strip()
        return f"{match['indent']}get_ipython().run_line_magic('pinfo', {asked!r}){ending}"
    if match := _ESCAPE.match(line):
        return f"{match['indent']}{_call(match['escape'], match['rest'])}{ending}"
    match = _ASSIGNED.match(line)
    if match is None:
        return text
    escape = "!!" if match["escape"] == "!" else "%"
    return f"{match['indent']}{match['target']} = {_call(escape, match['rest'])}{ending}"


def _call(escape: str, rest: str) -> str:
    if escape == "%":
        name, _, line = rest.strip().partition(" ")
        if name == "time" and line.strip() and _parses(line.strip()):
            return line.strip()  # it runs in the notebook as it is
        return f"get_ipython().run_line_magic({name!r}, {line.strip()!r})"
    return f"get_ipython().{'system' if escape == '!' else 'getoutput'}({rest.strip()!r})"

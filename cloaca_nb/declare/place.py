"""Where a function stands: its source, and the place as a person would say it ("Cell In[3]", "flows.py:12")."""

import ast
import inspect
import os
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, Final, NamedTuple
from weakref import WeakKeyDictionary

from cloaca_nb.core.names import UNKNOWN, Keys, function_keys

__all__ = ["Definition", "caller", "define", "file_label", "label_files_by", "line_of"]

OURS: Final = str(Path(__file__).parent.parent)


class Definition(NamedTuple):
    """What can be said of a function from its source."""

    keys: Keys
    source: str
    where: str


_labels: Final[list[Callable[[str], str | None]]] = []
_read_before: Final[WeakKeyDictionary[Any, tuple[Keys, str]]] = WeakKeyDictionary()


def label_files_by(label: Callable[[str], str | None]) -> None:
    """Ask `label` first for how to call a file: a notebook's cells have file names that tell a person nothing.

    Args:
        label: from a code object's file name to e.g. "Cell In[3]", or None for a file that it doesn't know.
    """
    if label not in _labels:
        _labels.insert(0, label)


def file_label(filename: str) -> str:
    """Return how a person calls the file: "Cell In[3]", or a path relative to the working directory if it is below."""
    for label in _labels:
        if (found := label(filename)) is not None:
            return found
    relative = os.path.relpath(filename) if Path(filename).is_absolute() else filename
    return filename if relative.startswith("..") else relative


def define(function: Callable[..., Any]) -> Definition:
    """Return the keys, source and place of `function`; unknown and empty where it has no source."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    if code is None:
        return Definition(UNKNOWN, "", "")
    if code not in _read_before:  # thousands of tasks may share one body
        _read_before[code] = _read(code)
    return Definition(*_read_before[code], _where(code))


def caller() -> FrameType:
    """Return where the user's code is that has called ours."""
    frame = sys._getframe(1)  # noqa: SLF001 - the line that the person has to change, and the module it is in
    while frame.f_code.co_filename.startswith(OURS) and frame.f_back is not None:
        frame = frame.f_back
    return frame


def line_of(frame: FrameType) -> str:
    """Return which line is being executed, as a person would say it."""
    label = file_label(frame.f_code.co_filename)
    return f"{label}, line {frame.f_lineno}" if label.startswith("Cell ") else f"{label}:{frame.f_lineno}"


def _where(code: CodeType) -> str:
    label = file_label(code.co_filename)  # asked each time: a cell that is executed again gets another number
    return label if label.startswith("Cell ") else f"{label}:{code.co_firstlineno}"


def _read(code: CodeType) -> tuple[Keys, str]:
    try:
        source = textwrap.dedent(inspect.getsource(code))
        tree = ast.parse(source)
    except (OSError, SyntaxError):  # typed at a prompt, or a lambda in the middle of an expression
        return UNKNOWN, ""
    body = tree.body[0]
    if isinstance(body, ast.FunctionDef | ast.AsyncFunctionDef) and (body.args.posonlyargs or body.args.args):
        return function_keys(body), source
    return UNKNOWN, source

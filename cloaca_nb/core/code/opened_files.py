"""Which files a piece of code reads: those that stand as text in the call that opens or reads them."""

import ast
import re
from collections.abc import Iterable
from typing import Final

__all__ = ["opened_files"]

READS: Final = re.compile(r"(im)?read(_\w+)?|load(txt|mat)?|genfromtxt|fromfile|scan_\w+|open(_\w+)?")
OF_PATH: Final = re.compile(r"read_(text|bytes)|open")  # methods of a path, which stands before the dot
MODE: Final = re.compile("[rwaxbt+]{1,3}")
WRITES: Final = frozenset("wax+")  # in a mode


def opened_files(tree: ast.AST) -> list[str]:
    """Return the paths that code reads by name, each once, as they are written.

    Only what is surely read counts: ``pd.read_csv("bees.csv")``, ``open("bees.csv")``, ``Path("bees.csv").open()``, but
    no path that is put together, or that has a name first, and none that is opened for writing.

    >>> opened_files(ast.parse('bees = pd.read_csv("bees.csv"); bees.to_csv("out.csv"); open("log.txt", "a")'))
    ['bees.csv']
    """
    paths = (_path(node) for node in ast.walk(tree) if isinstance(node, ast.Call))
    return list(dict.fromkeys(path for path in paths if path and "://" not in path))


def _path(call: ast.Call) -> str:
    """Return the path that a call reads; empty if it reads none, or writes."""
    function = call.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    if isinstance(function, ast.Attribute) and OF_PATH.fullmatch(name) and (path := _in_path(function.value)):
        further = call.args
    elif READS.fullmatch(name) and call.args:
        path, further = _text(call.args[0]) or _in_path(call.args[0]), call.args[1:]
    else:
        return ""
    return "" if _writes(call, further) else path


def _in_path(node: ast.AST) -> str:
    """Return the text in `Path("bees.csv")`; empty if it is something else."""
    if not isinstance(node, ast.Call) or not node.args:
        return ""
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    return _text(node.args[0]) if name == "Path" else ""


def _text(node: ast.AST) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _writes(call: ast.Call, further: Iterable[ast.AST]) -> bool:
    """Say whether one of a call's arguments behind the path is a mode that writes."""
    modes = [*further, *(one.value for one in call.keywords if one.arg == "mode")]
    return any(MODE.fullmatch(text) and not WRITES.isdisjoint(text) for text in map(_text, modes))

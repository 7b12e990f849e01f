"""Which files a task opens that are newer than its values: history doesn't watch them, but says so where it is plain.

Only files that the task's own code reads by a literal path count, not those that it writes.
"""

import ast
import re
import warnings
from functools import lru_cache
from pathlib import Path
from textwrap import dedent
from typing import Final

from cloaca_nb.core.code.opened_files import opened_files
from cloaca_nb.core.task import Task

__all__ = ["changed_since", "opens_files"]

MAY_READ: Final = re.compile(r"read|load|open|scan_|fromfile|genfromtxt")  # what no code that opens a file lacks


def opens_files(task: Task) -> bool:
    """Say whether a task reads files by name that are there now."""
    return any(_modified(path) is not None for path in _paths(task.source))


def changed_since(task: Task, moment: float) -> list[str]:
    """Return which files that a task reads by name were changed later than a moment.

    Args:
        task: whose code says which.
        moment: in seconds since the Unix epoch.
    """
    times = {path: _modified(path) for path in _paths(task.source)}
    return [path for path, modified in times.items() if modified is not None and modified > moment]


def _paths(source: str) -> tuple[str, ...]:
    return _read_by(source) if MAY_READ.search(source) else ()


@lru_cache(maxsize=10_000)
def _read_by(source: str) -> tuple[str, ...]:
    body = source.partition("\n")[2] if source.startswith("%%") else source
    with warnings.catch_warnings():  # on a doubtful escape, which is told when the code runs
        warnings.simplefilter("ignore")
        try:
            return tuple(opened_files(ast.parse(dedent(body))))
        except SyntaxError:  # a shell line in a cell: nothing is known of it
            return ()


def _modified(path: str) -> float | None:
    """Return when a file was changed last, in seconds since the Unix epoch; None if there is none."""
    try:
        return Path(path).stat().st_mtime if Path(path).is_file() else None
    except (OSError, ValueError):  # it has gone just now, or that is no name of a file
        return None

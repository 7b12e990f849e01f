"""What is to be said of a cell when it has been executed, in one line each."""

import re
from collections.abc import Iterable
from typing import Final

from cloaca_nb.core.directives import directive
from cloaca_nb.declare.registry import Departure
from cloaca_nb.errors import CellError

__all__ = ["departed", "misplaced_magic", "wrong_directive"]

MISPLACED: Final = re.compile(r"(?<=\n)%%cloaca_\w+")


def wrong_directive(text: str) -> Iterable[str]:
    """Yield what is wrong with the cell's directive for exports."""
    try:
        directive(text)
    except CellError as error:
        yield str(error)


def misplaced_magic(text: str) -> Iterable[str]:
    """Yield where a cell magic of ours belongs that isn't its cell's first line."""
    found = None if text.startswith("%%") else MISPLACED.search(text)
    if found:
        yield f"{found[0]} must be its cell's first line, as it is about the whole cell: put comments below it."


def departed(task: Departure) -> str:
    """Return what became of a task that its cell no longer defines."""
    if task.now_in is None:
        return f"Task {task.task_id!r} is gone: its cell no longer defines it."
    return (
        f"Task {task.task_id!r} has moved from workflow {task.workflow!r} to {task.now_in!r}, which task cells join "
        f"now. To put it back: %cloaca_workflow {task.workflow}, then its cell again."
    )

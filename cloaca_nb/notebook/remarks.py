"""What is to be said of a cell when it has been executed, in one line each."""

import re
from collections.abc import Iterable
from typing import Final

from cloaca_nb.core.directives import directive
from cloaca_nb.declare.registry import Departure
from cloaca_nb.errors import CellError, near_miss
from cloaca_nb.notebook.answer import Answer
from cloaca_nb.notebook.grammar import GRAMMARS

__all__ = ["departed", "misused_magic", "wrong_directive"]

MISPLACED: Final = re.compile(r"(?<=\n)%%cloaca_\w+")
OURS: Final = re.compile(r"%(cloaca_\w+)")


def wrong_directive(text: str) -> Iterable[str]:
    """Yield what is wrong with the cell's directive for exports."""
    try:
        directive(text)
    except CellError as error:
        yield str(error)


def misused_magic(text: str) -> Iterable[str]:
    """Yield what is wrong with a magic of ours that IPython has refused: its place, its name, or all is missing."""
    found = None if text.startswith("%%") else MISPLACED.search(text)
    if found:
        yield f"{found[0]} must be its cell's first line, as it is about the whole cell: put comments below it."
    for name in OURS.findall(text):
        if name not in GRAMMARS and (hint := near_miss(name, GRAMMARS)):
            yield hint.strip()
    line, _, body = text.partition("\n")
    if line.startswith("%%cloaca_") and not body.strip():
        usage = GRAMMARS[word].usage if (word := line.strip().removeprefix("%%")) in GRAMMARS else ""
        if usage.startswith(f"%%{word} NAME"):
            yield f"The name is missing as well: %%{word} NAME."
        yield "Put what it is about below that line, in the same cell."


def departed(task: Departure) -> Answer:
    """Return what became of a task that its cell no longer defines: news, and nothing to mend."""
    if task.now_in is None:
        return Answer(task.task_id, (("is gone:", "its cell no longer defines it"),))
    back = f"%cloaca_workflow {task.workflow}, then its cell again"
    moves = (("has moved from", task.workflow), ("to", f"{task.now_in}, which task cells join now"))
    return Answer(task.task_id, (*moves, ("to put it back:", back)))

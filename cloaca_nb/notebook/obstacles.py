"""What keeps a notebook's tasks from being run though each of its cells was executed, with the way out."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cloaca_nb.core.circles import Circle
from cloaca_nb.declare.cell_task import CellTask
from cloaca_nb.declare.loose import LooseTasks
from cloaca_nb.errors import CloacaError
from cloaca_nb.notebook.unknown_names import refuse_unknown

__all__ = ["obstacles", "removal", "told"]


def removal(loose: LooseTasks, current: LooseTasks) -> str:
    """Return the magic that takes out the task whose id is put behind it: a cell that is gone can't be mended.

    Args:
        loose: the tasks of its workflow.
        current: those that task cells join now.
    """
    return f"%cloaca_workflow{'' if loose is current else f' {loose.name}'} --remove"


def obstacles(loose: LooseTasks, names: Mapping[str, Any], circles: Iterable[Circle], way_out: str) -> Iterator[str]:
    """Yield a sentence with the fix for each thing at which a run could only fail, perhaps after an hour.

    Args:
        loose: the tasks.
        names: the notebook's own names.
        circles: those of the workflow that they make up.
        way_out: see `removal`.
    """
    yield from refuse_unknown(loose, names, way_out)
    yield from (circle.sentence for circle in circles if _is_sure(circle, loose))


def told(problem: CloacaError | None) -> list[str]:
    """Return what an error says, if there is one, and its notes."""
    return [] if problem is None else [str(problem), *getattr(problem, "__notes__", ())]


def _is_sure(circle: Circle, loose: LooseTasks) -> bool:
    """Say whether a run would fail at it: code may ask whether the context has such a key, but a name is just read."""
    entry = loose[circle.reader]
    return isinstance(entry, CellTask) and circle.key not in entry.cell.names.keys.reads

"""What an export would carry for one task cell, or why it can't yet: the exporter's own answer, asked early."""

from collections.abc import Collection
from typing import NamedTuple

from cloaca_nb.core.cells import task_text
from cloaca_nb.declare.cell_task import CellTask
from cloaca_nb.declare.loose import LooseTasks
from cloaca_nb.errors import CellError, ExportError
from cloaca_nb.notebook.executed import ExecutedCells
from cloaca_nb.packaging.analysis.declared import read_declared
from cloaca_nb.packaging.analysis.definitions import Reader
from cloaca_nb.packaging.analysis.free_names import free_names
from cloaca_nb.packaging.analysis.reach import Need, reach

__all__ = ["Carriage", "carriage_of"]


class Carriage(NamedTuple):
    """What goes along with a task.

    Attributes:
        names: of the imports, helpers and constants that are carried, those that the task names itself first.
        obstacle: why it can't be exported yet; empty if it can.
    """

    names: tuple[str, ...] = ()
    obstacle: str = ""


def carriage_of(entry: CellTask, loose: LooseTasks, executed: ExecutedCells, notebook: Collection[str]) -> Carriage:
    """Return what an export would carry for a task, as things stand now.

    Args:
        entry: the task.
        loose: the workflow's tasks, this one included.
        executed: the cells that were executed before this one.
        notebook: the names that the notebook has: those that nobody has are spoken of elsewhere.
    """
    outputs = loose.outputs_for(entry.id)
    try:
        resolution = entry.resolution(outputs, loose.parameters)
        text = task_text(entry.cell, resolution, None)
        names = free_names(text)
        statements = read_declared(executed.notebook(loose.name)).statements
    except (CellError, ExportError, SyntaxError):  # said elsewhere: by the answer itself, or by the cell that is wrong
        return Carriage()
    known = {*notebook, *(name for one in statements for name in one.names.defined)}
    every = names._replace(later=(names.later | names.now) & known, now=frozenset(), hinted=names.hinted & known)
    try:
        reached = reach(
            statements,
            [Need(every, Reader(f"task {entry.id!r}", entry.where))],
            outputs=outputs,
            provided={"cloaca", *loose.parameters},
        )
    except ExportError as error:
        return Carriage(obstacle=str(error))
    carried = {one.binds for one in reached.imports} | {
        name for one in reached.statements for name in one.names.defined if name in reached.names
    }
    direct = [name for name in resolution.own if name in carried]
    return Carriage(tuple(dict.fromkeys([*direct, *sorted(carried - {"cloaca"})])))

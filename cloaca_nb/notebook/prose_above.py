"""What a notebook says above a task in a markdown cell: the docstring of the function that the task is shown as."""

from cloaca_nb.errors import ExportError
from cloaca_nb.packaging.analysis.declared import Entry, StatementTasks, read_declared
from cloaca_nb.packaging.analysis.notebook import Notebook
from cloaca_nb.packaging.export.prose import docstring

__all__ = ["prose_above"]


def prose_above(task_id: str, workflow: str, notebook: Notebook | None) -> str:
    """Return the source of the docstring; empty where the notebook says nothing, or isn't saved.

    Args:
        task_id: the task.
        workflow: the name of its workflow.
        notebook: the cells that were executed, with what the saved file says above them.
    """
    try:
        entries = read_declared(notebook).entries if notebook else []
    except ExportError:  # said by an export, and about another cell
        return ""
    found = [one for one in entries if one.workflow == workflow and task_id in _ids(one) and one.place.number == 0]
    return docstring(found[0].cell.above) if found else ""


def _ids(entry: Entry) -> list[str | None]:
    return [one.id for one in entry.tasks] if isinstance(entry, StatementTasks) else [entry.task.id]

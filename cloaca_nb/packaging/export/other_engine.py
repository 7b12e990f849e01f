"""What a package can't have that is for the engine of the reference API: parameters, and inferred dependencies."""

from collections.abc import Iterable

from cloaca_nb.errors import ExportError
from cloaca_nb.packaging.analysis.dag import Dag
from cloaca_nb.packaging.analysis.declared import Entry, StatementTasks
from cloaca_nb.packaging.analysis.defaults import Parameters

__all__ = ["check_other_engine"]


def check_other_engine(parameters: Iterable[Parameters], entries: Iterable[Entry], dag: Dag) -> None:
    """Refuse what the engine that `import cloaca` means doesn't do.

    Args:
        parameters: the cells with parameters.
        entries: the workflow's tasks.
        dag: what was found out about their dependencies.

    Raises:
        ExportError: naming the cell, the line and what to write instead.
    """
    for cell in parameters:
        raise ExportError(
            f"{cell.cell.at(1)}: the engine that `import cloaca` means has no parameters. "
            "Assign the names in a plain cell, or export for cloaca_nb."
        )
    for entry in entries:
        for task in entry.tasks if isinstance(entry, StatementTasks) else ():
            found = dag.workflow.inferred_dependencies.get(task.id or "")
            if found and task.id not in dag.certain:
                raise ExportError(
                    f"{entry.where}: the engine that `import cloaca` means infers no dependencies. "
                    f"Write those of task {task.id!r}: dependencies={list(found)!r}."
                )

"""Whether the DAG that was worked out from a notebook's text is the one that its kernel has."""

from cloaca_nb.core.graph import Workflow
from cloaca_nb.errors import ExportError, near_miss
from cloaca_nb.packaging.analysis.dag import Dag

__all__ = ["check_agreement"]


def check_agreement(dag: Dag, live: Workflow) -> None:
    """Refuse a package that would be another workflow than the one that was tried out.

    Tasks whose ids or dependencies are known only when the package is imported are not compared.

    Args:
        dag: worked out from the text.
        live: as it was built by executing that text.

    Raises:
        ExportError: for a task that only one of them has, or that follows others in one than in the other.
    """
    known = {task.id for task in dag.workflow.tasks} - dag.unknown
    for task in live.tasks:
        if task.id not in known and not dag.unknown:
            raise ExportError(
                f"Task {task.named} is in workflow {live.name!r}, but no cell defines it that could be exported: was "
                "its cell deleted, or does other code make it? Execute its cell again, or take it out: "
                f"%cloaca_workflow --remove {task.id}"
            )
    for task in dag.workflow.tasks:
        if task.id in known and task.id not in live:
            raise ExportError(_not_live(dag, task.id, live))
    for task_id, found in dag.certain.items():
        if set(found) != set(live.dependencies[task_id]):
            raise ExportError(
                f"{dag.workflow[task_id].where}: task {task_id!r} follows {_listed(found)} by the order of the cells, "
                f"but {_listed(live.dependencies[task_id])} in the running notebook. Restart the kernel and run all "
                "cells, or name what it follows: `--after`, `dependencies=[…]`."
            )


def _not_live(dag: Dag, task_id: str, live: Workflow) -> str:
    where = dag.workflow[task_id].where
    if task_id not in dag.supposed:
        return (
            f"{where}: task {task_id!r} is not in workflow {live.name!r} of the running notebook. Execute its cell "
            "again, or remove the cell."
        )
    follower = next(one for one, ids in dag.workflow.dependencies.items() if task_id in ids)
    return (
        f"{dag.workflow[follower].where}: task {follower!r} depends on {task_id!r}, which is no task of workflow "
        f"{live.name!r}.{near_miss(task_id, [task.id for task in live.tasks])}"
    )


def _listed(ids: tuple[str, ...]) -> str:
    return ", ".join(map(repr, ids)) or "nothing"

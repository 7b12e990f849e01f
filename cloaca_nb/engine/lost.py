"""Changes that a task has made in place of what it read, and that no other task sees: found when its body ends.

Only of bodies that run on a thread of ours or on the event loop: of one that ran elsewhere the copies are not here.
"""

from typing import Protocol

from cloaca_nb.core.cells import is_task_cell
from cloaca_nb.core.context import Context
from cloaca_nb.core.task import Task
from cloaca_nb.engine.complaints import Complaints
from cloaca_nb.engine.means import Means

__all__ = ["tell_lost_changes"]


class Owner(Protocol):
    """The execution that a task is part of."""

    means: Means
    complaints: Complaints


def tell_lost_changes(owner: Owner, task: Task, context: Context) -> None:
    """Complain of each value that a task has changed in place and neither set nor passed on; next to free for others.

    Args:
        owner: the execution that the task is part of.
        task: whose body has ended.
        context: what it was given.
    """
    copies, is_lost = context.unset_copies(), owner.means.lost
    if not copies or is_lost is None:
        return
    for key, original, copy in copies:
        if is_lost(original, copy, context.changes.values()):
            owner.complaints.lose(task, key, _fix(task, key))


def _fix(task: Task, key: str) -> str:
    if is_task_cell(task.source):
        return f"assign it ({key} = …) or say --out {key}"
    return f"write context[{key!r}] = {key if key.isidentifier() else '…'}"

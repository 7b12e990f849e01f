"""Tasks that stand in no `with WorkflowBuilder` block, and how tasks of any spelling become a workflow."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.task import Task
from cloaca_nb.declare.cell_task import CellTask

__all__ = ["Declared", "LooseTasks", "build"]

Declared: TypeAlias = Task | CellTask


def build(
    name: str, declared: Iterable[Declared], *, parameters: Mapping[str, Any] | None = None, **facts: Any
) -> Workflow:
    """Make a workflow of tasks in either spelling.

    Args:
        name: the workflow's.
        declared: its tasks, in registration order.
        parameters: keys and default values for the initial context.
        facts: the other arguments of `Workflow`.

    Raises:
        WorkflowValidationError: if they make no workflow.
        CellError: if a name of a cell can't be resolved.
    """
    entries = list(declared)
    sets = {entry.id: _sets(entry) for entry in entries}
    tasks = [entry if isinstance(entry, Task) else _resolved(entry, sets, parameters or {}) for entry in entries]
    return Workflow(name, tasks, parameters=parameters, **facts)


def _resolved(entry: CellTask, sets: Mapping[str, tuple[str, ...]], parameters: Mapping[str, Any]) -> Task:
    outputs = dict.fromkeys(key for task_id, keys in sets.items() if task_id != entry.id for key in keys)
    return entry.task(outputs, parameters)


def _sets(entry: Declared) -> tuple[str, ...]:
    """Return the keys that a task sets whatever the other tasks do."""
    if isinstance(entry, Task):
        return entry.keys.sets
    return entry.cell.options.out or (*entry.cell.names.sets, *entry.cell.names.keys.sets)


class LooseTasks:
    """The loose tasks of a module or notebook: together they make up its own workflow, built when it is used."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.parameters: dict[str, Any] = {}
        self._declared: dict[str, Declared] = {}
        self._by_cell: dict[str, list[str]] = {}

    def __contains__(self, task_id: object) -> bool:
        return task_id in self._declared

    def __getitem__(self, task_id: str) -> Declared:
        return self._declared[task_id]

    def __len__(self) -> int:
        return len(self._declared)

    def ids(self) -> list[str]:
        """Return the tasks' ids in registration order."""
        return list(self._declared)

    def declared(self) -> tuple[Declared, ...]:
        """Return the tasks in registration order."""
        return tuple(self._declared.values())

    def add(self, entry: Declared) -> None:
        """Add a task, or replace the one of that id in its place."""
        self._declared[entry.id] = entry

    def remove(self, task_id: str) -> None:
        """Take a task out; a KeyError if there is none."""
        del self._declared[task_id]

    def settle_cell(self, cell_id: str, task_ids: list[str]) -> list[str]:
        """Note which tasks a cell has just defined; remove those that it used to define, and return their ids."""
        others = {one for cell, ids in self._by_cell.items() if cell != cell_id for one in ids}
        gone = [
            one
            for one in self._by_cell.get(cell_id, [])
            if one not in task_ids and one in self._declared and one not in others
        ]
        for one in gone:
            self.remove(one)
        self._by_cell[cell_id] = task_ids
        return gone

    def workflow(self) -> Workflow:
        """Build the workflow that the tasks make up now."""
        return build(self.name, self._declared.values(), parameters=self.parameters)

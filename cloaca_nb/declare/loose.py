"""Tasks that stand in no `with WorkflowBuilder` block, and how tasks of any spelling become a workflow."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Set as AbstractSet
from dataclasses import replace
from typing import Any, Protocol, TypeAlias

from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.parameters import Rules, Values
from cloaca_nb.core.task import Task
from cloaca_nb.declare.cell_task import CellTask
from cloaca_nb.errors import CellError

__all__ = ["Declared", "LooseTasks", "ParameterSource", "build"]

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
    outputs = _Outputs(entries)
    tasks = [one if isinstance(one, Task) else one.task(outputs.of_others(one), parameters or {}) for one in entries]
    return Workflow(name, tasks, parameters=parameters, **facts)


class _Outputs:
    """The keys that tasks set, as each of the others sees them."""

    def __init__(self, entries: Iterable[Declared]) -> None:
        self._setters = Counter(key for entry in entries for key in set(_sets(entry)))

    def of_others(self, entry: Declared) -> AbstractSet[str]:
        return _AllBut(self._setters.keys(), frozenset(key for key in _sets(entry) if self._setters[key] == 1))


class _AllBut(AbstractSet[str]):
    """A set without some of its items, and no copy of it: each of a thousand tasks is given one."""

    def __init__(self, every: AbstractSet[str], left_out: AbstractSet[str]) -> None:
        self._every = every
        self._left_out = left_out

    def __contains__(self, item: object) -> bool:
        return item in self._every and item not in self._left_out

    def __iter__(self) -> Iterator[str]:
        return (item for item in self._every if item not in self._left_out)

    def __len__(self) -> int:
        return len(self._every) - len(self._left_out)

    @classmethod
    def _from_iterable(cls, items: Iterable[Any]) -> AbstractSet[Any]:
        return frozenset(items)


def _sets(entry: Declared) -> tuple[str, ...]:
    """Return the keys that a task sets whatever the other tasks do."""
    if isinstance(entry, Task):
        return entry.keys.sets
    return entry.cell.options.out or (*entry.cell.names.sets, *entry.cell.names.keys.sets)


class ParameterSource(Protocol):
    """Who says what the parameters of loose tasks are: asked at every use, as a notebook's values change.

    Attributes:
        names: of the parameters, in order.
        secret: those of them whose values are never shown or kept.
        defaults: what a value that is given for one run must be like.
    """

    names: tuple[str, ...]
    secret: tuple[str, ...]
    defaults: dict[str, Any]

    def values(self) -> Values:
        """Return the values as they are now; what follows from others is worked out when it is asked for."""

    def rules(self) -> Rules:
        """Return how those are worked out that follow from others."""


class _NoParameters:
    names: tuple[str, ...] = ()
    secret: tuple[str, ...] = ()
    defaults: dict[str, Any] = {}  # noqa: RUF012 - never changed

    def values(self) -> Values:
        return Values({}, {}, {})

    def rules(self) -> Rules:
        return {}


class LooseTasks:
    """The loose tasks of a module or notebook: together they make up its own workflow, built when it is used."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.source: ParameterSource = _NoParameters()
        self._declared: dict[str, Declared] = {}
        self._outputs: _Outputs | None = None  # of these, once it was asked for
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
        self._outputs = None

    def remove(self, task_id: str) -> None:
        """Take a task out; a KeyError if there is none."""
        del self._declared[task_id]
        self._outputs = None

    def settle_cell(self, cell_id: str, task_ids: list[str], *, finished: bool = True) -> list[str]:
        """Note which tasks a cell has just defined; remove those that it used to define, and return their ids.

        Args:
            cell_id: the cell.
            task_ids: those that it has defined now.
            finished: whether the cell came to its end: if not, it may have been about to define the others again.
        """
        before = self._by_cell.get(cell_id, [])
        if not finished:
            self._by_cell[cell_id] = list(dict.fromkeys([*before, *task_ids]))
            return []
        others = {one for cell, ids in self._by_cell.items() if cell != cell_id for one in ids}
        gone = [one for one in before if one not in task_ids and one in self._declared and one not in others]
        for one in gone:
            self.remove(one)
        self._by_cell[cell_id] = task_ids
        return gone

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of the workflow's parameters."""
        return self.source.names

    def workflow(self) -> Workflow:
        """Build the workflow that the tasks make up now, with the parameters as they are now."""
        source = self.source
        facts = {"derived": source.rules(), "secret": source.secret}
        return build(self.name, self._declared.values(), parameters=source.values(), **facts)

    def draft(self) -> Workflow:
        """Build the workflow as far as that is possible while it is being written.

        Cells that can't be resolved, and dependencies on tasks that aren't there yet, are left out.
        """
        return Workflow(self.name, list(self._resolved()), parameters=dict.fromkeys(self.parameters))

    def outputs_for(self, task_id: str) -> AbstractSet[str]:
        """Return the keys that the tasks other than that one set."""
        return self._known_outputs().of_others(self._declared[task_id])

    def _known_outputs(self) -> _Outputs:
        if self._outputs is None:
            self._outputs = _Outputs(self._declared.values())
        return self._outputs

    def _resolved(self) -> Iterator[Task]:
        outputs = self._known_outputs()
        for entry in self._declared.values():
            try:
                task = entry if isinstance(entry, Task) else entry.task(outputs.of_others(entry), self.parameters)
            except CellError:  # said by the answer of that cell, and again when the workflow is built
                continue
            yield self._without_absent(task)

    def _without_absent(self, task: Task) -> Task:
        """Return the task without its dependencies on tasks that aren't there."""
        named = (*(task.dependencies or ()), *task.after, *(task.rule.task_ids() if task.rule else ()))
        if all(one in self._declared for one in named):
            return task
        known = None if task.dependencies is None else tuple(one for one in task.dependencies if one in self)
        rule = task.rule if task.rule is None or all(one in self for one in task.rule.task_ids()) else None
        return replace(task, dependencies=known, after=tuple(one for one in task.after if one in self), rule=rule)

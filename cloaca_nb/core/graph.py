"""A workflow: tasks and their dependencies, validated once and immutable from then on."""

import copy
import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from types import MappingProxyType
from typing import Any

from cloaca_nb.core.circles import Circle, circles
from cloaca_nb.core.inference import infer_dependencies, unreachable_reads
from cloaca_nb.core.mask import masked
from cloaca_nb.core.parameters import Rules, Values, with_derived
from cloaca_nb.core.rules import Always
from cloaca_nb.core.secret import SecretKeys
from cloaca_nb.core.task import Task
from cloaca_nb.errors import TaskNotFoundError, WorkflowValidationError, near_miss

__all__ = ["Workflow"]


class Workflow:
    """Tasks and their dependencies: a directed acyclic graph.

    Args:
        name: what runs and history know it by.
        tasks: in registration order, which decides ties and inferred dependencies.
        description: for people.
        tags: for people and programs.
        parameters: keys that the initial context is filled up with where it lacks them.
        derived: for parameters that follow from others, how they are worked out.
        infer: whether tasks that name no dependencies get them from the keys that they read.
        secret: keys whose values are never shown or kept.

    Raises:
        WorkflowValidationError: for an empty workflow, a duplicate id, a missing dependency or a circle.
    """

    def __init__(
        self,
        name: str,
        tasks: Iterable[Task],
        *,
        description: str = "",
        tags: Mapping[str, str] | None = None,
        parameters: Mapping[str, Any] | None = None,
        derived: Rules | None = None,
        infer: bool = True,
        secret: Iterable[str] = (),
    ) -> None:
        self._name = name
        self._description = description
        self._tags = MappingProxyType(dict(tags or {}))
        self._parameters = parameters if isinstance(parameters, Values) else Values({}, dict(parameters or {}), {})
        self._derived = MappingProxyType(dict(derived or {}))
        self._secret = tuple(dict.fromkeys(secret))
        self._tasks = _index(name, tasks)
        self._in_order = tuple(self._tasks.values())
        named = {task.id: self._named_dependencies(task) for task in self._tasks.values()}
        inferred = infer_dependencies(name, self.tasks, named, self._parameters) if infer else {}
        self._inferred = MappingProxyType(inferred)
        self._dependencies = MappingProxyType(
            {task_id: tuple(dict.fromkeys((*ids, *inferred.get(task_id, ())))) for task_id, ids in named.items()}
        )
        self._levels = _levels(name, self._dependencies)

    @property
    def name(self) -> str:
        """What runs and history know it by."""
        return self._name

    @property
    def description(self) -> str:
        """For people; empty when unset."""
        return self._description

    @property
    def tags(self) -> Mapping[str, str]:
        """For people and programs."""
        return self._tags

    @property
    def parameters(self) -> Values:
        """Keys and default values that the initial context is filled up with."""
        return self._parameters

    @property
    def derived(self) -> Rules:
        """How parameters are worked out that follow from others."""
        return self._derived

    def filled(self, initial: Mapping[str, Any]) -> dict[str, Any]:
        """Return an initial context with the parameters that it lacks.

        Raises:
            DefinitionError: if one can't be worked out from the others.
        """
        if not self._derived:
            return {**self._parameters, **initial}
        return with_derived(self._derived, self._parameters, initial)

    def given(self, keys: Collection[str]) -> "Workflow":
        """Return the workflow for a run that is given some parameters: no rule is executed for those, whoever asks.

        In the place of a value that isn't worked out yet stands what tells it from another one; see `Values.grounds`.
        """
        if not (waiting := self._parameters.waiting.intersection(keys)):
            return self
        grounds = masked(self._parameters.grounds, SecretKeys(named=self._secret))
        made = copy.copy(self)
        made._parameters = Values({}, self._parameters, {key: grounds[key] for key in waiting})  # noqa: SLF001 - its own class
        return made

    @property
    def secret(self) -> tuple[str, ...]:
        """Keys whose values are never shown or kept; there may be others, by a pattern of the runner."""
        return self._secret

    @property
    def tasks(self) -> tuple[Task, ...]:
        """All tasks, in registration order."""
        return self._in_order

    @property
    def by_id(self) -> Mapping[str, Task]:
        """All tasks by id, in registration order."""
        return self._tasks

    @property
    def dependencies(self) -> Mapping[str, tuple[str, ...]]:
        """For each task's id the ids that it depends on: named ones first, then inferred ones."""
        return self._dependencies

    @property
    def inferred_dependencies(self) -> Mapping[str, tuple[str, ...]]:
        """Those of `dependencies` that were inferred; only for tasks that have some."""
        return self._inferred

    @property
    def levels(self) -> tuple[tuple[str, ...], ...]:
        """Ids by the longest way from a root: the tasks of one level don't depend on each other."""
        return self._levels

    @property
    def roots(self) -> tuple[str, ...]:
        """Ids of the tasks that depend on nothing."""
        return self._levels[0]

    @cached_property
    def leaves(self) -> tuple[str, ...]:
        """Ids of the tasks on which nothing depends, in registration order."""
        return tuple(task_id for task_id in self._tasks if not self.dependents[task_id])

    @cached_property
    def positions(self) -> Mapping[str, int]:
        """For each task's id its place in registration order, from 0."""
        return {task_id: place for place, task_id in enumerate(self._tasks)}

    @cached_property
    def fan_in(self) -> Mapping[str, int]:
        """For each task's id the number of tasks that it depends on."""
        return {task_id: len(ids) for task_id, ids in self._dependencies.items()}

    @cached_property
    def has_rules(self) -> bool:
        """Whether any task has a trigger rule."""
        return any(task.rule is not None for task in self._tasks.values())

    @cached_property
    def has_caches(self) -> bool:
        """Whether any task asks to be taken from earlier runs, whatever the run says."""
        return any(task.cache not in (None, False) for task in self._tasks.values())

    @cached_property
    def dependents(self) -> Mapping[str, tuple[str, ...]]:
        """For each task's id the ids that depend on it, in registration order."""
        found: dict[str, list[str]] = {task_id: [] for task_id in self._tasks}
        for task_id, ids in self._dependencies.items():
            for dependency in ids:
                found[dependency].append(task_id)
        return {task_id: tuple(ids) for task_id, ids in found.items()}

    def descendants(self, task_id: str) -> set[str]:
        """Return the ids of the tasks that depend on a task, directly or by way of others.

        Raises:
            TaskNotFoundError: a KeyError, if there is no such task.
        """
        return _reached(self[task_id].id, self.dependents)

    def ancestors(self, task_id: str) -> set[str]:
        """Return the ids of the tasks that a task depends on, directly or by way of others.

        Raises:
            TaskNotFoundError: a KeyError, if there is no such task.
        """
        return _reached(self[task_id].id, self._dependencies)

    def up_to(self, task_id: str) -> "Workflow":
        """Return a workflow of a task and its ancestors, in which each is ready whatever became of the others.

        Raises:
            TaskNotFoundError: a KeyError, if there is no such task.
        """
        kept = {task_id, *self.ancestors(task_id)}
        tasks = [
            replace(task, dependencies=self._dependencies[task.id], after=(), rule=Always())
            for task in self.tasks
            if task.id in kept
        ]
        return Workflow(
            self._name, tasks, parameters=self._parameters, derived=self._derived, secret=self._secret, infer=False
        )

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """What is legal but looks like a slip: a task that reads a key which no ancestor of it sets."""
        return tuple(unreachable_reads(self.tasks, self._dependencies, self._parameters))

    @cached_property
    def circles(self) -> tuple[Circle, ...]:
        """The circles of data, for which no dependency could be inferred: legal if the initial context opens them."""
        return tuple(circles(self._tasks, self._dependencies, self.dependents, self._parameters))

    @cached_property
    def version(self) -> str:
        """A hash of name, description, tags, code and topology: equal for equal definitions."""
        facts = [
            self._name,
            self._description,
            sorted(self._tags.items()),
            [(task.id, task.source, self._dependencies[task.id]) for task in self.tasks],
        ]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]

    def changed(self, change: Callable[[Task], Task]) -> "Workflow":
        """Return the same workflow with each of its tasks replaced by what `change` makes of it."""
        return Workflow(
            self._name,
            map(change, self.tasks),
            description=self._description,
            tags=self._tags,
            parameters=self._parameters,
            derived=self._derived,
            infer=bool(self._inferred),
            secret=self._secret,
        )

    def topological_sort(self) -> list[str]:
        """Return the ids so that each stands after its dependencies; ties go by registration order."""
        return [task_id for level in self._levels for task_id in level]

    def get_execution_levels(self) -> list[list[str]]:
        """Return `levels` as lists."""
        return [list(level) for level in self._levels]

    def get_roots(self) -> list[str]:
        """Return `roots` as a list."""
        return list(self.roots)

    def get_leaves(self) -> list[str]:
        """Return `leaves` as a list."""
        return list(self.leaves)

    def validate(self) -> None:
        """Do nothing: a workflow that exists is valid."""

    def __getitem__(self, task_id: str) -> Task:
        try:
            return self._tasks[task_id]
        except KeyError:
            raise TaskNotFoundError(
                f"Workflow {self._name!r} has no task {task_id!r}.{near_miss(str(task_id), self._tasks)} "
                f"Its tasks are: {', '.join(self._tasks)}."
            ) from None

    def __contains__(self, task_id: object) -> bool:
        return task_id in self._tasks

    def __len__(self) -> int:
        return len(self._tasks)

    def __repr__(self) -> str:
        return f"Workflow(name={self._name!r}, tasks={len(self)})"

    def _named_dependencies(self, task: Task) -> tuple[str, ...]:
        """Return what a task says it depends on, the tasks that its rule names included."""
        ruled = task.rule.task_ids() if task.rule else ()
        named = tuple(dict.fromkeys((*(task.dependencies or ()), *task.after, *ruled)))
        for dependency in named:
            if dependency not in self._tasks:
                known = ", ".join(self._tasks)
                raise WorkflowValidationError(
                    f"Missing dependency: task {task.named} of workflow {self._name!r} depends on {dependency!r}, "
                    f"which is no task of it.{near_miss(dependency, self._tasks)} Its tasks are: {known}. "
                    "Define it, or take it out of the dependencies."
                )
        return named


def _index(name: str, tasks: Iterable[Task]) -> dict[str, Task]:
    found: dict[str, Task] = {}
    for task in tasks:
        if task.id in found:
            raise WorkflowValidationError(
                f"Duplicate task: workflow {name!r} has {found[task.id].named} and {task.named}; rename one of them."
            )
        found[task.id] = task
    if not found:
        raise WorkflowValidationError(
            f"Workflow cannot be empty: {name!r} has no task. Add one with add_task() or define it in the `with` block."
        )
    return found


def _reached(task_id: str, edges: Mapping[str, Sequence[str]]) -> set[str]:
    """Return where the edges lead from a task, directly or by way of others."""
    found: set[str] = set()
    stack = [task_id]
    while stack:
        new = set(edges[stack.pop()]) - found
        found |= new
        stack += new
    return found


def _levels(name: str, dependencies: Mapping[str, Sequence[str]]) -> tuple[tuple[str, ...], ...]:
    place = {task_id: number for number, task_id in enumerate(dependencies)}
    sorter = TopologicalSorter(dependencies)
    try:
        sorter.prepare()
    except CycleError as error:
        circle = " -> ".join(error.args[1])
        raise WorkflowValidationError(
            f"Circular dependency in workflow {name!r}: {circle} (each runs before the next). "
            "Take one of these dependencies away."
        ) from None
    levels = []
    while sorter.is_active():
        ready = sorter.get_ready()
        levels.append(tuple(sorted(ready, key=place.__getitem__)))
        sorter.done(*ready)
    return tuple(levels)

"""The scopes of one run: what each task inherits, and what the run comes to at its end."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.merge import STRICT, Sameness
from cloaca_nb.core.scope import Conflict, Scope
from cloaca_nb.core.status import Outcome

__all__ = ["FinalContext", "Lineage"]


class FinalContext(NamedTuple):
    """The final context of a run.

    Attributes:
        scope: the merge over the completed tasks that no completed task comes after, in registration order.
        values: what it holds, by key.
        conflicts: the keys for which that merge had to choose.
    """

    scope: Scope
    values: Mapping[str, Any]
    conflicts: tuple[Conflict, ...]


class Lineage:
    """The scopes of one run, linked like its tasks.

    Args:
        workflow: what is run.
        initial: the initial context.
        same: what it means that two values are one.
    """

    def __init__(self, workflow: Workflow, initial: Mapping[str, Any], same: Sameness = STRICT) -> None:
        self._workflow = workflow
        self._root = Scope(changes=initial, same=same)
        self._scopes: dict[str, Scope] = {}
        self._order = {task.id: number for number, task in enumerate(workflow.tasks)}

    def scope(self, task_id: str) -> Scope:
        """Return the scope of a task whose dependencies are over; it is made when it is first asked for."""
        known = self._scopes.get(task_id)
        if known is not None:
            return known
        stack = [task_id]
        while stack:  # a loop: skipped tasks may stand in a chain deeper than Python's stack
            current = stack[-1]
            missing = [one for one in self._workflow.dependencies[current] if one not in self._scopes]
            if missing:
                stack += missing
                continue
            stack.pop()
            if current not in self._scopes:
                parents = [self._scopes[one] for one in self._workflow.dependencies[current]]
                self._scopes[current] = Scope(current, parents or (self._root,), order=self._order[current])
        return self._scopes[task_id]

    def final(self, outcomes: Mapping[str, Outcome]) -> FinalContext:
        """Return the final context, given how every task ended; also for a run that failed."""
        last = [self._scopes[task_id] for task_id in self._last_completed(outcomes)]
        scope = Scope(parents=last or (self._root,))
        entries = {key: entry for key in scope.keys() if (entry := scope.find(key)) is not None}  # noqa: SIM118 - no mapping
        chosen = (entry.conflict for entry in entries.values() if entry.writer is scope)
        values = {key: entry.value for key, entry in entries.items()}
        return FinalContext(scope, values, tuple(one for one in chosen if one is not None))

    def _last_completed(self, outcomes: Mapping[str, Outcome]) -> list[str]:
        """Return the completed tasks that no completed task comes after, in registration order."""
        dependents = self._workflow.dependents
        followed: set[str] = set()
        for task_id in reversed(self._workflow.topological_sort()):
            if any(one in followed or outcomes[one] is Outcome.COMPLETED for one in dependents[task_id]):
                followed.add(task_id)
        completed = (task.id for task in self._workflow.tasks if outcomes[task.id] is Outcome.COMPLETED)
        return [task_id for task_id in completed if task_id not in followed]

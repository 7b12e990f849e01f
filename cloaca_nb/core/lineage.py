"""The scopes of one run: what each task inherits, and what the run comes to at its end."""

from collections.abc import Mapping, Sequence
from functools import partial
from operator import is_
from typing import Any, Final, NamedTuple

from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.merge import STRICT, Sameness
from cloaca_nb.core.scope import Conflict, Scope, keys_of
from cloaca_nb.core.status import Outcome

__all__ = ["FinalContext", "Lineage"]

is_completed: Final = partial(is_, Outcome.COMPLETED)


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
        self._dependencies = workflow.dependencies
        self._order = workflow.positions
        self._origin = (Scope(changes=initial, same=same),)
        self._scopes: dict[str, Scope] = {}
        self._changed: list[Scope] = []

    def scope(self, task_id: str) -> Scope:
        """Return the scope of a task whose dependencies are over; it is made when it is first asked for."""
        known = self._scopes.get(task_id)
        return self._make(task_id) if known is None else known

    def finish(self, task_id: str, changes: Mapping[str, Any]) -> None:
        """Take over what a task changed, now that it has completed."""
        scope = self.scope(task_id)
        scope.finish(changes)
        self._changed.append(scope)

    def _make(self, task_id: str) -> Scope:
        scopes, stack = self._scopes, [task_id]
        while stack:  # a loop: skipped tasks may stand in a chain deeper than Python's stack
            current = stack[-1]
            try:
                parents = [scopes[one] for one in self._dependencies[current]]
            except KeyError:
                stack += [one for one in self._dependencies[current] if one not in scopes]
                continue
            stack.pop()
            if current not in scopes:
                scopes[current] = Scope(current, parents or self._origin, order=self._order[current])
        return scopes[task_id]

    def final(self, outcomes: Mapping[str, Outcome]) -> FinalContext:
        """Return the final context, given how every task ended; also for a run that failed."""
        last = [self.scope(task_id) for task_id in self._last_completed(outcomes)]
        scope = Scope(parents=last or self._origin)
        keys = keys_of((*self._origin, *self._changed))  # all of these are ancestors of `scope`
        entries = {key: entry for key in keys if (entry := scope.find(key)) is not None}
        chosen = (entry.conflict for entry in entries.values() if entry.writer is scope)
        values = {key: entry.value for key, entry in entries.items()}
        return FinalContext(scope, values, tuple(one for one in chosen if one is not None))

    def _last_completed(self, outcomes: Mapping[str, Outcome]) -> Sequence[str]:
        """Return the completed tasks that no completed task comes after, in registration order."""
        if all(map(is_completed, outcomes.values())):
            return self._workflow.leaves
        dependents = self._workflow.dependents
        followed: set[str] = set()
        for task_id in reversed(self._workflow.topological_sort()):
            if any(one in followed or outcomes[one] is Outcome.COMPLETED for one in dependents[task_id]):
                followed.add(task_id)
        completed = (task.id for task in self._workflow.tasks if outcomes[task.id] is Outcome.COMPLETED)
        return [task_id for task_id in completed if task_id not in followed]

"""The scopes of one run: what each task inherits, and what the run comes to at its end."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from functools import partial
from operator import is_
from typing import Any, Final, NamedTuple

from cloaca_nb.core.conflict import Conflict
from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.merge import STRICT, Sameness
from cloaca_nb.core.scope import Scope
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
        """Return the scope of a task whose dependencies are over; it is made when it is first asked for.

        A task that depends on one other task has that one's scope until it has changed something itself.
        """
        known = self._scopes.get(task_id)
        return self._find(task_id) if known is None else known

    def finish(self, task_id: str, changes: Mapping[str, Any]) -> None:
        """Take over what a task changed, now that it has completed and before anything that follows it begins."""
        scope = self._scopes[task_id] = Scope(task_id, self._parents(task_id), changes, order=self._order[task_id])
        self._changed.append(scope)

    def setter(self, key: str, task_id: str) -> str:
        """Say which other task sets a key that a task has asked for in vain, or one of such a name; else nothing."""
        others = [task for task in self._workflow.tasks if task.id != task_id]
        setters = {one: task.id for task in others for one in task.keys.sets}
        if key not in setters:
            close = get_close_matches(key, setters, n=1)
            return "".join(f" Did you mean {one!r}, which task {setters[one]!r} sets?" for one in close)
        before, after = self._workflow.ancestors(task_id), self._workflow.descendants(task_id)
        named = [task.id for task in others if key in task.keys.sets]
        if tried := [one for one in named if one in before]:
            return f" Task {tried[-1]!r} sets it, but has not done so in this run."
        if free := [one for one in named if one not in after]:
            return f" Task {free[-1]!r} sets it: add {free[-1]!r} to the dependencies of {task_id!r}."
        return (
            f" Task {named[-1]!r} sets it, but comes after {task_id!r}: give {key!r} its first value as a parameter or "
            "in the initial context, or set one of the two under another name."
        )

    def _parents(self, task_id: str) -> Sequence[Scope]:
        return [self.scope(one) for one in self._dependencies[task_id]] or self._origin

    def _find(self, task_id: str) -> Scope:
        """Make the scopes that there aren't, ancestors first. A loop: chains are deeper than Python's stack."""
        scopes, stack = self._scopes, [task_id]
        while stack:
            current = stack[-1]
            missing = [one for one in self._dependencies[current] if one not in scopes]
            if missing:
                stack += missing
                continue
            stack.pop()
            parents = self._parents(current)
            scope = parents[0] if len(parents) == 1 else Scope(current, parents, order=self._order[current])
            scopes.setdefault(current, scope)  # of two threads that come here at once, both get the first one's
        return scopes[task_id]

    def final(self, outcomes: Mapping[str, Outcome]) -> FinalContext:
        """Return the final context, given how every task ended; also for a run that failed."""
        last = [self.scope(task_id) for task_id in self._last_completed(outcomes)] if self._changed else ()
        scope = Scope(parents=last or self._origin)
        entries = scope.entries()
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

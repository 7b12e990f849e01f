"""What a task inherits: the changes of its ancestors, looked up when a key is read and merged where branches meet.

A run has one `Scope` for its initial context and one per task, linked like the tasks. A scope holds only what its own
task changed, so a task costs nothing for the keys that it leaves alone, and a merge happens only for a key that is
read.

For each key only maximal writers compete: an entry is dropped if another one was written by a descendant of its writer.
A merged entry counts as written by the task at which it was merged. The order in which tasks happened to end never
matters: a scope is read only when all its ancestors are over, and they are all that it looks at.
"""

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any, Final

from cloaca_nb.core.conflict import Conflict
from cloaca_nb.core.merge import DELETED, MISSING, STRICT, Merged, Sameness, merge

__all__ = ["Entry", "Scope"]


class Entry:
    """A value of a key and the scope that wrote or merged it. Compared by identity."""

    __slots__ = ("base", "conflict", "merged", "value", "writer")

    def __init__(self, value: Any, writer: "Scope") -> None:
        self.value = value
        self.writer = writer
        self.merged = False
        self.base: Entry | None = None  # of a merged entry: what the branches started from
        self.conflict: Conflict | None = None


class Scope:
    """What holds after a task: its changes on top of what it inherits.

    Args:
        task_id: whose scope this is; empty for the initial and the final context.
        parents: the scopes that it inherits from, in `dependencies` order.
        changes: what it sets (deleted keys map to DELETED), where that is known already.
        same: what it means that two values are one; taken from the parents where there are any.
        order: the task's place in registration order.
    """

    __slots__ = ("_before", "_known", "changes", "depth", "order", "parents", "same", "task_id")

    depth: int
    same: Sameness

    def __init__(
        self,
        task_id: str = "",
        parents: Sequence["Scope"] = (),
        changes: Mapping[str, Any] | None = None,
        same: Sameness = STRICT,
        order: int = 0,
    ) -> None:
        self.task_id = task_id
        self.order = order
        self.parents = parents
        if not parents:
            self.depth, self.same = 0, same
        else:
            first = parents[0]
            self.same = first.same
            self.depth = 1 + (first.depth if len(parents) == 1 else max([parent.depth for parent in parents]))
        self._known: dict[str, Entry | None] = {}
        self._before: dict[str, Entry | None] = {}  # what it inherits, also for keys that its own task changed
        self.changes: Mapping[str, Any] = NO_CHANGES
        if changes:
            self.finish(changes)

    def finish(self, changes: Mapping[str, Any]) -> None:
        """Take over what the task changed, now that it has completed."""
        self.changes = changes
        for key, value in changes.items():
            self._known[key] = Entry(value, self)

    def find(self, key: str) -> Entry | None:
        """Return the entry that holds for `key` here, or None if the key never was or is deleted."""
        entry = self._known.get(key) if key in self._known or not self.parents else self._look_up(key)
        return None if entry is None or entry.value is DELETED else entry

    def keys(self) -> list[str]:
        """Return the keys that hold here, in the order of `entries`."""
        return list(self.entries())

    def entries(self) -> dict[str, Entry]:
        """Return what holds here by key: the initial ones first, then as tasks added them, in their order."""
        found: dict[str, Entry | None] = {}
        for scope in sorted(self._lineage(), key=lambda scope: (scope.depth, scope.order)):
            for key in scope.changes:
                found[key] = None if key in found else scope._known[key]  # what has one writer came down as it was
        entries = {key: self.find(key) if entry is None else entry for key, entry in found.items()}
        return {key: entry for key, entry in entries.items() if entry is not None and entry.value is not DELETED}

    def _lineage(self) -> list["Scope"]:
        """All scopes from the root to this one."""
        found: dict[int, Scope] = {}
        stack = [self]
        while stack:
            scope = stack.pop()
            if id(scope) not in found:
                found[id(scope)] = scope
                stack.extend(scope.parents)
        return list(found.values())

    def _look_up(self, key: str) -> Entry | None:
        """Find `key` in the ancestors. A loop: chains are deeper than Python's stack.

        It is remembered where branches meet, so that each merge is made once, here, and in a single parent, for its
        other children; nowhere else, or each of the thousand keys of a context would cost each task of a chain memory.
        """
        stack = [self]
        while stack:
            scope = stack[-1]
            unknown = [found for parent in scope.parents if key not in (found := parent._nearest(key))._known]
            if unknown and key not in scope._known:
                stack.extend(unknown)
                continue
            stack.pop()
            if key not in scope._known:
                # setdefault: of two threads that come here at once, both get the first one's entry
                scope._known.setdefault(key, scope._inherit(key))
        if len(self.parents) == 1:
            self.parents[0]._known.setdefault(key, self._known[key])
        return self._known[key]

    def _nearest(self, key: str) -> "Scope":
        """Return the first scope on the way up that knows `key`, or has to ask more than one parent or none."""
        scope = self
        while key not in scope._known and len(scope.parents) == 1:
            scope = scope.parents[0]
        return scope

    def _inherit(self, key: str) -> Entry | None:
        """Return what holds for `key` in the parents; the nearest scopes all know it."""
        if len(self.parents) == 1:
            return self.parents[0]._nearest(key)._known.get(key)
        known = [parent._nearest(key)._known.get(key) for parent in self.parents]
        entries = [entry for entry in dict.fromkeys(known) if entry is not None]
        rivals = _maximal(entries) if len(entries) > 1 else entries
        return self._combine(key, rivals) if len(rivals) > 1 else next(iter(rivals), None)

    def _combine(self, key: str, rivals: list[Entry]) -> Entry:
        for rival in rivals:
            rival.writer._trace(key)
        base = _common_base(key, rivals)
        start = MISSING if base is None else base.value

        def step(so_far: Merged, rival: Entry) -> Merged:
            merged = merge(start, so_far.value, rival.value, self.same)
            return Merged(merged.value, so_far.contested or merged.contested)

        merged = reduce(step, rivals[1:], Merged(rivals[0].value, contested=False))
        entry = Entry(merged.value, self)
        entry.merged, entry.base = True, base
        if merged.contested:
            entry.conflict = Conflict(key, self.task_id, tuple(rival.writer.task_id for rival in rivals))
        return entry

    def before(self, key: str, entry: Entry) -> Entry | None:
        """Return what `entry`, written or merged here, came on top of."""
        return entry.base if entry.merged else self._before[key]

    def _trace(self, key: str) -> None:
        """Remember what every ancestor inherits, the first ones first: each merge is made once, without recursion."""
        for scope in self._untraced(key):
            if key in scope._known and key not in scope.changes:
                inherited = scope._known[key]
            else:
                inherited = scope._inherit(key) if scope.parents else None
            scope._before.setdefault(key, inherited)
            scope._known.setdefault(key, scope._before[key])

    def _untraced(self, key: str) -> list["Scope"]:
        found: dict[int, Scope] = {}
        stack = [self]
        while stack:
            scope = stack.pop()
            if key not in scope._before and id(scope) not in found:
                found[id(scope)] = scope
                stack.extend(scope.parents)
        return sorted(found.values(), key=lambda scope: scope.depth)


NO_CHANGES: Final[Mapping[str, Any]] = {}


def _maximal(entries: list[Entry]) -> list[Entry]:
    """Drop every entry whose writer is an ancestor of another one's."""
    writers = [entry.writer for entry in entries]
    highest = min(writer.depth for writer in writers)
    if all(writer.depth == highest for writer in writers):
        return entries
    dominated = _ancestors(writers, highest)
    return [entry for entry in entries if id(entry.writer) not in dominated]


def _ancestors(scopes: list[Scope], highest: int) -> set[int]:
    """Return which scopes come before any of these, as far up as a depth, by identity."""
    found: set[int] = set()
    stack = list(scopes)
    while stack:
        for parent in stack.pop().parents:
            if parent.depth >= highest and id(parent) not in found:
                found.add(id(parent))
                stack.append(parent)
    return found


def _common_base(key: str, rivals: list[Entry]) -> Entry | None:
    """Return the latest entry from which all rivals come.

    From each rival, go back over the entries that led to it, always from where it is deepest, until all have met.
    """
    current = {id(entry): entry for entry in rivals}
    while len(current) > 1:
        deepest = max(entry.writer.depth for entry in current.values())
        for entry in [one for one in current.values() if one.writer.depth == deepest]:
            del current[id(entry)]
            earlier = entry.writer.before(key, entry)
            if earlier is None:
                return None
            current[id(earlier)] = earlier
    return next(iter(current.values()))

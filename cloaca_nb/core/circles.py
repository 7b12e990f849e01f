"""Circles of data: a task reads a key that only tasks set which come after it."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from cloaca_nb.core.task import Task

__all__ = ["Circle", "circles"]

MOST: Final = 9  # names that a sentence lists


class Circle(NamedTuple):
    """Tasks that wait for each other: such a read can only be answered by the initial context.

    Attributes:
        ids: of the tasks, each before the one that waits for it; the first one waits for the last.
        keys: that go from one to the next.
        reader: the task whose read can't be answered.
        key: what it reads.
        other: a task that sets the key as well and is no part of the circle; empty: there is none.
    """

    ids: tuple[str, ...]
    keys: tuple[str, ...]
    reader: str
    key: str
    other: str

    @property
    def sentence(self) -> str:
        """What is wrong, and the fix."""
        instead = f" Or have {self.reader!r} follow {self.other!r}, which sets {self.key!r} too." if self.other else ""
        return (
            f"{' -> '.join(_few((*self.ids, self.ids[0])))} go in a circle ({', '.join(_few(self.keys))}): each waits "
            f"for the one before it, so nothing sets {self.key!r} before {self.reader!r} reads it. Set one of these "
            f"under another name, or give it its first value as a parameter (%%cloaca_params).{instead}"
        )


def circles(
    tasks: Mapping[str, Task],
    dependencies: Mapping[str, Sequence[str]],
    dependents: Mapping[str, Sequence[str]],
    parameters: Collection[str],
) -> Iterator[Circle]:
    """Yield each circle of data once: those of reads that neither an ancestor nor a parameter answers.

    Args:
        tasks: by id, in registration order.
        dependencies: for each task's id the ids that it depends on.
        dependents: the same, the other way round.
        parameters: keys that the initial context has.
    """
    setters: dict[str, list[str]] = {}
    for task in tasks.values():
        for key in task.keys.sets:
            setters.setdefault(key, []).append(task.id)
    seen: set[frozenset[str]] = set()
    for task in tasks.values():
        for key in task.keys.reads:
            others = [one for one in setters.get(key, ()) if one != task.id]
            if not others or key in parameters or not set(others).isdisjoint(dependencies[task.id]):
                continue
            before = _ways(task.id, dependencies)
            if any(key in tasks[one].keys.sets or tasks[one].keys.computed for one in before if one != task.id):
                continue
            after = _ways(task.id, dependents)
            closing = next((one for one in after if one in others), None)
            if closing is None:
                continue
            ids = _in_order(_way_to(closing, after), tasks)
            if frozenset(ids) not in seen:
                seen.add(frozenset(ids))
                other = next((one for one in reversed(others) if one not in after), "")
                yield Circle(ids, _keys(ids, tasks), task.id, key, other)


def _few(names: Sequence[str]) -> Sequence[str]:
    return names if len(names) <= MOST else (*names[: MOST - 2], "…", names[-1])


def _ways(task_id: str, edges: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return the tasks to which the edges lead from a task, nearest first, each with the one that leads to it."""
    found = {task_id: ""}
    queue = [task_id]
    for current in queue:
        for one in edges[current]:
            if one not in found:
                found[one] = current
                queue.append(one)
    return found


def _way_to(task_id: str, ways: Mapping[str, str]) -> list[str]:
    way: list[str] = []
    while task_id:
        way.append(task_id)
        task_id = ways[task_id]
    return way[::-1]


def _in_order(ids: Sequence[str], tasks: Mapping[str, Task]) -> tuple[str, ...]:
    """Begin a circle with the task that was registered first."""
    first = next(ids.index(one) for one in tasks if one in ids)
    return (*ids[first:], *ids[:first])


def _keys(ids: Sequence[str], tasks: Mapping[str, Task]) -> tuple[str, ...]:
    pairs = zip(ids, (*ids[1:], ids[0]), strict=True)
    return tuple(
        dict.fromkeys(key for one, after in pairs for key in tasks[after].keys.reads if key in tasks[one].keys.sets)
    )

"""Dependencies that follow from the data: a task that reads a key comes after the task that sets it."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from cloaca_nb.core.task import Task
from cloaca_nb.errors import WorkflowValidationError

__all__ = ["infer_dependencies", "unreachable_reads"]


def infer_dependencies(
    workflow: str, tasks: Sequence[Task], named: Mapping[str, Sequence[str]], parameters: Collection[str] = ()
) -> dict[str, tuple[str, ...]]:
    """Return what each task that names no dependencies depends on by the keys that it reads.

    That is, for each key, the nearest task registered before it that sets the key; only if none is earlier, the sole
    later one, unless the key is a parameter. A dependency that would close a circle is left out.

    Args:
        workflow: its name, for errors.
        tasks: in registration order.
        named: for each task's id the dependencies that are known already.
        parameters: keys that the initial context has.

    Raises:
        WorkflowValidationError: if only later tasks set a key, and several of them do.
    """
    setters = _setters(tasks)
    place = {task.id: number for number, task in enumerate(tasks)}
    edges = {task_id: list(ids) for task_id, ids in named.items()}
    # Every edge from an earlier to a later task leaves the graph free of circles, so most need no search for one.
    orderly = all(place[one] < place[task_id] for task_id, ids in edges.items() for one in ids)
    found: dict[str, tuple[str, ...]] = {}
    for task in tasks:
        if task.dependencies is not None:
            continue
        for key in task.keys.reads:
            source = _source(workflow, task, key, setters.get(key, ()), place, given=key in parameters)
            if source is None or source in edges[task.id]:
                continue
            backward = place[source] > place[task.id]
            if (backward or not orderly) and _reaches(edges, source, task.id):
                continue
            orderly = orderly and not backward
            edges[task.id].append(source)
            found[task.id] = (*found.get(task.id, ()), source)
    return found


def unreachable_reads(
    tasks: Sequence[Task], dependencies: Mapping[str, Sequence[str]], parameters: Collection[str]
) -> Iterator[str]:
    """Yield a warning for each task that names its dependencies but reads a key that only a non-ancestor sets."""
    setters = _setters(tasks)
    for task in tasks:
        for key in task.keys.reads if task.dependencies is not None else ():
            others = [one for one in setters.get(key, ()) if one != task.id]
            if others and key not in parameters and not any(_reaches(dependencies, task.id, one) for one in others):
                free = [one for one in others if not _reaches(dependencies, one, task.id)]
                yield f"Task {task.named} reads {key!r}, which {_unreached(key, others, free)}"


def _unreached(key: str, others: Sequence[str], free: Sequence[str]) -> str:
    """Say who sets a key, and what to do; only a dependency on one that is `free` closes no circle."""
    they = f"{others[0]!r} sets" if len(others) == 1 else f"{' and '.join(map(repr, others))} set"
    if not free:
        return f"{they} only after it: give {key!r} its first value as a parameter, or in the initial context."
    return (
        f"{they}, but does not depend on {'it' if len(others) == 1 else 'them'}: add {free[-1]!r} to its "
        "dependencies, or leave `dependencies` out to have them inferred."
    )


def _setters(tasks: Sequence[Task]) -> dict[str, list[str]]:
    setters: dict[str, list[str]] = {}
    for task in tasks:
        for key in task.keys.sets:
            setters.setdefault(key, []).append(task.id)
    return setters


def _source(
    workflow: str, task: Task, key: str, setters: Sequence[str], place: Mapping[str, int], *, given: bool
) -> str | None:
    """Return the task from which `task` gets `key`; None if no other one sets it, or it is `given` from the start."""
    others = [one for one in setters if one != task.id]
    earlier = [one for one in others if place[one] < place[task.id]]
    if earlier:
        return earlier[-1]
    if given:
        return None
    if len(others) > 1 and key not in task.keys.sets:
        raise WorkflowValidationError(
            f"Task {task.named} of workflow {workflow!r} reads {key!r}, which several later tasks set: "
            f"{', '.join(map(repr, others))}. Say which one it follows: dependencies=[{others[0]!r}]."
        )
    return others[0] if len(others) == 1 else None


def _reaches(edges: Mapping[str, Sequence[str]], task_id: str, wanted: str) -> bool:
    """Say whether `wanted` is `task_id` or one of its ancestors."""
    seen = {task_id}
    stack = [task_id]
    while stack:
        current = stack.pop()
        if current == wanted:
            return True
        for one in edges[current]:
            if one not in seen:
                seen.add(one)
                stack.append(one)
    return False

"""On which level a task of a workflow stands, and in which row of it: where its edges cross least, early tasks on top.

fast-sugiyama orders what is small enough for its time; what is larger is ordered by the middle of each task's
dependencies. Nothing here has a length: `layout` gives levels and rows their size.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from fast_sugiyama import from_edges

if TYPE_CHECKING:
    from cloaca_nb.core.graph import Workflow

__all__ = ["Link", "Part", "Place", "ranked", "sorted_levels"]

for _name in ("rust-sugiyama", "connected_components"):  # its logs of every phase would land in the user's cell
    logging.getLogger(_name).setLevel(logging.WARNING)

_MOST_SUGIYAMA = 400  # its time grows faster than the edges do: 0.2 s here, 10 s for 1,700

Place: TypeAlias = tuple[int, float]  # a level, and how far down in it, in rows
Link: TypeAlias = tuple[str, str]  # a dependency and the task that depends on it


class Part(NamedTuple):
    """Tasks that hang together, and the places that the edges between them pass."""

    places: dict[str, Place]
    routes: dict[Link, list[Place]]

    @property
    def rows(self) -> float:
        """How many rows its largest level takes."""
        return 1 + max(row for _, row in self.places.values())


def ranked(workflow: "Workflow", links: Sequence[Link]) -> list[Part]:
    """Return the parts of a workflow, the largest first.

    Args:
        workflow: of any size.
        links: its edges.
    """
    return [_columns(workflow)] if len(links) > _MOST_SUGIYAMA else _parts(workflow, links)


def sorted_levels(workflow: "Workflow") -> Iterable[list[str]]:
    """Yield the ids of each level in the order of the middle of their dependencies."""
    height: dict[str, float] = {}
    for level in workflow.levels:
        middles = {task_id: _mean(height[source] for source in workflow.dependencies[task_id]) for task_id in level}
        ids = sorted(level, key=middles.__getitem__)  # a stable sort: ties stay in registration order
        height |= {task_id: (row + 0.5) / len(ids) for row, task_id in enumerate(ids)}
        yield ids


def _parts(workflow: "Workflow", links: Sequence[Link]) -> list[Part]:
    """Return the connected parts of a workflow, the largest first."""
    linked = {task_id for link in links for task_id in link}
    ids = [task.id for task in workflow.tasks if task.id in linked]
    parts = [_in_order(part, workflow) for part in _sugiyama(ids, links)]
    alone = [Part({task.id: (0, 0.0)}, {}) for task in workflow.tasks if task.id not in linked]
    order = {task.id: number for number, task in enumerate(workflow.tasks)}
    parts.sort(key=lambda part: (-len(part.places), min(order[task_id] for task_id in part.places)))
    return parts + alone


def _sugiyama(ids: Sequence[str], links: Sequence[Link]) -> list[Part]:
    """Ask fast-sugiyama. It numbers the points where a long edge crosses a level after the tasks' own numbers."""
    if not links:
        return []
    numbers = {task_id: number for number, task_id in enumerate(ids)}
    found = from_edges(
        [(numbers[source], numbers[target]) for source, target in links],
        vertex_spacing=1,
        dummy_vertices=True,
        dummy_size=0.5,
        check_layout=False,
    )
    return [
        _read_sugiyama(
            ids,
            {int(number): place for number, place in positions},
            [(int(source), int(target)) for source, target in edges or ()],
        )
        for positions, _, _, edges in found
    ]


def _read_sugiyama(
    ids: Sequence[str], positions: Mapping[int, tuple[float, float]], edges: Sequence[tuple[int, int]]
) -> Part:
    """Turn its drawing, in which time runs against y, to ours."""
    top = max(y for _, y in positions.values())
    first = min(x for x, _ in positions.values())
    places = {number: (round(top - y), x - first) for number, (x, y) in positions.items()}
    onward = {source: target for source, target in edges if source >= len(ids)}
    routes: dict[Link, list[Place]] = {}
    for start, after in edges:
        if start < len(ids):
            passed, end = [], after
            while end >= len(ids):
                passed.append(places[end])
                end = onward[end]
            routes[ids[start], ids[end]] = passed
    return Part({ids[number]: place for number, place in places.items() if number < len(ids)}, routes)


def _in_order(part: Part, workflow: "Workflow") -> Part:
    """Put earlier tasks above later ones where the edges leave the choice: the library's own choice is arbitrary."""
    part = _earlier_on_top(part, workflow)
    alike: dict[object, list[str]] = defaultdict(list)
    for task in workflow.tasks:
        if task.id in part.places:
            sources, targets = workflow.dependencies[task.id], workflow.dependents[task.id]
            alike[frozenset(sources), frozenset(targets), part.places[task.id][0]].append(task.id)
    renamed = {
        old: new
        for twins in alike.values()
        for old, new in zip(sorted(twins, key=part.places.__getitem__), twins, strict=True)
    }
    return Part(
        {renamed[task_id]: place for task_id, place in part.places.items()},
        {(renamed[source], renamed[target]): route for (source, target), route in part.routes.items()},
    )


def _earlier_on_top(part: Part, workflow: "Workflow") -> Part:
    ranks = [part.places[task.id][1] for task in workflow.tasks if task.id in part.places]
    middle = sum(ranks) / len(ranks)
    if sum((rank - middle) * number for number, rank in enumerate(ranks)) >= 0:
        return part
    last = max((*ranks, *(rank for route in part.routes.values() for _, rank in route)))
    return Part(
        {task_id: (level, last - rank) for task_id, (level, rank) in part.places.items()},
        {link: [(level, last - rank) for level, rank in route] for link, route in part.routes.items()},
    )


def _columns(workflow: "Workflow") -> Part:
    """Place tasks by level, each near its dependencies: cheap, and good enough where edges can't be followed anyway."""
    places: dict[str, Place] = {}
    for level, ids in enumerate(sorted_levels(workflow)):
        for row, task_id in enumerate(ids):
            places[task_id] = (level, row - (len(ids) - 1) / 2)
    top = min(row for _, row in places.values())
    return Part({task_id: (level, row - top) for task_id, (level, row) in places.items()}, {})


def _mean(values: Iterable[float]) -> float:
    known = list(values)
    return sum(known) / len(known) if known else 0.5

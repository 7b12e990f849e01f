"""Changes by method that stay in a task: `rows.append(…)` on a name from the context sets nothing."""

import ast
from collections.abc import Iterator
from typing import Final, NamedTuple

from cloaca_nb.core.cells import Resolution, TaskCell
from cloaca_nb.core.code.bindings import own_scope
from cloaca_nb.core.code.name_flow import root_name

__all__ = ["LostChange", "lost_changes"]

# Methods that change their object, of lists, sets, dicts and deques; of frames it is the argument inplace=True.
CHANGING: Final = {
    "add", "append", "appendleft", "clear", "difference_update", "discard", "extend", "extendleft", "insert",
    "intersection_update", "pop", "popitem", "popleft", "remove", "reverse", "rotate", "setdefault", "sort",
    "symmetric_difference_update", "update",
}  # fmt: skip


class LostChange(NamedTuple):
    """A change that no other task will see.

    Attributes:
        name: of the context.
        method: what was called on it, or on a part of it.
        line: of the cell, from 1.
    """

    name: str
    method: str
    line: int


def lost_changes(cell: TaskCell, resolution: Resolution) -> Iterator[LostChange]:
    """Yield the first change by method of each name that comes from the context and doesn't go back to it.

    Args:
        cell: the task's.
        resolution: where its names come from, and go.
    """
    came = {*resolution.inputs, *resolution.optional} - {*resolution.sets, *resolution.deletes, *cell.names.bound}
    for node in own_scope(cell.code.statements):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _changes(node, node.func.attr):
            owner = root_name(node.func.value)
            if owner is not None and owner.id in came:
                came.remove(owner.id)
                yield LostChange(owner.id, node.func.attr, cell.code.cell_line(node.lineno))


def _changes(call: ast.Call, method: str) -> bool:
    in_place = any(
        one.arg == "inplace" and isinstance(one.value, ast.Constant) and one.value.value is True
        for one in call.keywords
    )
    return in_place or method in CHANGING

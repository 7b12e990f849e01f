"""Names that a task cell takes from the notebook, and that the notebook doesn't have."""

import builtins
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from cloaca_nb.declare.cell_task import CellTask
from cloaca_nb.declare.loose import LooseTasks
from cloaca_nb.errors import near_miss

__all__ = ["HANDLES", "handle_needs", "refuse_unknown", "unknown_names", "unset_inputs"]

HANDLES: Final = ("handle", "task_handle")  # what a task's function may call its second parameter


def unknown_names(own: Collection[str], names: Mapping[str, Any]) -> list[str]:
    """Return those of the names that a cell takes from the notebook that are defined nowhere.

    Args:
        own: names that neither another task nor a parameter provides.
        names: the notebook's own names.
    """
    return [name for name in own if name not in names and not hasattr(builtins, name)]


def refuse_unknown(loose: LooseTasks, names: Mapping[str, Any], removal: str) -> Iterator[str]:
    """Yield a sentence with the fix for each unknown name: a run could only fail at it, perhaps after an hour.

    Args:
        loose: the tasks.
        names: the notebook's own names.
        removal: the magic that takes out the task behind it, whose cell may be gone.
    """
    for entry in loose.declared():
        if isinstance(entry, CellTask):
            resolution = entry.resolution(loose.outputs_for(entry.id), loose.parameters)
            for name in unknown_names(resolution.own, names):
                place = f"{entry.where}, line {entry.cell.code.read_at(name)}"
                yield (
                    f"Task {entry.id!r} ({place}) reads {name!r}, which {_fix(name, entry, loose, names)} "
                    f"Or take the task out: {removal} {entry.id}"
                )
            for name in unset_inputs(entry, loose):
                yield (
                    f"Task {entry.id!r} ({entry.where}) wants {name!r} from the context (--in), where no task puts it. "
                    "Assign it in a task, make it a parameter with %%cloaca_params, or take it out of --in. "
                    f"Or take the task out: {removal} {entry.id}"
                )


def handle_needs(name: str, task_id: str) -> str:
    """Return how a task gets its handle: a cell has none."""
    header = f"def {task_id}(context, {name}):"
    return f"a handle needs the decorator: `@cloaca.task()` above `{header}`, in a cell without magic."


def unset_inputs(entry: CellTask, loose: LooseTasks) -> list[str]:
    """Return the names that a cell asks of the context by `--in`, and that nothing can put there."""
    others = [one for one in loose.declared() if one is not entry]
    if any((one.cell.names.keys if isinstance(one, CellTask) else one.keys).computed for one in others):
        return []  # that one may set any key
    there = {*loose.outputs_for(entry.id), *loose.parameters}
    return [name for name in entry.cell.options.in_ or () if name not in there]


def _fix(name: str, reader: CellTask, loose: LooseTasks, names: Mapping[str, Any]) -> str:
    if name in HANDLES:
        return f"no task cell has: {handle_needs(name, reader.id)}"
    for entry in loose.declared():
        if entry is not reader and isinstance(entry, CellTask) and name in entry.cell.names.bound:
            return (
                f"task {entry.id!r} keeps to itself, as tasks do with imports, functions, classes, loop variables and "
                f"names that begin with _. Define it in a plain cell, or assign it to a name in {entry.id!r}."
            )
    miss = near_miss(name, [*loose.outputs_for(reader.id), *loose.parameters, *_public(names)])
    return (
        f"no task sets and the notebook doesn't define.{miss} Define it in a cell, assign it in a task, "
        "or make it a parameter with %%cloaca_params."
    )


def _public(names: Mapping[str, Any]) -> list[str]:
    return [name for name in names if not name.startswith("_")]

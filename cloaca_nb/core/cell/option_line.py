"""The line behind `%%cloaca_task`, and the `#| key: value` lines under it: text in, a task's name and options out."""

import keyword
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from cloaca_nb.core.cell.magic_line import MagicLine
from cloaca_nb.core.cell.options import OPTIONS, TaskOptions
from cloaca_nb.errors import CellError

__all__ = ["parse_options"]

MAGIC: Final = "%%cloaca_task"
LINE: Final = MagicLine(
    MAGIC,
    OPTIONS,
    "A task has one name, lists have no spaces (--after x,y), and a value with spaces stands in quotes.",
    elsewhere={
        "--retries": "Did you mean '--retry-attempts'? It counts those after the first.",
        "--dependencies": "--after x,y adds tasks that it follows, --in a,b says what it reads; "
        "the other dependencies follow from its names.",
    },
)


def parse_options(line: str, comments: Iterable[tuple[str, str]] = ()) -> tuple[str, TaskOptions]:
    """Read what stands behind the magic, and the options in the lines under it.

    Args:
        line: "clean --after load".
        comments: key and value of each ``#| key: value`` line.

    Returns:
        The task's name and its options.

    Raises:
        CellError: a ValueError, for anything that isn't understood.
    """
    name, found = LINE.read(line, comments)
    return _task_name(name), _options(found)


def _task_name(name: str | None) -> str:
    if name is None:
        raise CellError(f"{MAGIC} needs the task's name: `{MAGIC} NAME`.")
    if not name.isidentifier() or keyword.iskeyword(name):
        fixed = "".join(letter if letter.isalnum() else "_" for letter in name)
        fixed = fixed if fixed.isidentifier() and not keyword.iskeyword(fixed) else f"task_{fixed}"
        raise CellError(f"{MAGIC}: {name!r} can't name a task, because it is no Python name. Try `{MAGIC} {fixed}`.")
    return name


def _options(found: Mapping[str, Sequence[Any]]) -> TaskOptions:
    values: dict[str, Any] = {}
    for option in OPTIONS:
        given = found[option.name]
        if len(given) > 1:
            raise CellError(f"{MAGIC}: {option.flag} is given {len(given)} times. Give it once.")
        if given:
            values[option.name] = given[0]
    if "retry" in values and (others := [name for name in values if name.startswith("retry_")]):
        flags = ", ".join(f"--{name.replace('_', '-')}" for name in others)
        raise CellError(f"{MAGIC}: give --retry or {flags}, not both.")
    names = values.pop("in_", None)
    if names is not None:
        values["in_"] = tuple(name for name in names if not name.endswith("?"))
        values["optional"] = tuple(name.removesuffix("?") for name in names if name.endswith("?"))
    return TaskOptions(**values)

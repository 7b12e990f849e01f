"""What a background run takes from the notebook as it is, and not as it was: names that methods of classes use."""

import sys
from collections.abc import Mapping
from types import CodeType
from typing import Any, Final

from cloaca_nb.core.graph import Workflow
from cloaca_nb.notebook.own_code import OwnCode, held_functions, live_functions
from cloaca_nb.values.equality import equal

__all__ = ["LiveNames"]

ABSENT: Final = object()
FAR: Final = sys.maxsize
MOST: Final = 3  # names that are told


class LiveNames:
    """The names that code which `frozen` can't copy takes from the notebook, with what they stand for now.

    Args:
        workflow: what is about to run, as it is in the notebook.
        names: the notebook's own names.
    """

    def __init__(self, workflow: Workflow, names: Mapping[str, Any]) -> None:
        self._names = names
        self._users = _users(workflow, names)
        self._before = {name: names[name] for name in self._users}

    def edited(self) -> str:
        """Return a sentence on those that stand for something else now; empty if none does."""
        edited = [name for name, value in self._before.items() if self._is_edited(value, self._names.get(name, ABSENT))]
        if not edited:
            return ""
        users = list(dict.fromkeys(self._users[name] for name in edited))
        was, see = ("was" if len(edited) == 1 else "were"), ("sees" if len(users) == 1 else "see")
        return (
            f"{_few(edited)} {was} edited while it ran, and {_few(users)} {see} the notebook as it is: "
            "tasks may have used the old or the new. Another run uses the new throughout."
        )

    def _is_edited(self, before: Any, now: Any) -> bool:
        """Say whether a name has another meaning; a cell that was executed again as it is gives it none."""
        code = _code_of(before, self._names)
        return code != _code_of(now, self._names) if code else not equal(before, now)


def _users(workflow: Workflow, names: Mapping[str, Any]) -> dict[str, str]:
    """Return for each name the function that takes it, or calls who does, as it calls itself."""
    functions = [one for task in workflow.tasks for one in (task.function, task.on_success, task.on_failure)]
    holding = {name: value for name, value in names.items() if any(live_functions(value, names))}
    reached = OwnCode(names, holding).reached(*functions) if holding else ()
    called = {name for _, taken in reached for name in taken}
    held = [*functions, *(value for name, value in holding.items() if name in called)]
    live = [function for value in held for function in live_functions(value, names)]
    if not live:
        return {}
    code = OwnCode(names, names)
    nearest: dict[str, tuple[int, str]] = {}
    for function in live:
        for distance, (_, taken) in enumerate(code.reached(function)):
            for name in taken:
                nearest[name] = min((distance, function.__qualname__), nearest.get(name, (FAR, "")))
    return {name: user for name, (_, user) in nearest.items()}


def _code_of(value: Any, names: Mapping[str, Any]) -> list[tuple[str, CodeType]]:
    """Return the code of a function, or of a class's or object's methods, wherever in their cell they stand."""
    found = [(one.__qualname__, _placeless(one.__code__)) for one in held_functions(value, names)]
    return sorted(found, key=lambda one: one[0])


def _placeless(code: CodeType) -> CodeType:
    constants = tuple(_placeless(one) if isinstance(one, CodeType) else one for one in code.co_consts)
    return code.replace(co_firstlineno=1, co_linetable=b"", co_filename="", co_consts=constants)


def _few(names: list[str]) -> str:
    more = len(names) - MOST
    return ", ".join(names[:MOST]) + (f" and {more} more" if more > 0 else "")

"""Helpers that take a name from the notebook which is a key as well: they never see what a run has under that key."""

import builtins
import inspect
from collections.abc import Iterator, Mapping
from types import FunctionType
from typing import Any, NamedTuple

from cloaca_nb.core.cells import is_task_cell
from cloaca_nb.core.graph import Workflow
from cloaca_nb.notebook.own_code import OwnCode

__all__ = ["HelperRead", "helper_reads"]


class HelperRead(NamedTuple):
    """One name that is two things.

    Attributes:
        task_id: the task whose code takes it from the notebook.
        helper: the function that does, as it calls itself; empty for the task's own.
        name: that is taken, and a key as well.
        setter: the id of another task, which sets that key; empty for a parameter.
        is_there: whether the notebook has a value of that name.
    """

    task_id: str
    helper: str
    name: str
    setter: str
    is_there: bool

    @property
    def sentence(self) -> str:
        """What a person should know, and how to mend it."""
        whose = "the notebook's own" if self.is_there else "the notebook's own (there is none)"
        name = self.name
        other = f"never what task {self.setter!r} sets" if self.setter else "never what --param gives for it"
        if not self.helper:
            return f"Task {self.task_id!r} sees {whose} {name!r}, {other}: write context[{name!r}]."
        return (
            f"Task {self.task_id!r} calls {self.helper}(), which sees {whose} {name!r}, {other}: "
            f"pass it as an argument, like {self.helper}({name})."
        )


def helper_reads(workflow: Workflow, names: Mapping[str, Any]) -> Iterator[HelperRead]:
    """Yield each name that the code of a task takes from the notebook, and that another task sets or is a parameter.

    A name that stands for a function, a class or a module there is left out: who calls it means that one.

    Args:
        workflow: its tasks, in either spelling.
        names: the notebook's own names.
    """
    setters: dict[str, list[str]] = {key: [] for key in workflow.parameters if _may_be_meant(key, names)}
    for task in workflow.tasks:
        for key in task.keys.sets:
            if key in setters or _may_be_meant(key, names):
                setters.setdefault(key, []).append(task.id)
    if not setters:
        return
    code = OwnCode(names, setters)
    for task in workflow.tasks:
        for function, taken in code.reached(task.function):
            own = function is task.function
            if own and is_task_cell(task.source):  # its names were resolved: what is left is the notebook's, as it says
                continue
            for name in taken:
                setter = next((one for one in setters.get(name, ()) if one != task.id), "")
                if setter or (name in setters and name in workflow.parameters):
                    helper = "" if own else _called(function, names)
                    yield HelperRead(task.id, helper, name, setter, is_there=name in names)


def _called(function: FunctionType, names: Mapping[str, Any]) -> str:
    """Return how a function is called, in both senses; a lambda by the name that it was given."""
    if function.__name__ != "<lambda>":
        return function.__qualname__
    return next((name for name, value in names.items() if value is function), "a lambda")


def _may_be_meant(name: str, names: Mapping[str, Any]) -> bool:
    """Say whether who takes a name from the notebook may have meant a task's value."""
    value = names.get(name, getattr(builtins, name, None))
    return not (inspect.isroutine(value) or inspect.isclass(value) or inspect.ismodule(value))

"""A workflow that keeps what it uses of a notebook as it is now, whatever cells are executed while it runs."""

from collections.abc import Callable
from dataclasses import replace
from types import FunctionType
from typing import Any

from cloaca_nb.core.graph import Workflow

__all__ = ["frozen"]


def frozen(workflow: Workflow, names: dict[str, Any]) -> Workflow:
    """Return the workflow with functions that see a copy of the notebook's names.

    The functions among those names see it too; methods of classes, and functions that a library has wrapped, go on
    seeing the notebook itself. Values are not copied: a list that a cell changes in place is changed for the run.

    Args:
        workflow: any workflow.
        names: the notebook's own names.
    """
    copied = dict(names)

    def moved(function: Any) -> Any:
        is_own = isinstance(function, FunctionType) and function.__globals__ is names
        return _with_globals(function, copied) if is_own else function

    copied.update({name: moved(value) for name, value in names.items()})
    return workflow.changed(
        lambda task: replace(
            task,
            function=moved(task.function),
            on_success=moved(task.on_success),
            on_failure=moved(task.on_failure),
        )
    )


def _with_globals(function: FunctionType, names: dict[str, Any]) -> Callable[..., Any]:
    made = FunctionType(function.__code__, names, function.__name__, function.__defaults__, function.__closure__)
    made.__kwdefaults__ = function.__kwdefaults__
    made.__annotations__ = function.__annotations__
    made.__dict__.update(function.__dict__)
    made.__doc__, made.__qualname__, made.__module__ = function.__doc__, function.__qualname__, function.__module__
    return made

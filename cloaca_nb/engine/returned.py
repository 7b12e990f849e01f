"""What a body may give back: its context, or nothing."""

import inspect
from typing import Any, Protocol

from cloaca_nb.core.context import Context
from cloaca_nb.errors import TaskReturnError

__all__ = ["check_returned"]


class Named(Protocol):
    """A task, or what stands for it."""

    @property
    def named(self) -> str:
        """How error messages name it."""


def check_returned(task: Named, context: Context, returned: Any) -> None:
    """Fail a body that returned something else than its context or None.

    Args:
        task: whose body; messages name it.
        context: the one that it was given.
        returned: what it returned.

    Raises:
        TaskReturnError: a TypeError that says what it returned.
    """
    if returned is None or returned is context:
        return
    if inspect.iscoroutine(returned):
        returned.close()
    raise TaskReturnError(
        f"Task {task.named} returned {_a(returned)}, but must return its context or None: "
        "set values with context['key'] = value and end with `return context`."
    )


def _a(value: Any) -> str:
    return "another Context than its own" if isinstance(value, Context) else f"a value of type {type(value).__name__}"

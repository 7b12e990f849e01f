"""What a body can't do: ask a person. `input()` and `getpass()` fail in a task, with the way that works.

While runs are going on both are replaced where Python keeps them, as streams are by `output`: outside of tasks they go
on as ever. A debugger asks by `input()` too.
"""

import builtins
import getpass
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

from cloaca_nb.engine.handle import current_handle
from cloaca_nb.errors import NobodyToAskError

__all__ = ["allowed", "guard", "guarded", "release"]

ASKING: Final = ((builtins, "input"), (getpass, "getpass"))
REAL: Final = "_cloaca_guards"  # an attribute: what a guard stands in front of
WAYS: Final = {
    "getpass": "Ask for it in a cell of its own before the run: a task sees the notebook's names, and a name that no "
    "task assigns is not kept in history. Or set the environment variable CLOACINA_VAR_NAME and read it by "
    'cloaca.var("NAME").',
    "input": "Ask in a cell of its own before the run, and have the task read that name, or make it a parameter with "
    "%%cloaca_params. If this was a debugger: %cloaca_run --only TASK --debug gives it the main thread.",
}
_put: Final[dict[str, Callable[..., Any]]] = {}
_allowed: Final[ContextVar[bool]] = ContextVar("cloaca_may_ask", default=False)


@contextmanager
def allowed() -> Iterator[None]:
    """Have the tasks of runs that are started meanwhile ask as they like: they run where somebody answers."""
    token = _allowed.set(True)
    try:
        yield
    finally:
        _allowed.reset(token)


def guard() -> None:
    """Stand in front of what asks, where that isn't so by now."""
    for owner, name in ASKING:
        real = getattr(owner, name)
        if (ours := guarded(real, name)) is not real:
            _put[name] = ours
            setattr(owner, name, ours)


def release() -> None:
    """Put back what was there before, where the guards that `guard` has put are still in place."""
    for owner, name in ASKING:
        ours = _put.pop(name, None)
        if ours is not None and getattr(owner, name) is ours:
            setattr(owner, name, vars(ours)[REAL])


def guarded(real: Callable[..., Any], name: str) -> Callable[..., Any]:
    """Return what asks a person as `real` does, and fails in a task; what is guarded by now stays as it is.

    Args:
        real: what asks.
        name: "input" or "getpass", whichever a user would call it by.
    """
    if hasattr(real, REAL):
        return real

    def ask(*args: Any, **options: Any) -> Any:
        if current_handle.get() is not None and not _allowed.get():
            asked = "getpass" if options.get("password") else name  # a kernel has one way for both
            raise NobodyToAskError(f"{asked}() in a task has nobody to ask. {WAYS[asked]}")
        return vars(ask)[REAL](*args, **options)

    # No cell of its closure holds what is real: tasks that name it have a fingerprint, and a kernel is a large value.
    ask.__name__, ask.__doc__ = name, real.__doc__
    vars(ask)[REAL] = real
    return ask

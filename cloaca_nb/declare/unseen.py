"""Doors to code that no reading of names can follow: what is behind them isn't known before they are opened."""

import builtins
import importlib
import inspect
import runpy
import sys
from typing import Any, Final

__all__ = ["unseen"]

_DOORS: Final[tuple[tuple[Any, str], ...]] = (
    (eval, "eval()"),
    (exec, "exec()"),
    (globals, "globals()"),
    (__import__, "__import__()"),
    (importlib.import_module, "importlib.import_module()"),
    (runpy.run_path, "runpy.run_path()"),
    (runpy.run_module, "runpy.run_module()"),
    (inspect.currentframe, "inspect.currentframe()"),
    (inspect.stack, "inspect.stack()"),
    (sys._getframe, "sys._getframe()"),  # noqa: SLF001 - to know it when it is met
    (sys.modules, "sys.modules"),
    (builtins, "builtins"),
    (vars(builtins), "builtins"),
)
_SHOWN: Final = {id(door): shown for door, shown in _DOORS}


def unseen(value: Any) -> str:
    """Return how a person calls the door that a value is, under whatever name it was met; empty if it is none."""
    return _SHOWN.get(id(value), "")  # they live as long as the process

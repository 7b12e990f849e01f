"""What a statement does beyond giving names to values: whether running it again, in a module, does the same.

A statement may be carried if all that it does when it is executed is to make values and give them names: imports,
definitions, assignments of any expression, and changes of what a name already holds. Calls count as making a value.
What opens files, asks a person, needs IPython or an event loop, or only shows something is not carried.
"""

import ast
from collections.abc import Collection
from enum import Enum, auto
from functools import lru_cache
from typing import Final

from cloaca_nb.core.code.bindings import own_scope
from cloaca_nb.packaging.analysis.changes import chain, changed_by_keyword, is_of_new, last_name, root_name
from cloaca_nb.packaging.analysis.known_methods import CHANGES, CHANGES_ARGUMENT, LOOKS, is_setting

__all__ = ["Effect", "effect_of", "obstacle", "syntax_obstacle", "uses_ipython"]


_OUTSIDE: Final = {"open": "opens a file", "input": "asks a person", "getpass": "asks a person"}
_PLAIN: Final = (
    ast.Import,
    ast.ImportFrom,
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.Assign,
    ast.AnnAssign,
    ast.AugAssign,
    ast.Delete,
    ast.Pass,
    ast.Break,
    ast.Continue,
    ast.Raise,
    ast.Assert,
)
_COMPOUND: Final = (ast.If, ast.For, ast.While, ast.Try, ast.Match)


class Effect(Enum):
    """What an expression statement does to the name at its root."""

    CHANGE = auto()  # changes it as a container's method does
    SETTING = auto()  # sets how a module works
    LOOK = auto()  # leaves it as it is
    UNKNOWN = auto()  # may change it: only its author knows


def effect_of(node: ast.stmt, changers: Collection[str] = ()) -> Effect:
    """Return what a statement that isn't an assignment does to the names that it touches.

    Args:
        node: the statement.
        changers: functions and methods of the notebook that are known to change something.
    """
    if not isinstance(node, ast.Expr) or not isinstance(node.value, ast.Call):
        return Effect.CHANGE
    first = chain(node.value)[-1].func
    called = [last_name(call.func) for call in chain(node.value)]
    is_told = called[0] in changers or any(name in changers for name in root_name(first))
    is_inner = called[0] in CHANGES and not is_of_new(node.value)
    if is_inner or is_told or called[-1] in CHANGES | CHANGES_ARGUMENT or any(changed_by_keyword(node.value)):
        return Effect.CHANGE
    if any(map(is_setting, called)):
        return Effect.SETTING
    return Effect.LOOK if called[-1] in LOOKS else Effect.UNKNOWN


def obstacle(node: ast.stmt, changers: Collection[str] = ()) -> str | None:
    """Return why a statement can't be carried into a module, as the end of "it …"; None if it can.

    Args:
        node: the statement.
        changers: functions of the notebook that are called to change something.
    """
    if reason := syntax_obstacle(node):
        return reason
    for part in own_scope([node]):
        if isinstance(part, ast.Call) and (name := last_name(part.func)) in _OUTSIDE:
            return f"{_OUTSIDE[name]} when it is executed"
    return _kind_obstacle(node, changers)


def syntax_obstacle(node: ast.stmt) -> str | None:
    """Return why no module can hold a statement, whatever it does, as the end of "it …"; None if it can."""
    if uses_ipython(node):
        return "is a shell or magic line, which only IPython can run"
    if isinstance(node, ast.If) and any(
        isinstance(one, ast.Name) and one.id == "__name__" for one in ast.walk(node.test)
    ):
        return "asks for `__name__`, which is the module's own name in a package and never '__main__'"
    for part in own_scope([node]):
        if isinstance(part, ast.Await | ast.AsyncFor | ast.AsyncWith | ast.Yield | ast.YieldFrom):
            return "awaits something, which a module can't do"
    return None


@lru_cache(maxsize=8192)  # a kernel asks again whenever a cell is executed
def uses_ipython(node: ast.AST) -> bool:
    """Say whether a magic or shell line is anywhere in a statement, function bodies included."""
    return any(isinstance(part, ast.Call) and last_name(part.func) == "get_ipython" for part in ast.walk(node))


def _kind_obstacle(node: ast.stmt, changers: Collection[str]) -> str | None:
    if isinstance(node, _PLAIN) or type(node).__name__ == "TypeAlias":
        return None
    if isinstance(node, ast.Expr):
        return None if _is_quiet(node, changers) else f"does more than make a value (`{ast.unparse(node)}`)"
    if isinstance(node, _COMPOUND):
        inner = (child for child in own_scope([node]) if isinstance(child, ast.stmt) and child is not node)
        return next((reason for child in inner if (reason := _kind_obstacle(child, changers))), None)
    return f"is a `{_keyword(node)}` statement, which may do anything"


def _is_quiet(node: ast.Expr, changers: Collection[str]) -> bool:
    """Say whether an expression statement only changes or sets something, or does nothing."""
    if isinstance(node.value, ast.Call):
        return effect_of(node, changers) in {Effect.CHANGE, Effect.SETTING}
    return isinstance(node.value, ast.Constant)


def _keyword(node: ast.stmt) -> str:
    return type(node).__name__.lower().removeprefix("async").removesuffix("star")

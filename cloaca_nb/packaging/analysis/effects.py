"""What a statement does beyond giving names to values: whether running it again, in a module, does the same.

A statement may be carried if all that it does when it is executed is to make values and give them names: imports,
definitions, assignments of any expression, and changes of what a name already holds. Calls count as making a value.
What opens files, asks a person, needs IPython or an event loop, or only shows something is not carried.
"""

import ast
from collections.abc import Collection, Iterator
from enum import Enum, auto
from functools import lru_cache
from typing import Final

from cloaca_nb.core.code.bindings import own_scope

__all__ = [
    "Effect",
    "changed_by",
    "effect_of",
    "obstacle",
    "root_name",
    "syntax_obstacle",
    "touched_by",
    "uses_ipython",
]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Methods of the standard containers that change them.
_CHANGES: Final = _words(
    """
    add append appendleft clear difference_update discard extend extendleft insert intersection_update move_to_end
    pop popitem popleft remove reverse rotate setdefault sort subtract symmetric_difference_update update
    """
)
# Functions that change their first argument.
_CHANGES_ARGUMENT: Final = _words("shuffle heapify heappush heappop insort insort_left insort_right setattr delattr")
# Functions of modules that set how the module works from then on.
_SETTINGS: Final = _words(
    """
    basicConfig captureWarnings disable filterwarnings register_matplotlib_converters seed set set_context
    set_option set_palette set_printoptions set_style set_theme setLevel setlocale setrecursionlimit simplefilter
    use
    """
)
# Methods that show or compute something and leave their object as it is.
_LOOKS: Final = _words(
    """
    agg aggregate all any boxplot copy corr count describe display dot drop drop_duplicates dropna exists fillna
    format get groupby head hist index info isna items iterdir join keys lower max mean median memory_usage merge
    min notna nunique pivot pivot_table plot query read_text sample savefig show sort_index sort_values split std
    strip sum tail to_csv to_dict to_frame to_html to_json to_markdown to_numpy to_parquet to_string unique upper
    value_counts values var write_text
    """
)
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
        changers: functions of the notebook that are known to change something.
    """
    if not isinstance(node, ast.Expr) or not isinstance(node.value, ast.Call):
        return Effect.CHANGE
    first = _chain(node.value)[-1].func
    called = [_last_name(call.func) for call in _chain(node.value)]
    if called[-1] in _CHANGES | _CHANGES_ARGUMENT or (isinstance(first, ast.Name) and first.id in changers):
        return Effect.CHANGE
    if not _SETTINGS.isdisjoint(called):
        return Effect.SETTING
    return Effect.LOOK if called[-1] in _LOOKS else Effect.UNKNOWN


def touched_by(call: ast.Call) -> Iterator[str]:
    """Yield the name whose value a call that stands alone may change: ``D`` in ``D["k"].append(1)``, ``shuffle(D)``."""
    first = _chain(call)[-1]
    if _last_name(first.func) in _CHANGES_ARGUMENT and first.args:
        yield from root_name(first.args[0])
    elif isinstance(first.func, ast.Attribute):
        yield from root_name(first.func)


def changed_by(node: ast.AST) -> Iterator[str]:
    """Yield the roots of what a definition changes in place when it is called, and the names that it makes global."""
    for part in ast.walk(node):
        if isinstance(part, ast.Attribute | ast.Subscript) and isinstance(part.ctx, ast.Store | ast.Del):
            yield from root_name(part)
        elif isinstance(part, ast.Global):
            yield from part.names
        elif isinstance(part, ast.Call) and _last_name(part.func) in _CHANGES | _CHANGES_ARGUMENT | _SETTINGS:
            yield from touched_by(part)


def obstacle(node: ast.stmt, changers: Collection[str] = ()) -> str | None:
    """Return why a statement can't be carried into a module, as the end of "it …"; None if it can.

    Args:
        node: the statement.
        changers: functions of the notebook that are called to change something.
    """
    if reason := syntax_obstacle(node):
        return reason
    for part in own_scope([node]):
        if isinstance(part, ast.Call) and (name := _last_name(part.func)) in _OUTSIDE:
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
    return any(isinstance(part, ast.Call) and _last_name(part.func) == "get_ipython" for part in ast.walk(node))


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


def _chain(call: ast.Call) -> list[ast.Call]:
    """Return the calls of ``a.b(1).c(2)``, the last one (`c`) first."""
    calls = [call]
    node: ast.expr = call.func
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        if isinstance(node, ast.Call):
            calls.append(node)
        node = node.func if isinstance(node, ast.Call) else node.value
    return calls


def _last_name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def root_name(node: ast.expr) -> Iterator[str]:
    """Yield ``D`` for ``D["k"].x[0]``; nothing where something else than a name is at the root."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Starred):
        node = node.value
    if isinstance(node, ast.Name):
        yield node.id

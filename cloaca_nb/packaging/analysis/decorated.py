"""Tasks that a statement defines by our decorator: found, and read as far as their text tells."""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, NamedTuple

from cloaca_nb.core.code.bindings import own_scope
from cloaca_nb.core.names import Keys, function_keys
from cloaca_nb.packaging.analysis.imports import OUR_NAMES, imports_of
from cloaca_nb.packaging.analysis.statements import KNOWN, Statement

__all__ = [
    "DecoratedTask",
    "FunctionName",
    "OurNames",
    "decorated_tasks",
    "factories",
    "makes_tasks",
    "ruled",
    "tasks_made_by",
    "without_inference",
    "workflow_block",
]

FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)
_RULES_NAMING_TASKS: Final = {"task_success", "task_failed", "task_skipped"}
_RULES_OF_RULES: Final = {"all_of", "any_of", "none_of"}
_OTHER_RULES: Final = {"always", "all_success", "context_value"}


class FunctionName(NamedTuple):
    """A dependency that is named by its function."""

    name: str


@dataclass(frozen=True, slots=True)
class DecoratedTask:
    """A function with our decorator.

    Attributes:
        function: its name.
        id: the task's id; None if only running the statement tells.
        may_be: a pattern that such an id follows; None: it may be any.
        dependencies: ids and functions that it names; None: they are inferred.
        after: ids that its rule names.
        knows_dependencies: whether `dependencies` and `after` are all that it names; not if some are computed.
        keys: what its body does with its context.
    """

    function: str
    id: str | None
    dependencies: tuple[str | FunctionName, ...] | None
    after: tuple[str, ...]
    knows_dependencies: bool
    keys: Keys
    may_be: re.Pattern[str] | None = None


class OurNames:
    """How a notebook spells the names of this library: ``cloaca.task``, ``cn.task``, ``task``."""

    def __init__(self, statements: Iterable[Statement]) -> None:
        self._modules: set[str] = set()
        self._taken: dict[str, str] = {}
        for one in (one for statement in statements for one in imports_of(statement)):
            if one.module in OUR_NAMES and one.name is None:
                self._modules.add(one.binds)
            elif one.module in OUR_NAMES:
                names = ("task", "WorkflowBuilder") if one.name == "*" else (str(one.name),)
                self._taken.update((one.alias or name, name) for name in names)

    def means(self, node: ast.AST, name: str) -> bool:
        """Say whether an expression is our `name`."""
        match node:
            case ast.Attribute(value=ast.Name(id=module), attr=attribute):
                return module in self._modules and attribute == name
            case ast.Name(id=alias):
                return self._taken.get(alias) == name
            case _:
                return False


def makes_tasks(statement: Statement, ours: OurNames, made_by: frozenset[str] = frozenset()) -> bool:
    """Say whether executing a statement defines tasks: by our decorator, or by calling a function that uses it.

    Args:
        statement: any.
        ours: how the notebook spells our names.
        made_by: the functions that define tasks when they are called.
    """
    calls = _called_at_once(statement.node)
    return any(ours.means(call, "task") or (isinstance(call, ast.Name) and call.id in made_by) for call in calls)


def factories(statements: Sequence[Statement], ours: OurNames) -> frozenset[str]:
    """Return the names of the functions that define tasks when they are called, directly or by one another."""
    functions = [one for one in statements if isinstance(one.node, FUNCTIONS) and not makes_tasks(one, ours)]
    found: frozenset[str] = frozenset()
    while True:
        more = {one.node.name for one in functions if _body_makes_tasks(one.node, ours, found)}  # type: ignore[attr-defined]
        if more <= found:
            return found
        found |= more


def decorated_tasks(statement: Statement, ours: OurNames) -> list[DecoratedTask]:
    """Return the decorated functions of a statement; none for tasks that are made by calls."""
    functions = (node for node in own_scope([statement.node]) if isinstance(node, FUNCTIONS))
    found = ((node, _decoration(node, ours)) for node in functions)
    return [_read(node, call) for node, call in found if call is not None]


def tasks_made_by(functions: Iterable[Statement], ours: OurNames) -> list[DecoratedTask]:
    """Return the tasks that functions define when they are called; which ids those have, only the calls tell."""
    bodies = (node for one in functions for node in ast.walk(one.node) if isinstance(node, FUNCTIONS))
    found = ((node, _decoration(node, ours)) for node in bodies)
    return [replace(_read(node, call), id=None) for node, call in found if call is not None]


def workflow_block(statement: Statement, ours: OurNames) -> ast.Call | None:
    """Return the ``WorkflowBuilder(…)`` that a statement is the `with` block of; None for other statements."""
    if not isinstance(statement.node, ast.With):
        return None
    calls = (item.context_expr for item in statement.node.items)
    return next((one for one in calls if isinstance(one, ast.Call) and ours.means(one.func, "WorkflowBuilder")), None)


def without_inference(tasks: tuple[DecoratedTask, ...], call: ast.Call) -> tuple[DecoratedTask, ...]:
    """Return the tasks of a ``WorkflowBuilder(…, infer=…)`` block as that option leaves them."""
    given = next((one.value for one in call.keywords if one.arg == "infer"), None)
    match given:
        case None | ast.Constant(value=True):
            return tasks
        case ast.Constant(value=False):
            return tuple(replace(one, dependencies=one.dependencies or ()) for one in tasks)
        case _:
            return tuple(replace(one, knows_dependencies=False) for one in tasks)


def _body_makes_tasks(node: ast.AST, ours: OurNames, made_by: frozenset[str]) -> bool:
    calls = _called(node)
    return any(ours.means(one, "task") or (isinstance(one, ast.Name) and one.id in made_by) for one in calls)


@lru_cache(maxsize=KNOWN)  # a kernel asks again whenever a cell is executed
def _called(node: ast.AST) -> tuple[ast.expr, ...]:
    return tuple(one.func for one in ast.walk(node) if isinstance(one, ast.Call))


@lru_cache(maxsize=KNOWN)
def _called_at_once(node: ast.stmt) -> tuple[ast.expr, ...]:
    return tuple(one.func for one in own_scope([node]) if isinstance(one, ast.Call))


def _decoration(node: ast.FunctionDef | ast.AsyncFunctionDef, ours: OurNames) -> ast.Call | None:
    calls = (one for one in node.decorator_list if isinstance(one, ast.Call))
    return next((one for one in calls if ours.means(one.func, "task")), None)


def _read(node: ast.FunctionDef | ast.AsyncFunctionDef, call: ast.Call) -> DecoratedTask:
    options = {one.arg: one.value for one in call.keywords if one.arg}
    named = list(_named(options.get("dependencies")))
    rule = options.get("trigger_rules")
    spread = any(one.arg is None for one in call.keywords)
    return DecoratedTask(
        function=node.name,
        id=_id(node.name, options),
        dependencies=None if _infers(options) else tuple(one for one in named if one),
        after=tuple(ruled(rule)),
        knows_dependencies=None not in named and not spread and _knows_rule(rule),
        keys=function_keys(node),
        may_be=_pattern(options.get("id")),
    )


def _id(function: str, options: Mapping[str, ast.expr]) -> str | None:
    match options.get("id"):
        case None | ast.Constant(value=None):
            return function
        case ast.Constant(value=str(text)):
            return text
        case _:
            return None


def _pattern(node: ast.expr | None) -> re.Pattern[str] | None:
    """Return what the text around the values of ``f"month_{month}"`` tells of the ids that it makes."""
    if not isinstance(node, ast.JoinedStr):
        return None
    parts = (re.escape(str(one.value)) if isinstance(one, ast.Constant) else ".*" for one in node.values)
    return re.compile("".join(parts), re.DOTALL)


def _infers(options: Mapping[str, ast.expr]) -> bool:
    given = options.get("dependencies")
    return given is None or (isinstance(given, ast.Constant) and given.value is None)


def _named(node: ast.expr | None) -> Iterator[str | FunctionName | None]:
    """Yield what a list of dependencies names: ids and functions; None for what is computed."""
    match node:
        case None | ast.Constant(value=None):
            return
        case ast.List() | ast.Tuple() | ast.Set():
            for element in node.elts:
                yield from _named_one(element)
        case _:
            yield None


def _named_one(node: ast.expr) -> Iterator[str | FunctionName | None]:
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.Name(id=name):
            yield FunctionName(name)
        case _:
            yield None


def ruled(rule: ast.expr | None) -> Iterator[str]:
    """Yield the ids of the tasks that a trigger rule names."""
    for node in ast.walk(rule) if rule else ():
        if isinstance(node, ast.Call) and (task_id := _task_of_rule(node)):
            yield task_id


def _task_of_rule(call: ast.Call) -> str | None:
    match call:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=[ast.Constant(value=str(task_id))]):
            return task_id if name in _RULES_NAMING_TASKS else None
        case ast.Call(
            func=ast.Name(id=name) | ast.Attribute(attr=name),
            keywords=[ast.keyword(arg="task_id", value=ast.Constant(value=str(task_id)))],
        ):
            return task_id if name in _RULES_NAMING_TASKS else None
        case _:
            return None


def _knows_rule(rule: ast.expr | None) -> bool:
    """Say whether the text of a trigger rule names all the tasks that the rule does."""
    match rule:
        case None | ast.Constant(value=None):
            return True
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=args):
            if name in _RULES_OF_RULES:
                return all(_knows_rule(one) for one in args)
            return name in _OTHER_RULES or _task_of_rule(rule) is not None
        case _:
            return False

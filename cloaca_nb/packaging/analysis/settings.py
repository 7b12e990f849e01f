"""Statements that set how an imported module works from then on: options, seeds, patches, registrations."""

import ast
from collections.abc import Iterator

from cloaca_nb.packaging.analysis.changes import base_name
from cloaca_nb.packaging.analysis.effects import Effect, effect_of

__all__ = ["sets_of_imports"]

_ASSIGNMENTS = (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Delete)
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def sets_of_imports(node: ast.stmt) -> Iterator[str]:
    """Yield the names through which a statement sets how a module works, if an import binds them.

    Statements that hold others don't count: what else they do, only a person can say.
    """
    if isinstance(node, ast.Expr) and effect_of(node) in {Effect.SETTING, Effect.CHANGE}:
        yield from base_name(node.value)
    elif isinstance(node, _ASSIGNMENTS):
        for part in _targets(node):
            if isinstance(part, ast.Attribute | ast.Subscript):
                yield from base_name(part)
    elif isinstance(node, _DEFINITIONS):
        for decorator in node.decorator_list:
            if any(name.startswith("register") for name in _attributes(decorator)):
                yield from base_name(decorator)


def _targets(node: ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Delete) -> list[ast.expr]:
    return node.targets if isinstance(node, ast.Assign | ast.Delete) else [node.target]


def _attributes(decorator: ast.expr) -> Iterator[str]:
    for one in ast.walk(decorator):
        if isinstance(one, ast.Attribute):
            yield one.attr
        elif isinstance(one, ast.Name):
            yield one.id

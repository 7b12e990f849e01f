"""Which names' values a piece of code changes in place, by the methods and functions that are known to change them."""

import ast
from collections.abc import Collection, Iterator

from cloaca_nb.core.code.bindings import arguments, own_scope
from cloaca_nb.packaging.analysis.known_methods import (
    CHANGES,
    CHANGES_ARGUMENT,
    GIVES_INNER,
    LEARNS,
    LOOKS,
    TAKES,
    is_setting,
)

__all__ = [
    "base_name",
    "chain",
    "changed_at_once",
    "changed_by",
    "changed_by_keyword",
    "given_out",
    "handed_lambdas",
    "is_of_new",
    "last_name",
    "may_rebind",
    "root_name",
    "touched_by",
]

_NAMESPACES = {"globals", "locals", "vars"}  # functions that give a notebook's names, to read and to write


def touched_by(call: ast.Call) -> Iterator[str]:
    """Yield the name whose value a call that stands alone may change: ``D`` in ``D["k"].append(1)``, ``shuffle(D)``."""
    first = chain(call)[-1]
    if names := [*changed_by_keyword(call)]:
        yield from names
    elif last_name(first.func) in CHANGES_ARGUMENT and first.args:
        yield from root_name(first.args[0])
    elif isinstance(first.func, ast.Attribute):
        yield from root_name(first.func)
    elif first is not call:
        yield from root_name(first)


def changed_by(node: ast.AST) -> Iterator[str]:
    """Yield the roots of what a definition changes in place when it is called, and the names that it makes global."""
    for part in ast.walk(node):
        if isinstance(part, ast.Attribute | ast.Subscript) and isinstance(part.ctx, ast.Store | ast.Del):
            yield from root_name(part)
        elif isinstance(part, ast.Global):
            yield from part.names
        elif isinstance(part, ast.Call) and _is_change(part):
            yield from touched_by(part)


def changed_at_once(node: ast.stmt, methods: Collection[str]) -> Iterator[str]:
    """Yield the roots of what the calls inside a statement's expressions change: ``queue`` of ``x = queue.pop()``.

    Args:
        node: the statement; what its function bodies do when they are called doesn't count.
        methods: more that are known to change their object.
    """
    value = getattr(node, "value", None)
    for part in own_scope([node]):
        if not isinstance(part, ast.Call):
            continue
        last = last_name(part.func)
        # The None of a container's other methods nobody keeps: `df.add(1)`, `image.rotate(90)` are none of a container.
        known = TAKES if part is value and not isinstance(node, ast.Expr) else CHANGES
        is_of_object = last in known | LEARNS or last in methods
        if last in CHANGES_ARGUMENT or any(changed_by_keyword(part)) or (is_of_object and not is_of_new(part)):
            yield from touched_by(part)
    for one in handed_lambdas(node):
        yield from set(changed_by(one.body)).difference(arguments(one))


def handed_lambdas(node: ast.stmt) -> Iterator[ast.Lambda]:
    """Yield the lambdas that a statement hands to what it calls, which may call them at once."""
    for part in own_scope([node]):
        if isinstance(part, ast.Call):
            every = (*part.args, *(keyword.value for keyword in part.keywords))
            yield from (one for one in every if isinstance(one, ast.Lambda))


def may_rebind(node: ast.stmt) -> bool:
    """Say whether a statement may give any name another value: ``globals().update(found)``, ``exec(text)``."""
    for part in own_scope([node]):
        match part:
            case ast.Call(func=ast.Name(id="exec"), args=[_]):
                return True
            case ast.Call(func=ast.Attribute(value=ast.Call(func=ast.Name(id=name), args=[]), attr="update")):
                if name in _NAMESPACES:
                    return True
            case ast.Subscript(value=ast.Call(func=ast.Name(id=name), args=[]), ctx=ast.Store(), slice=key):
                if name in _NAMESPACES and not isinstance(key, ast.Constant):
                    return True
    return False


def is_of_new(call: ast.Call) -> bool:
    """Say whether a method is one of something that a method before it has made: ``df.copy().pop("a")``."""
    return not (LOOKS - GIVES_INNER).isdisjoint(last_name(one.func) for one in chain(call)[1:])


def _is_change(call: ast.Call) -> bool:
    last = last_name(call.func)
    return last in CHANGES | CHANGES_ARGUMENT | LEARNS or is_setting(last) or any(changed_by_keyword(call))


def changed_by_keyword(call: ast.Call) -> Iterator[str]:
    """Yield what ``inplace=True`` and ``out=array`` change."""
    for one in call.keywords:
        match one:
            case ast.keyword(arg="inplace", value=ast.Constant(value=True)) if isinstance(call.func, ast.Attribute):
                yield from root_name(call.func)
            case ast.keyword(arg="out", value=ast.Name(id=name)):
                yield name


def chain(call: ast.Call) -> list[ast.Call]:
    """Return the calls of ``a.b(1).c(2)``, the last one (`c`) first."""
    calls = [call]
    node: ast.expr = call.func
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        if isinstance(node, ast.Call):
            calls.append(node)
        node = node.func if isinstance(node, ast.Call) else node.value
    return calls


def last_name(node: ast.expr) -> str:
    """Return ``c`` for ``c`` and ``a.b.c``; empty for other expressions."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def base_name(node: ast.expr) -> Iterator[str]:
    """Yield ``getcontext`` for ``getcontext().prec``: the name at the root, through calls too."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Starred | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    if isinstance(node, ast.Name):
        yield node.id


def root_name(node: ast.expr) -> Iterator[str]:
    """Yield ``D`` for ``D["k"].x[0]``, and ``f()`` for ``f(1).x``: what a function gives out; nothing for others."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Starred):
        node = node.value
    match node:
        case ast.Name(id=name):
            yield name
        case ast.Call(func=ast.Name(id="vars"), args=[one]):
            yield from root_name(one)
        case ast.Call(func=ast.Name(id=name)):
            yield given_out(name)


def given_out(function: str) -> str:
    """Return how what a function returns is called among the names whose values are changed."""
    return f"{function}()"

"""Which names share a value, or hold one another's: what changes one of them in place changes the other too."""

import ast
from collections.abc import Iterable, Iterator, Mapping

from cloaca_nb.packaging.analysis.changes import root_name

__all__ = ["aliases", "aliases_within", "handed_on", "reached_by"]

# Methods and functions that give out what they are given.
_GIVES_OUT = {"enumerate", "zip", "reversed", "items", "values", "iter"}


def aliases(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, str]]:
    """Yield pairs of names of which the first may hold the second's value, or a part of it.

    Args:
        nodes: of one scope, in any order.
    """
    for node in nodes:
        match node:
            case ast.Assign(targets=targets, value=value):
                names = [name for one in (*targets, value) for name in handed_on(one)]
                yield from ((name, other) for one in targets for name in handed_on(one) for other in names)
            case (
                ast.AnnAssign(target=target, value=ast.expr() as value)
                | ast.NamedExpr(target=target, value=value)
                | ast.For(target=target, iter=value)
                | ast.comprehension(target=target, iter=value)
            ):
                yield from ((name, other) for name in handed_on(target) for other in handed_on(value))


def aliases_within(node: ast.AST) -> dict[str, set[str]]:
    """Return for the names of a definition, scopes aside, the others whose values they may hold."""
    found: dict[str, set[str]] = {}
    for name, other in aliases(ast.walk(node)):
        found.setdefault(name, set()).add(other)
    return found


def reached_by(names: Iterable[str], known: Mapping[str, Iterable[str]]) -> set[str]:
    """Return names with all that their values may be part of.

    Args:
        names: those that are changed.
        known: for a name the others whose value it may hold.
    """
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        if (name := waiting.pop()) not in found:
            found.add(name)
            waiting += known.get(name, ())
    return found


def handed_on(node: ast.expr) -> Iterator[str]:
    """Yield the names whose values an expression hands on as they are."""
    match node:
        case ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Set(elts=parts) | ast.BoolOp(values=parts):
            for part in parts:
                yield from handed_on(part)
        case ast.Dict(values=parts):
            for part in parts:
                yield from handed_on(part)
        case ast.IfExp(body=body, orelse=orelse):
            yield from (*handed_on(body), *handed_on(orelse))
        case ast.NamedExpr(target=target, value=value):
            yield from (*handed_on(target), *handed_on(value))
        case ast.Call():
            yield from _handed_on_by(node)
        case _:
            yield from root_name(node)


def _handed_on_by(call: ast.Call) -> Iterator[str]:
    """Yield the names whose values a call gives back as they are, or calls in turn: ``partial(rows.append, 1)``."""
    match call:
        case ast.Call(func=ast.Name(id="partial") | ast.Attribute(attr="partial"), args=[part, *_]):
            yield from handed_on(part)
        case ast.Call(func=ast.Name(id=name), args=parts) if name in _GIVES_OUT:
            for part in parts:
                yield from handed_on(part)
        case ast.Call(func=ast.Attribute(value=value, attr=name)) if name in _GIVES_OUT:
            yield from handed_on(value)
        case _:
            yield from root_name(call)

"""Which names of its module a piece of code reads, and when: as it is executed, or later, inside functions.

Told by Python's own symbol tables, so scopes, comprehensions, defaults, decorators and f-strings count as they run.
"""

import ast
import symtable
from collections.abc import Collection, Iterator
from typing import NamedTuple

from cloaca_nb.core.code.bindings import How, bindings, own_scope
from cloaca_nb.packaging.analysis.quiet import parse, symbols

__all__ = ["FreeNames", "free_names"]

_RUNS_AT_ONCE = {"listcomp", "setcomp", "dictcomp", "genexpr"}
_FUTURE = "from __future__ import annotations\n"


class FreeNames(NamedTuple):
    """The module's names that a piece of code uses.

    Attributes:
        defined: bound or rebound at its top level, also inside ``if``, ``for``, ``with`` and ``try``.
        now: read while it is executed.
        later: read only when a function that it defines is called.
        hinted: named in annotations that nothing evaluates (strings, postponed ones): good to have, not needed.
    """

    defined: frozenset[str]
    now: frozenset[str]
    later: frozenset[str]
    hinted: frozenset[str]


def free_names(text: str, *, lazy_annotations: bool = False) -> FreeNames:
    """Return what a text defines and reads.

    Args:
        text: any statements; top-level ``await`` and ``return`` are allowed.
        lazy_annotations: whether ``from __future__ import annotations`` holds for it.

    Raises:
        SyntaxError: if the text is no Python.
    """
    tree = parse(text)
    table = symbols((_FUTURE if lazy_annotations else "") + text)
    later: set[str] = set()
    bound = list(bindings(tree.body))
    now = set(_referenced(table, {one.name for one in bound}))
    now.update(_updated(tree))
    for child in table.get_children():
        _collect(child, now, later, called=False)
    defined = {one.name for one in bound if one.how not in {How.ANNOTATION, How.DELETED}}
    hinted = frozenset(_in_annotations(tree)) - now - later
    return FreeNames(frozenset(defined), frozenset(now), frozenset(later - now), hinted)


def _referenced(table: symtable.SymbolTable, bound: Collection[str]) -> Iterator[str]:
    """Yield the names that the top level reads, which binds those given."""
    for symbol in table.get_symbols():
        # From Python 3.12 on (PEP 709) the table of a module has the variables of its comprehensions as well.
        is_of_a_comprehension = symbol.is_assigned() and symbol.get_name() not in bound
        if symbol.is_referenced() and not is_of_a_comprehension:
            yield symbol.get_name()


def _collect(table: symtable.SymbolTable, now: set[str], later: set[str], *, called: bool) -> None:
    """Add what a nested scope reads of the module; `called`: only a call of a function gets here."""
    inside = called or (table.get_type() == "function" and table.get_name() not in _RUNS_AT_ONCE)
    names = later if inside else now
    for symbol in table.get_symbols():
        if symbol.is_global() and (symbol.is_referenced() or symbol.is_declared_global()):
            names.add(symbol.get_name())
    for child in table.get_children():
        _collect(child, now, later, called=inside)


def _updated(tree: ast.Module) -> Iterator[str]:
    """Yield the names that ``x += 1`` reads, which symbol tables count as assigned only."""
    for node in own_scope(tree.body):
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            yield node.target.id


def _in_annotations(tree: ast.Module) -> Iterator[str]:
    """Yield the names in annotations, also in those written as strings: type checkers need them."""
    for annotation in _annotations(tree):
        for node in ast.walk(annotation):
            if isinstance(node, ast.Name):
                yield node.id
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield from _in_string(node.value)


def _annotations(tree: ast.Module) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        match node:
            case ast.AnnAssign(annotation=ast.expr() as annotation) | ast.arg(annotation=ast.expr() as annotation):
                yield annotation
            case ast.FunctionDef(returns=ast.expr() as annotation):
                yield annotation
            case ast.AsyncFunctionDef(returns=ast.expr() as annotation):
                yield annotation


def _in_string(text: str) -> Iterator[str]:
    """Yield the names of an annotation written as a string; none where it is no code (``Literal["a b"]``)."""
    try:
        parsed = ast.parse(text, mode="eval")
    except (SyntaxError, ValueError):
        return
    yield from (node.id for node in ast.walk(parsed) if isinstance(node, ast.Name))

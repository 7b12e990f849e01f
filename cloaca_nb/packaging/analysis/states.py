"""Values that each use leaves as others: iterators, generators of random numbers, drawings, closures that count."""

import ast
from collections.abc import Callable, Collection, Iterator
from typing import Final

from cloaca_nb.core.code.bindings import COMPREHENSIONS, FUNCTIONS, own_scope
from cloaca_nb.packaging.analysis.aliases import handed_on
from cloaca_nb.packaging.analysis.changes import base_name, changed_by, last_name, root_name
from cloaca_nb.packaging.analysis.known_methods import CHANGES
from cloaca_nb.packaging.analysis.statements import Statement

__all__ = ["States", "has_state"]

# What makes such values: functions of Python, functions of modules, and methods too.
_BUILT_IN: Final = frozenset({"enumerate", "filter", "iter", "map", "reversed", "zip"})
_OF_MODULES: Final = frozenset({"Random", "RandomState", "count", "cycle", "default_rng", "reader"})
_DRAWINGS: Final = frozenset({"add_subplot", "figure", "gca", "subplot", "subplots"})
_ONLY_LOOK: Final = frozenset({"bool", "display", "hasattr", "id", "isinstance", "len", "print", "repr", "str", "type"})


class States:
    """The values with a state that a notebook has made so far, as a reader of its cells comes to know them."""

    def __init__(self) -> None:
        self._imports: set[str] = set()
        self._generators: set[str] = set()  # functions that give such values
        self._makers: set[str] = set()  # functions and classes that make what counts its calls
        self._with_state: set[str] = set()
        self._counting: set[str] = set()  # whose calls change them

    def define(self, name: str, statement: Statement, methods: Collection[str]) -> None:
        """Take in what a statement gives a name; `methods` are known to change their object."""
        node = statement.node
        if isinstance(node, ast.AugAssign):
            return  # it is what it was
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        for found, is_one in (
            (self._imports, isinstance(node, ast.Import | ast.ImportFrom)),
            (self._generators, _is_generator(node)),
            (self._makers, _makes_what_counts(node)),
            (self._with_state, has_state(value, self._imports.__contains__) or self._is_from(value, self._generators)),
            (self._counting, self._is_from(value, self._makers) or _bound_method(value) in {*CHANGES, *methods}),
        ):
            found.add(name) if is_one else found.discard(name)

    def used_up_by(self, statement: Statement) -> set[str]:
        """Return the names whose values a statement leaves as others by using them."""
        return {*self._with_state.intersection(_used_by(statement.node)), *self.called_by(statement)}

    def called_by(self, statement: Statement) -> set[str]:
        """Return the names whose values are changed by the calls of them in a statement."""
        calls = [one.func for one in own_scope([statement.node]) if isinstance(one, ast.Call)] if self._counting else []
        return self._counting.intersection(one.id for one in calls if isinstance(one, ast.Name))

    @staticmethod
    def _is_from(value: ast.expr | None, makers: set[str]) -> bool:
        match value:
            case ast.Call(func=ast.Name(id=name)):
                return name in makers
            case _:
                return False


def has_state(value: ast.expr | None, is_import: Callable[[str], bool]) -> bool:
    """Say whether any use of what an expression makes leaves it another value.

    Args:
        value: the expression; None makes nothing.
        is_import: whether an import binds a name.
    """
    match value:
        case ast.GeneratorExp():
            return True
        case ast.Call(func=ast.Name(id=name)):
            return name in _BUILT_IN or (name in _OF_MODULES | _DRAWINGS and is_import(name))
        case ast.Call(func=ast.Attribute(attr=name) as made):
            return name in _DRAWINGS or (name in _OF_MODULES and any(map(is_import, base_name(made))))
        case _:
            return False


def _bound_method(value: ast.expr | None) -> str:
    """Return ``append`` for ``rows.append`` and ``partial(rows.append, 1)``; empty for other expressions."""
    match value:
        case ast.Call(func=ast.Name(id="partial") | ast.Attribute(attr="partial"), args=[ast.Attribute(attr=name), *_]):
            return name
        case ast.Attribute(attr=name):
            return name
        case _:
            return ""


def _is_generator(node: ast.stmt) -> bool:
    """Say whether a definition is a generator function: each use of what it gives leaves that another value."""
    if not isinstance(node, FUNCTIONS):
        return False
    decorators = {last_name(one) for one in node.decorator_list}
    yields = any(isinstance(one, ast.Yield | ast.YieldFrom) for one in own_scope(node.body))
    return yields and decorators.isdisjoint({"contextmanager", "asynccontextmanager"})


def _makes_what_counts(node: ast.stmt) -> bool:
    """Say whether what a definition makes is changed by a call of it: a closure that counts, or by its `__call__`."""
    if isinstance(node, ast.ClassDef):
        methods = (one for one in node.body if isinstance(one, FUNCTIONS) and one.name == "__call__" and one.args.args)
        return any(one.args.args[0].arg in set(changed_by(one)) for one in methods)
    return isinstance(node, FUNCTIONS) and any(isinstance(one, ast.Nonlocal) for one in ast.walk(node))


def _used_by(node: ast.stmt) -> Iterator[str]:
    """Yield the names whose values a statement calls, goes through, or hands to who may do so."""
    for part in own_scope([node]):
        match part:
            case ast.Call(func=called, args=parts, keywords=named):
                yield from root_name(called)
                if last_name(called) not in _ONLY_LOOK:
                    yield from (name for one in (*parts, *(word.value for word in named)) for name in handed_on(one))
            case ast.For(iter=value) | ast.Starred(value=value, ctx=ast.Load()):
                yield from handed_on(value)
            case ast.Assign(targets=[ast.Tuple() | ast.List()], value=value):
                yield from handed_on(value)
            case ast.Compare(comparators=values):
                yield from (name for one in values for name in root_name(one))
            case _ if isinstance(part, COMPREHENSIONS):
                yield from (name for one in part.generators for name in handed_on(one.iter))

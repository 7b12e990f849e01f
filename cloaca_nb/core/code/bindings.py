"""The scopes of Python code: which names a scope binds and how, and which names a nested scope takes from outside."""

import ast
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from typing import Any, NamedTuple, TypeAlias, TypeGuard

__all__ = [
    "COMPREHENSIONS",
    "FUNCTIONS",
    "SCOPES",
    "Binding",
    "Comprehension",
    "Function",
    "How",
    "Scope",
    "arguments",
    "bindings",
    "captured_later",
    "captured_now",
    "free_names",
    "inner_parts",
    "is_type_alias",
    "outer_parts",
    "own_scope",
    "scope_names",
    "target_names",
    "type_parameters",
]

Scope: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef
Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
Comprehension: TypeAlias = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


class How(Enum):
    """How a name is bound."""

    ASSIGNED = "assigned"  # by =, := or an augmented assignment
    LOOP = "loop"  # by the target of `for`
    WITH = "with"
    EXCEPT = "except"
    PATTERN = "pattern"  # by a `case`
    IMPORT = "import"
    DEFINITION = "definition"  # by `def`, `class` or `type`
    ANNOTATION = "annotation"  # `x: int` alone: local to a function, yet without a value
    DELETED = "deleted"


class Binding(NamedTuple):
    """One place where a scope binds a name."""

    name: str
    how: How
    node: ast.AST

    @property
    def line(self) -> int:
        """The line of the code, from 1."""
        return getattr(self.node, "lineno", 1)


def bindings(nodes: Iterable[ast.AST]) -> Iterator[Binding]:
    """Yield what the code binds in its own scope, in the order of the text; nested scopes keep theirs."""
    for node in nodes:
        yield from _bindings(node)


def _bindings(node: ast.AST) -> Iterator[Binding]:
    match node:
        case ast.For() | ast.AsyncFor():
            yield from _targets(node.target, How.LOOP)
            yield from bindings([node.iter, *node.body, *node.orelse])
        case ast.withitem():
            yield from bindings([node.context_expr])
            if node.optional_vars is not None:
                yield from _targets(node.optional_vars, How.WITH)
        case ast.AnnAssign():
            how = How.ANNOTATION if node.value is None else How.ASSIGNED
            yield from _targets(node.target, how)
            yield from bindings([node.value] if node.value else [])
        case _ if is_type_alias(node):
            yield Binding(node.name.id, How.DEFINITION, node)
        case ast.Name(ctx=ast.Store()):
            yield Binding(node.id, How.ASSIGNED, node)
        case ast.Name(ctx=ast.Del()):
            yield Binding(node.id, How.DELETED, node)
        case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            yield from _walruses(node)
        case ast.Lambda():
            yield from bindings(outer_parts(node))
        case _:
            yield from _named(node)
            yield from bindings(outer_parts(node) if isinstance(node, SCOPES) else ast.iter_child_nodes(node))


def _named(node: ast.AST) -> Iterator[Binding]:
    """Yield the names that a node binds by a plain string rather than by a Name."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            yield Binding(node.name, How.DEFINITION, node)
        case ast.ExceptHandler(name=str(name)):
            yield Binding(name, How.EXCEPT, node)
        case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
            yield Binding(name, How.PATTERN, node)
        case ast.Import() | ast.ImportFrom():
            for alias in node.names:
                yield Binding(alias.asname or alias.name.partition(".")[0], How.IMPORT, node)
        case _:
            return


def _targets(target: ast.AST, how: How) -> Iterator[Binding]:
    """Yield the names that a target binds; those that its subscripts bind by `:=` are assigned."""
    match target:
        case ast.Name():
            yield Binding(target.id, how, target)
        case ast.Tuple() | ast.List():
            for element in target.elts:
                yield from _targets(element, how)
        case ast.Starred():
            yield from _targets(target.value, how)
        case _:
            yield from bindings(ast.iter_child_nodes(target))


def _walruses(node: ast.AST) -> Iterator[Binding]:
    """Yield what `:=` binds in a comprehension: names of the scope around it."""
    if isinstance(node, ast.NamedExpr):
        yield Binding(node.target.id, How.ASSIGNED, node.target)
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, SCOPES):
            yield from _walruses(child)


def own_scope(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Yield all nodes that run in the code's own scope (or in a comprehension): no bodies of functions and classes."""
    for node in nodes:
        yield node
        yield from own_scope(outer_parts(node) if isinstance(node, SCOPES) else ast.iter_child_nodes(node))


def arguments(function: Function | ast.Lambda) -> list[str]:
    """Return the names of a function's parameters, those by position first."""
    args = function.args
    named = [*args.posonlyargs, *args.args, *([args.vararg] if args.vararg else []), *args.kwonlyargs]
    return [arg.arg for arg in [*named, *([args.kwarg] if args.kwarg else [])]]


def is_type_alias(node: ast.AST) -> TypeGuard[Any]:
    """Say whether a node is a ``type`` statement, which Python 3.11 doesn't have."""
    return type(node).__name__ == "TypeAlias"


def type_parameters(node: ast.AST) -> list[str]:
    """Return the names in the brackets of ``def f[T]``, ``class C[T]`` and ``type A[T]`` (Python 3.12)."""
    return [parameter.name for parameter in getattr(node, "type_params", [])]


def free_names(node: ast.AST) -> Iterator[ast.Name]:
    """Yield, in the order of the text, the places where code in or below `node` uses a name from outside it."""
    match node:
        case ast.Name():
            yield node
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda() | ast.ClassDef():
            yield from _without(type_parameters(node), _free_in(outer_parts(node)))
            yield from captured_now(node)
            yield from captured_later(node)
        case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            first, *rest = _comprehension_parts(node)
            yield from free_names(first)
            yield from _without(target_names(node), _free_in(rest))
        case _ if is_type_alias(node):
            yield from _without(type_parameters(node), free_names(node.value))
        case _:
            yield from _free_in(ast.iter_child_nodes(node))


def captured_later(node: Scope) -> Iterator[ast.Name]:
    """Yield the names from outside `node` that its functions use: not before they are called."""
    if not isinstance(node, ast.ClassDef):
        yield from _without(scope_names(node), _free_in(inner_parts(node)))
        return
    for scope in own_scope(node.body):
        if isinstance(scope, SCOPES):
            yield from _without(type_parameters(node), captured_later(scope))


def captured_now(node: Scope) -> Iterator[ast.Name]:
    """Yield the names from outside `node` that are used while it is defined: by the statements of a class body."""
    if not isinstance(node, ast.ClassDef):
        return
    later = {id(name) for name in captured_later(node)}
    first: dict[str, ast.stmt] = {}
    for statement in node.body:
        for one in bindings([statement]):
            first.setdefault(one.name, statement)
        for name in _without(type_parameters(node), free_names(statement)):
            before = first.get(name.id, statement) is statement
            if before and isinstance(name.ctx, ast.Load) and id(name) not in later:
                yield name


def _free_in(nodes: Iterable[ast.AST]) -> Iterator[ast.Name]:
    for node in nodes:
        yield from free_names(node)


def _without(hidden: Iterable[str], names: Iterable[ast.Name]) -> Iterator[ast.Name]:
    own = frozenset(hidden)
    return (name for name in names if name.id not in own)


def scope_names(function: Function | ast.Lambda) -> frozenset[str]:
    """Return the names local to a function, parameters included."""
    inner = inner_parts(function)
    bound = {one.name for one in bindings(inner)}
    outer = {name for node in own_scope(inner) if isinstance(node, ast.Global | ast.Nonlocal) for name in node.names}
    return frozenset({*arguments(function), *bound, *type_parameters(function)} - outer)


def target_names(node: Comprehension) -> frozenset[str]:
    """Return the names of a comprehension's own variables."""
    return frozenset(one.name for part in node.generators for one in _targets(part.target, How.LOOP))


def outer_parts(node: Scope) -> Iterator[ast.AST]:
    """Yield the parts of a function or class that the scope around it evaluates, in that order."""
    yield from getattr(node, "decorator_list", [])
    if isinstance(node, ast.ClassDef):
        yield from (*node.bases, *node.keywords)
        return
    args = node.args
    yield from (*args.defaults, *(default for default in args.kw_defaults if default is not None))
    named = [*args.posonlyargs, *args.args, *args.kwonlyargs, args.vararg, args.kwarg]
    yield from (arg.annotation for arg in named if arg is not None and arg.annotation is not None)
    if not isinstance(node, ast.Lambda) and node.returns is not None:
        yield node.returns


def inner_parts(node: Scope) -> Sequence[ast.AST]:
    """Return the statements (or the lambda's expression) that run in the scope itself."""
    return [node.body] if isinstance(node, ast.Lambda) else node.body


def _comprehension_parts(node: Comprehension) -> list[ast.AST]:
    """Return the parts of a comprehension in the order of evaluation; only the first belongs to the scope around it."""
    results = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
    parts: list[ast.AST] = []
    for generator in node.generators:
        parts += [generator.iter, generator.target, *generator.ifs]
    return [*parts, *results]

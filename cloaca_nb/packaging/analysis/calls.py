"""What calling a notebook's own functions and classes changes: names of the notebook, and what is handed to them."""

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from cloaca_nb.core.code.bindings import FUNCTIONS, own_scope
from cloaca_nb.packaging.analysis.aliases import aliases, handed_on, reached_by
from cloaca_nb.packaging.analysis.changes import changed_by, root_name
from cloaca_nb.packaging.analysis.statements import KNOWN, Statement

__all__ = ["Calls"]


@dataclass(frozen=True, slots=True)
class _Doing:
    """What a call may do.

    Attributes:
        changes: the notebook's names whose values it changes.
        uses: the notebook's names that it uses in turn.
        changes_arguments: whether it changes what is handed to it.
        hands_on: the functions to which it hands its own arguments.
        methods: those of a class that change their object.
        gives_out: the names whose values it returns as they are, its own among them.
        stands_on: the bases and the metaclass of a class.
        asks_for_heirs: whether it is told of the classes that stand on it.
    """

    changes: frozenset[str]
    uses: frozenset[str]
    changes_arguments: bool
    hands_on: frozenset[str]
    methods: frozenset[str]
    gives_out: frozenset[str]
    stands_on: frozenset[str]
    asks_for_heirs: bool


class Calls:
    """The functions and classes that a notebook has defined so far, as a reader of its cells comes to know them."""

    def __init__(self) -> None:
        self._doings: dict[str, _Doing] = {}

    def define(self, name: str, statement: Statement) -> None:
        """Take in what a statement gives a name."""
        if isinstance(statement.node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            self._doings[name] = _doing(statement)
        else:
            self._doings.pop(name, None)

    def changers(self, statement: Statement) -> frozenset[str]:
        """Return what a statement uses at once and what changes something when called: functions, classes, methods."""
        found = (
            name for name in statement.names.now if self._changes(name, set()) or self._changes_arguments(name, set())
        )
        return self.methods.union(found)

    @property
    def methods(self) -> frozenset[str]:
        """The methods of the notebook's classes that change their object."""
        return frozenset[str]().union(*(one.methods for one in self._doings.values()))

    def given_out_by(self, name: str) -> frozenset[str]:
        """Return the names whose values a function gives out."""
        return self._doings[name].gives_out if name in self._doings else frozenset()

    def changed_by(self, statement: Statement) -> frozenset[str]:
        """Return the names whose values a statement changes by calls, as far as the text of what it calls shows."""
        found = {changed for name in statement.names.now for changed in self._changes(name, set())}
        for called, handed in _calls_at_once(statement):
            if self._changes_arguments(called, set()):
                found.update(handed)
        return frozenset(found)

    def told_of(self, statement: Statement) -> set[str]:
        """Return the classes that are told of a class which stands on them: by a metaclass, or `__init_subclass__`."""
        heirs: Mapping[str, Iterable[str]] = {name: one.stands_on for name, one in self._doings.items()}
        bases = _doing(statement).stands_on if isinstance(statement.node, ast.ClassDef) else ()
        above = reached_by(bases, heirs)
        return above if any(one in self._doings and self._doings[one].asks_for_heirs for one in above) else set()

    def _changes(self, name: str, seen: set[str]) -> frozenset[str]:
        doing = self._doings.get(name)
        if doing is None or name in seen:
            return frozenset()
        seen.add(name)
        return doing.changes.union(*(self._changes(one, seen) for one in doing.uses))

    def _changes_arguments(self, name: str, seen: set[str]) -> bool:
        doing = self._doings.get(name)
        if doing is None or name in seen:
            return False
        seen.add(name)
        return doing.changes_arguments or any(self._changes_arguments(one, seen) for one in doing.hands_on)


@lru_cache(maxsize=KNOWN)  # a kernel asks again whenever a cell is executed
def _doing(statement: Statement) -> _Doing:
    names = statement.names.later | statement.names.now | statement.names.defined
    held: dict[str, set[str]] = {}
    for name, other in aliases(ast.walk(statement.node)):
        held.setdefault(name, set()).add(other)
    changed = reached_by(changed_by(statement.node), held)
    parameters = set(_parameters(statement.node))
    calls = [one for one in ast.walk(statement.node) if isinstance(one, ast.Call) and isinstance(one.func, ast.Name)]
    return _Doing(
        changes=frozenset(names & (changed - parameters)),
        uses=statement.names.later | statement.names.now,
        changes_arguments=not parameters.isdisjoint(changed),
        hands_on=frozenset(
            one.func.id
            for one in calls
            if isinstance(one.func, ast.Name) and not parameters.isdisjoint(reached_by(_handed_to(one), held))
        ),
        methods=frozenset(_changing_methods(statement.node)),
        gives_out=frozenset(reached_by(_given_out(statement.node), held)) - parameters,
        stands_on=frozenset(_stands_on(statement.node)),
        asks_for_heirs=isinstance(statement.node, ast.ClassDef) and _asks_for_heirs(statement.node),
    )


def _stands_on(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.ClassDef):
        for one in (*node.bases, *(keyword.value for keyword in node.keywords)):
            yield from root_name(one)


def _asks_for_heirs(node: ast.ClassDef) -> bool:
    """Say whether a class is a metaclass, or says what happens when another class stands on it, or asks which do."""
    is_metaclass = any("type" in root_name(one) for one in node.bases)
    names = {getattr(one, "name", getattr(one, "attr", "")) for one in ast.walk(node)}
    return is_metaclass or not names.isdisjoint({"__init_subclass__", "__subclasses__"})


def _changing_methods(node: ast.stmt) -> set[str]:
    """Return the methods of a class that change their object, themselves or by others of its methods."""
    own = [one for one in getattr(node, "body", ()) if isinstance(node, ast.ClassDef) and isinstance(one, FUNCTIONS)]
    of_self = {one.name: (*one.args.posonlyargs, *one.args.args)[0].arg for one in own if one.args.args}
    found = {one.name for one in own if of_self.get(one.name) in set(changed_by(one))}
    count = -1
    while count != len(found):
        count = len(found)
        found |= {one.name for one in own if not found.isdisjoint(_called_on(one, of_self.get(one.name)))}
    return {name for name in found if not name.startswith("__")}


def _called_on(node: ast.AST, name: str | None) -> Iterator[str]:
    for one in ast.walk(node):
        match one:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=root), attr=method)) if root == name:
                yield method


def _given_out(node: ast.stmt) -> Iterator[str]:
    """Yield the names whose values a function returns."""
    for one in own_scope(node.body) if isinstance(node, FUNCTIONS) else ():
        if isinstance(one, ast.Return) and one.value is not None:
            yield from handed_on(one.value)


@lru_cache(maxsize=KNOWN)
def _calls_at_once(statement: Statement) -> tuple[tuple[str, frozenset[str]], ...]:
    """Return for each call of a plain name, outside of function bodies, that name and what is handed over."""
    calls = [one for one in own_scope([statement.node]) if isinstance(one, ast.Call)]
    return tuple((one.func.id, frozenset(_handed_to(one))) for one in calls if isinstance(one.func, ast.Name))


def _handed_to(call: ast.Call) -> Iterator[str]:
    for one in (*call.args, *(keyword.value for keyword in call.keywords)):
        yield from root_name(one)


def _parameters(node: ast.AST) -> Iterator[str]:
    """Yield the parameters of all functions in a definition; of methods without the first, the object itself."""
    methods = {id(one) for part in ast.walk(node) if isinstance(part, ast.ClassDef) for one in part.body}
    for part in ast.walk(node):
        if isinstance(part, FUNCTIONS):
            every = part.args
            named = [*every.posonlyargs, *every.args]
            yield from (one.arg for one in named[1 if id(part) in methods else 0 :])
            yield from (one.arg for one in (*every.kwonlyargs, every.vararg, every.kwarg) if one is not None)

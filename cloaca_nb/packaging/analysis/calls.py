"""What calling a notebook's own functions and classes changes: names of the notebook, and what is handed to them."""

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from cloaca_nb.core.code.bindings import FUNCTIONS, own_scope
from cloaca_nb.packaging.analysis.aliases import aliases_within, handed_on, reached_by
from cloaca_nb.packaging.analysis.changes import changed_by, given_out, handed_lambdas
from cloaca_nb.packaging.analysis.classes import Methods, asks_for_heirs, changing_methods, methods_of, stands_on
from cloaca_nb.packaging.analysis.statements import KNOWN, Statement

__all__ = ["Calls", "used_at_once"]


@dataclass(frozen=True, slots=True)
class _Doing:
    """What a call may do.

    Attributes:
        changes: the notebook's names whose values it changes.
        uses: the notebook's names that it uses in turn.
        changes_arguments: whether it changes what is handed to it.
        hands_on: the functions to which it hands its own arguments.
        methods: those of a class.
        gives_out: the names whose values it returns as they are, its own among them.
        gives_back: whether it may return what is handed to it.
        stands_on: the bases and the metaclass of a class.
        asks_for_heirs: whether it is told of the classes that stand on it.
    """

    changes: frozenset[str]
    uses: frozenset[str]
    changes_arguments: bool
    hands_on: frozenset[str]
    methods: Methods | None
    gives_out: frozenset[str]
    gives_back: bool
    stands_on: frozenset[str]
    asks_for_heirs: bool


class Calls:
    """The functions and classes that a notebook has defined so far, as a reader of its cells comes to know them."""

    def __init__(self) -> None:
        self._doings: dict[str, _Doing] = {}
        self.methods: frozenset[str] = frozenset()  # of the notebook's classes, that change their object

    def define(self, name: str, statement: Statement) -> None:
        """Take in what a statement gives a name."""
        if isinstance(statement.node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            self._doings[name] = _doing(statement)
            if isinstance(statement.node, ast.ClassDef):
                self.methods = changing_methods(one.methods for one in self._doings.values() if one.methods)
        else:
            self._doings.pop(name, None)

    def changers(self, statement: Statement) -> frozenset[str]:
        """Return what a statement uses at once and what changes something when called: functions, classes, methods."""
        found = (
            name
            for name in used_at_once(statement)
            if self._changes(name, set()) or self._changes_arguments(name, set())
        )
        return self.methods.union(found)

    def given_out_by(self, name: str) -> frozenset[str]:
        """Return the names whose values a function gives out."""
        return self._doings[name].gives_out if name in self._doings else frozenset()

    def given_back_in(self, statement: Statement) -> Iterator[tuple[str, frozenset[str]]]:
        """Yield for each call in a statement that may return what is handed to it, how it is called, and that."""
        for name, handed in _calls_at_once(statement):
            if name in self._doings and self._doings[name].gives_back:
                yield given_out(name), handed

    def changed_by(self, statement: Statement) -> frozenset[str]:
        """Return the names whose values a statement changes by calls, as far as the text of what it calls shows."""
        found = {changed for name in used_at_once(statement) for changed in self._changes(name, set())}
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
    node = statement.node
    held = aliases_within(node)
    changed = reached_by(changed_by(node), held)
    parameters = set(_parameters(node))
    own = statement.names.defined if not changed.isdisjoint(_made_once(node)) else frozenset()
    names = statement.names.later | statement.names.now | statement.names.defined
    calls = [one for one in ast.walk(node) if isinstance(one, ast.Call)]
    given = frozenset(reached_by(_given_out(node), held))
    own_class = node if isinstance(node, ast.ClassDef) else None
    return _Doing(
        changes=frozenset(names & (changed - parameters)) | own,
        uses=statement.names.later | statement.names.now,
        changes_arguments=not parameters.isdisjoint(changed),
        hands_on=frozenset(
            called
            for one in calls
            for called, handed in _handed_over(one)
            if not parameters.isdisjoint(reached_by(handed, held))
        ),
        methods=methods_of(own_class) if own_class else None,
        gives_out=given - parameters,
        gives_back=not given.isdisjoint(parameters.difference(_made_anew(node))),
        stands_on=frozenset(stands_on(own_class) if own_class else ()),
        asks_for_heirs=own_class is not None and asks_for_heirs(own_class),
    )


def _made_anew(node: ast.stmt) -> Iterator[str]:
    """Yield the names to which a definition gives values that it makes: ``frame = frame.dropna()``."""
    for one in ast.walk(node):
        match one:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name not in handed_on(value):
                yield name


def _made_once(node: ast.stmt) -> Iterator[str]:
    """Yield the parameters of a function whose default is made once, and may be changed by each call."""
    if isinstance(node, FUNCTIONS):
        named = [*node.args.posonlyargs, *node.args.args]
        defaults = node.args.defaults
        pairs = [*zip(named[len(named) - len(defaults) :], defaults, strict=True)]
        pairs += [
            (one, default) for one, default in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True) if default
        ]
        yield from (one.arg for one, default in pairs if not isinstance(default, ast.Constant))


def _given_out(node: ast.stmt) -> Iterator[str]:
    """Yield the names whose values a function returns."""
    for one in own_scope(node.body) if isinstance(node, FUNCTIONS) else ():
        if isinstance(one, ast.Return) and one.value is not None:
            yield from handed_on(one.value)


@lru_cache(maxsize=KNOWN)
def used_at_once(statement: Statement) -> frozenset[str]:
    """Return the names that a statement reads at once, or in a lambda that what it calls may call."""
    names = {one.id for part in handed_lambdas(statement.node) for one in ast.walk(part) if isinstance(one, ast.Name)}
    return statement.names.now | (statement.names.later & names)


@lru_cache(maxsize=KNOWN)
def _calls_at_once(statement: Statement) -> tuple[tuple[str, frozenset[str]], ...]:
    """Return for each name that is called, or may be, outside of function bodies, what is handed over with it."""
    calls = [one for one in own_scope([statement.node]) if isinstance(one, ast.Call)]
    return tuple(found for one in calls for found in _handed_over(one))


def _handed_over(call: ast.Call) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield the function that a call names, and those that it hands on to be called, with all else that it hands on."""
    every = [*call.args, *(keyword.value for keyword in call.keywords)]
    handed = frozenset(name for one in every for name in handed_on(one))
    yield from ((one.id, handed - {one.id}) for one in (call.func, *every) if isinstance(one, ast.Name))


def _parameters(node: ast.AST) -> Iterator[str]:
    """Yield the parameters of all functions in a definition; of methods without the first, the object itself."""
    methods = {id(one) for part in ast.walk(node) if isinstance(part, ast.ClassDef) for one in part.body}
    for part in ast.walk(node):
        if isinstance(part, FUNCTIONS):
            every = part.args
            named = [*every.posonlyargs, *every.args]
            yield from (one.arg for one in named[1 if id(part) in methods else 0 :])
            yield from (one.arg for one in (*every.kwonlyargs, every.vararg, every.kwarg) if one is not None)

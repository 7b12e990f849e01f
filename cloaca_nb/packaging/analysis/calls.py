"""What calling a notebook's own functions and classes changes: names of the notebook, and what is handed to them."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from cloaca_nb.core.code.bindings import FUNCTIONS, own_scope
from cloaca_nb.packaging.analysis.aliases import aliases, reached_by
from cloaca_nb.packaging.analysis.effects import changed_by, root_name
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
    """

    changes: frozenset[str]
    uses: frozenset[str]
    changes_arguments: bool
    hands_on: frozenset[str]


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
        """Return the functions and classes that a statement uses at once and that change something when called."""
        return frozenset(
            name for name in statement.names.now if self._changes(name, set()) or self._changes_arguments(name, set())
        )

    def changed_by(self, statement: Statement) -> frozenset[str]:
        """Return the names whose values a statement changes by calls, as far as the text of what it calls shows."""
        found = {changed for name in statement.names.now for changed in self._changes(name, set())}
        for called, handed in _calls_at_once(statement):
            if self._changes_arguments(called, set()):
                found.update(handed)
        return frozenset(found)

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
    )


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

"""What a notebook's classes do: which of their methods change their object, and who is told of their heirs."""

import ast
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from cloaca_nb.core.code.bindings import FUNCTIONS, Function
from cloaca_nb.packaging.analysis.aliases import aliases_within, reached_by
from cloaca_nb.packaging.analysis.changes import changed_by, root_name
from cloaca_nb.packaging.analysis.states import has_state

__all__ = ["Methods", "asks_for_heirs", "changing_methods", "methods_of", "stands_on"]


class Methods(NamedTuple):
    """The methods of a class.

    Attributes:
        change: those that change their object by themselves.
        ask: for each the methods that it calls on its object, or on a part of it.
    """

    change: frozenset[str]
    ask: Mapping[str, frozenset[str]]


def methods_of(node: ast.ClassDef) -> Methods:
    """Return the methods of a class, as far as their text shows what they do."""
    own = {
        one.name: ((*one.args.posonlyargs, *one.args.args)[0].arg, one)
        for one in node.body
        if isinstance(one, FUNCTIONS) and (one.args.posonlyargs or one.args.args)
    }
    drawn = {name for first, one in own.values() for name in _with_state(one, first)}
    return Methods(
        frozenset(name for name, (first, one) in own.items() if _changes(one, first, drawn)),
        {name: frozenset(method for _, method in _called_on(one, first)) for name, (first, one) in own.items()},
    )


def changing_methods(classes: Iterable[Methods]) -> frozenset[str]:
    """Return the methods that change their object, by themselves or by others that they call on it."""
    every = list(classes)
    asked: dict[str, set[str]] = {}
    for one in every:
        for name, methods in one.ask.items():
            for method in methods:
                asked.setdefault(method, set()).add(name)
    found = reached_by((name for one in every for name in one.change), asked)
    return frozenset(name for name in found if not name.startswith("__"))


def stands_on(node: ast.ClassDef) -> Iterator[str]:
    """Yield the bases and the metaclass of a class."""
    for one in (*node.bases, *(keyword.value for keyword in node.keywords)):
        yield from root_name(one)


def asks_for_heirs(node: ast.ClassDef) -> bool:
    """Say whether a class is a metaclass, or says what happens when another class stands on it, or asks which do."""
    is_metaclass = any("type" in root_name(one) for one in node.bases)
    names = {getattr(one, "name", getattr(one, "attr", "")) for one in ast.walk(node)}
    return is_metaclass or not names.isdisjoint({"__init_subclass__", "__subclasses__"})


def _changes(method: Function, first: str, drawn: set[str]) -> bool:
    """Say whether a method changes its object, or draws from a part of it that has a state."""
    uses = (part for part, _ in _called_on(method, first))
    return first in reached_by(changed_by(method), aliases_within(method)) or not drawn.isdisjoint(uses)


def _with_state(method: Function, first: str) -> Iterator[str]:
    """Yield the attributes of its object to which a method gives a value with a state."""
    for one in ast.walk(method):
        match one:
            case ast.Assign(targets=[ast.Attribute(value=ast.Name(id=root), attr=name)], value=value):
                if root == first and has_state(value, lambda _: True):
                    yield name


def _called_on(method: Function, first: str) -> Iterator[tuple[str, str]]:
    """Yield what a method calls on its object: ``("rng", "random")`` for ``self.rng.random()``, ``("", "put")``."""
    for one in ast.walk(method):
        match one:
            case ast.Call(func=ast.Attribute(value=ast.Attribute(value=ast.Name(id=root), attr=part), attr=name)):
                if root == first:
                    yield part, name
            case ast.Call(func=ast.Attribute(value=value, attr=name)):
                if not {first, "super()"}.isdisjoint(root_name(value)):
                    yield "", name
            case ast.Call(func=ast.Name(id="next"), args=[ast.Attribute(value=ast.Name(id=root), attr=part), *_]):
                if root == first:
                    yield part, "next"

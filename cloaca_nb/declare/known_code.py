"""What code came to before: kept for the whole process, and believed only while what it was made from is the same."""

import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple
from weakref import WeakKeyDictionary, ref

from cloaca_nb.declare.watch import Watch

__all__ = ["KnownCode", "Lead", "Name", "Node", "Part", "Unit", "key_of", "known_code"]


class Part(NamedTuple):
    """One thing that a task's code is made of.

    Attributes:
        digest: 32 hexadecimal digits.
        where: the place of its definition; it is no part of the digest.
        shown: what a person is told of it: a number or a version; empty where that would be too much.
        secret: whether it holds a secret, which may be guessed by the digest.
    """

    digest: str
    where: str = ""
    shown: str = ""
    secret: bool = False


class Unit(NamedTuple):
    """A part under its name, and why a change of it might not be seen."""

    name: str
    part: Part
    untracked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Name:
    """A name with the attributes asked of it at once, looked up in the module of a function."""

    owner: types.FunctionType
    chain: tuple[str, ...]


Lead = types.FunctionType | type | Name | str  # what code leads to; a text is the name of a module
Key = int | str | tuple[Any, ...]


class Node:
    """What one function, class, name or module came to; it keeps none of them alive.

    Attributes:
        units: what it came to.
        watch: by it the units are known to be right still; None if they must be made again and compared.
    """

    __slots__ = ("_leads", "_one", "units", "watch")

    def __init__(self, one: Lead, units: tuple[Unit, ...], leads: tuple[Lead, ...], watch: Watch | None) -> None:
        self._one = _weak(one)
        self._leads = tuple(map(_weak, leads))
        self.units = units
        self.watch = watch

    def one(self) -> Lead | None:
        """Return what this is of; None if it is gone."""
        return self._one()

    def leads(self) -> tuple[Lead | None, ...]:
        """Return what it leads to, with None for what is gone."""
        return tuple(lead() for lead in self._leads)

    def is_of(self, one: Lead) -> bool:
        """Say whether this is of `one`: an id may be another's by now."""
        return _is_same(self._one(), one)

    def came_to(self, units: tuple[Unit, ...], leads: tuple[Lead, ...]) -> bool:
        """Say whether a new look gave the same."""
        return (
            self.units == units
            and len(self._leads) == len(leads)
            and all(_is_same(old(), new) for old, new in zip(self._leads, leads, strict=True))
        )


class KnownCode:
    """What code came to before, under one digest of values. Several threads may use it: a lost entry is made again."""

    def __init__(self) -> None:
        self._nodes: dict[tuple[str, Key], tuple[ref[Any] | None, Node]] = {}
        self._results: dict[int, tuple[ref[Any], Any]] = {}

    def node(self, module: str, one: Lead) -> Node | None:
        """Return what `one` came to, seen from a module."""
        found = self._nodes.get((module, key_of(one)))
        return found[1] if found is not None and found[1].is_of(one) else None

    def keep_node(self, module: str, one: Lead, node: Node) -> None:
        """Keep what `one` came to, as long as it lives."""
        key = (module, key_of(one))
        anchor = None if isinstance(one, str) else ref(_anchor(one), _forgetting(self._nodes, key))
        self._nodes[key] = anchor, node

    def result(self, function: types.FunctionType) -> Any:
        """Return what was kept for a function; None if nothing was."""
        found = self._results.get(id(function))
        return found[1] if found is not None and found[0]() is function else None

    def keep_result(self, function: types.FunctionType, result: Any) -> None:
        """Keep something for a function, as long as that lives."""
        self._results[id(function)] = ref(function, _forgetting(self._results, id(function))), result


_known: Final[WeakKeyDictionary[Callable[[Any], str | None], KnownCode]] = WeakKeyDictionary()


def known_code(digest: Callable[[Any], str | None]) -> KnownCode:
    """Return what this process knows under a digest of values."""
    return _known.setdefault(digest, KnownCode())


def key_of(one: Lead) -> Key:
    """Return what stands for a thing as long as it lives."""
    if isinstance(one, Name):
        return id(one.owner.__globals__), *one.chain
    return one if isinstance(one, str) else id(one)


def _anchor(one: types.FunctionType | type | Name) -> types.FunctionType | type:
    return one.owner if isinstance(one, Name) else one


def _weak(one: Lead) -> Callable[[], Lead | None]:
    if isinstance(one, str):
        return lambda: one
    if isinstance(one, Name):
        owner, chain = ref(one.owner), one.chain
        return lambda: None if (found := owner()) is None else Name(found, chain)
    return ref(one)


def _is_same(old: Lead | None, new: Lead) -> bool:
    if isinstance(old, Name) and isinstance(new, Name):
        return old.chain == new.chain and old.owner.__globals__ is new.owner.__globals__
    return old == new if isinstance(old, str) and isinstance(new, str) else old is new


def _forgetting(kept: dict[Any, tuple[Any, Any]], key: Any) -> Callable[[ref[Any]], None]:
    def forget(dead: ref[Any]) -> None:
        found = kept.get(key)
        if found is not None and found[0] is dead:
            kept.pop(key, None)

    return forget

"""Containers of nothing but JSON's leaves, written at the speed of C so that no two different ones look alike."""

import marshal
from itertools import chain
from types import NoneType
from typing import Any, Final

__all__ = ["JOINED", "TELLING", "exact", "exact_text"]

TELLING: Final = frozenset({NoneType, bool, int, float, str})  # what is written for one of them says its type as well
JOINED: Final = frozenset({list, tuple, dict})

_LEVELS: Final = 4  # how far a container is looked into before it is taken apart
_WIDTH: Final = 1 << 20  # items of one level
_FORMAT: Final = 2  # the last version of marshal's format in which equal values give equal bytes


def exact(value: Any) -> bytes:
    """Return the bytes of a container of telling leaves, `...`, and containers of these.

    Raises:
        ValueError: if it is nested deeper than C's stack allows.
    """
    return marshal.dumps(value, _FORMAT)


def exact_text(value: Any) -> bytes | None:
    """Return the bytes of a container of nothing but telling leaves, a few levels deep, else None."""
    try:
        return exact(value) if _tells(value) else None
    except ValueError:
        return None


def _tells(value: Any) -> bool:
    level = [value]
    for _ in range(_LEVELS):
        kinds = set(map(type, level))
        if TELLING.issuperset(kinds):
            return True
        if len(level) > _WIDTH or not kinds <= TELLING | JOINED:
            return False
        level = _within(level, kinds)
    return TELLING.issuperset(map(type, level))


def _within(level: list[Any], kinds: set[type]) -> list[Any]:
    """Return what the containers among values of these types hold: the keys of dicts as well."""
    found: list[Any] = []
    for kind in kinds & JOINED:
        alike: list[Any] = level if len(kinds) == 1 else [item for item in level if type(item) is kind]
        found += chain.from_iterable(alike)
        if kind is dict:
            found += chain.from_iterable(map(dict.values, alike))
    return found

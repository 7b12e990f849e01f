"""Where a value and a copy of it differ: one walk through both, side by side.

It goes on where the two are different objects, and stops where they are one: what was shared can't differ, so the texts
and numbers of a container cost an identity check each, at the speed of C where all of them are plain.

Left out, as nothing can be said of them at that price or without calling code that may answer anything: figures, and C
types that show no attributes or copy themselves in a way of their own, such as a random generator of numpy's, or an
element of XML. Also what reading fills: see `memos`.
"""

import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import Enum
from functools import lru_cache
from itertools import chain
from operator import is_
from typing import Any, Final

from cloaca_nb.values import numpy_arrays, pandas_frames, pickles, plain, polars_frames
from cloaca_nb.values.adapter import Adapter, Verdict
from cloaca_nb.values.memos import asked_for, without_memos
from cloaca_nb.values.plain import ATOMS
from cloaca_nb.values.registry import adapter_of

__all__ = ["Place", "SideBySide"]

Place = tuple[type, str] | None  # the class of an object and its attribute; None: in no object

_HASHED: Final = ATOMS | {tuple}  # what is compared by its hash and `==`
_STATELESS: Final = frozenset({type(threading.Lock()), type(threading.RLock())})  # of which nothing need be known


class SideBySide:
    """One walk.

    Args:
        asks: whether objects that have code for their state are asked for it; else their attributes are compared.

    Attributes:
        met_objects: whether there are objects of classes that no adapter knows.
        has_spared: whether one was compared by its attributes that has code for its state.
        is_in_the_dark: whether something was met that nothing can be said of.
    """

    __slots__ = ("_asks", "has_spared", "is_in_the_dark", "met_objects")

    def __init__(self, *, asks: bool) -> None:
        self._asks = asks
        self.met_objects = self.has_spared = self.is_in_the_dark = False

    def finds_difference(self, original: Any, copy: Any) -> bool:
        """Return whether the two differ anywhere."""
        waiting: list[tuple[Any, Any]] = [(original, copy)]
        seen: dict[tuple[int, int], Any] = {}  # with what was made on the way, which must not lend its id to another
        while waiting:
            before, now = waiting.pop()
            if before is now or (id(before), id(now)) in seen:
                continue
            seen[id(before), id(now)] = before, now
            verdict = self._look(before, now)
            if verdict is True:
                return True
            if verdict:
                waiting.extend(verdict)
        return False

    def places(self, original: Any, copy: Any) -> set[Place]:
        """Return all places where the two differ."""
        waiting: list[tuple[Any, Any, Place]] = [(original, copy, None)]
        seen: dict[tuple[int, int], Any] = {}
        found: set[Place] = set()
        while waiting:
            before, now, place = waiting.pop()
            if before is now or (id(before), id(now)) in seen:
                continue
            seen[id(before), id(now)] = before, now
            verdict = self._look(before, now)
            if verdict is True:
                found.add(place)
                continue
            for one, other in verdict or ():
                if adapter_of(type(now)) is pickles and type(one) is type(other) is dict:
                    found |= {(type(now), str(name)) for name in one.keys() ^ other.keys()}
                    shared = one.keys() & other.keys()
                    waiting += [(one[name], other[name], (type(now), str(name))) for name in shared]
                else:
                    waiting.append((one, other, place))
        return found

    def _look(self, before: Any, now: Any) -> Verdict:
        kind = type(now)
        if type(before) is not kind and not _is_remade(type(before), kind):
            return True
        if kind in ATOMS:
            return _differs_as_atom(before, now)
        if kind in _CONTAINERS:
            return _CONTAINERS[kind](before, now)
        adapter = adapter_of(kind)
        if adapter is pickles:
            return self._look_at_objects(before, now)
        look = _BY_ADAPTER.get(adapter)
        self.is_in_the_dark |= look is None
        return False if look is None else look(before, now)

    def _look_at_objects(self, before: Any, now: Any) -> Verdict:
        kind = type(now)
        self.met_objects = True
        way = _way_of(kind)
        if way is _Way.ATTRIBUTES or (way is _Way.EITHER and not self._asks):
            self.has_spared |= way is _Way.EITHER
            return _told(kind, pickles.attributes(before), pickles.attributes(now))
        mine, theirs = pickles.taken_apart(before), pickles.taken_apart(now)
        if mine is None or theirs is None:
            self.is_in_the_dark |= kind not in _STATELESS
            return False
        return chain(zip(mine[1:], theirs[1:], strict=True), _told(kind, mine[0], theirs[0]))


class _Way(Enum):
    """How objects of a class are compared."""

    ATTRIBUTES = 1  # by these alone: there is nothing else, or what else there is doesn't tell
    EITHER = 2  # by their attributes, and if these differ by what they say of their state
    STATE = 3  # by what they are copied from: of a class that has more than attributes


def _is_remade(one: type, other: type) -> bool:
    """Whether a class was made anew with the copy of its object, as the headers of an email do."""
    return (one.__module__, one.__qualname__, one.__bases__) == (other.__module__, other.__qualname__, other.__bases__)


def _differs_as_atom(before: Any, now: Any) -> bool:
    if isinstance(now, type):
        return not _is_remade(before, now)
    return bool(before != now and not (_is_nan(before) and _is_nan(now)))


def _is_nan(value: Any) -> bool:
    return bool(value != value)  # noqa: PLR0124 - that is what tells it


# -- containers


def _of_lists(before: Any, now: Any) -> Verdict:
    return True if len(before) != len(now) else _items(before, now)


def _of_dicts(before: Any, now: Any) -> Verdict:
    if len(before) != len(now):
        return True
    if not _HASHED.issuperset(map(type, now)):  # keys that were copied as well
        return chain(zip(before, now, strict=True), zip(before.values(), now.values(), strict=True))
    if before.keys() != now.keys():
        return True
    return _items(list(map(before.__getitem__, now)), list(now.values()))


def _of_defaultdicts(before: Any, now: Any) -> Verdict:
    if len(before) >= len(now):
        return _of_dicts(before, now)
    kept = asked_for(before, now)
    return True if kept is None else _of_dicts(before, kept)


def _items(mine: Sequence[Any], theirs: Sequence[Any]) -> Verdict:
    """Compare items; at the speed of C where all are shared, or plain containers of one type, as rows of a table."""
    if all(map(is_, mine, theirs)):
        return False
    kinds = set(map(type, theirs))
    if kinds in _ROWS and kinds == set(map(type, mine)) and _hold_atoms(mine) and _hold_atoms(theirs):
        return False if mine == theirs else zip(mine, theirs, strict=True)
    return ((one, other) for one, other in zip(mine, theirs, strict=True) if one is not other)


_ROWS: Final = ({list}, {dict})


def _hold_atoms(rows: Iterable[Any]) -> bool:
    return ATOMS.issuperset(map(type, _within(rows)))


def _within(rows: Iterable[Any]) -> Iterator[Any]:
    return chain.from_iterable(row.values() if type(row) is dict else row for row in rows)


def _of_sets(before: Any, now: Any) -> Verdict:
    if len(before) != len(now):
        return True
    return before != now if _HASHED.issuperset(map(type, now)) else False


def _of_bytes(before: Any, now: Any) -> Verdict:
    return bool(before != now)


def _of_tuples(before: Any, now: Any) -> Verdict:
    return zip(before, now, strict=True)


_CONTAINERS: Final[dict[type, Callable[[Any, Any], Verdict]]] = {
    **{kind: _of_dicts for kind in plain.SHALLOW if issubclass(kind, dict)},
    **{kind: _of_lists for kind in plain.SHALLOW if issubclass(kind, list | deque)},
    defaultdict: _of_defaultdicts,
    set: _of_sets,
    bytearray: _of_bytes,
    tuple: _of_tuples,
}


# -- objects


def _of_records(before: Any, now: Any) -> Verdict:
    if isinstance(now, tuple):
        return _of_tuples(before, now)
    return _told(type(now), plain.fields(before), plain.fields(now))


def _told(kind: type, mine: Any, theirs: Any) -> Iterable[tuple[Any, Any]]:
    """Return the pairs that two states come to: attributes, or attributes and slots; anything else as it is."""
    if type(mine) is dict and type(theirs) is dict:
        return (without_memos(kind, mine, theirs),)
    if type(mine) is tuple and type(theirs) is tuple and len(mine) == len(theirs) == 2:  # noqa: PLR2004 - as `copy` has it
        return (
            without_memos(kind, one or {}, other or {}) if {type(one), type(other)} <= _MAYBE_DICTS else (one, other)
            for one, other in zip(mine, theirs, strict=True)
        )
    return ((mine, theirs),)


_MAYBE_DICTS: Final = {dict, type(None)}


def _find_way(kind: type) -> _Way:
    if not pickles.is_bare(kind):
        return _Way.STATE
    is_copied_by_state = pickles.has_state_of_its_own(kind) and not hasattr(kind, "__deepcopy__")
    return _Way.EITHER if is_copied_by_state else _Way.ATTRIBUTES


_way_of: Final[Callable[[type], _Way]] = lru_cache(512)(_find_way)

_BY_ADAPTER: Final[dict[Adapter, Callable[[Any, Any], Verdict]]] = {
    plain: _of_records,
    numpy_arrays: numpy_arrays.altered,
    pandas_frames: pandas_frames.altered,
    polars_frames: polars_frames.altered,
}

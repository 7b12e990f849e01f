"""Whether a task has changed the copy that it got of a value: for no more than what making that copy has cost.

Two walks side by side, from the original and from the copy that `isolate` made of it. They go on where the two are
different objects, and stop at the first difference: what was shared can't differ, so the texts and numbers of a
container cost an identity check each, at the speed of C where all of them are plain.

Left out, as nothing can be said of them at that price or without calling code that may answer anything: figures, what
copies itself in a way of its own (`__deepcopy__`), and C types that show no attributes, such as a random generator of
numpy's. Also what objects keep under a name with "cache" in it, or as a `functools.cached_property`, and private
attributes that weren't there or were None: who only reads fills those.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import cached_property, lru_cache
from itertools import chain
from operator import is_
from typing import Any, Final

from cloaca_nb.values import numpy_arrays, pandas_frames, pickles, plain, polars_frames
from cloaca_nb.values.adapter import Adapter, Verdict
from cloaca_nb.values.plain import ATOMS
from cloaca_nb.values.registry import adapter_of

__all__ = ["altered", "lost"]

_HASHED: Final = ATOMS | {tuple}  # what is compared by its hash and `==`


def lost(original: Any, copy: Any, others: Iterable[Any]) -> bool:
    """Return whether `copy`, which `isolate` made of `original`, was changed and is no part of any of the others.

    Never raises; see `altered`.
    """
    if _holds_the_same(original, copy):  # as nearly all that tasks read: the rest needn't begin
        return False
    try:
        return _differ(original, copy) and not is_within(copy, others)
    except Exception:  # noqa: BLE001 - code of the user's objects may raise anything: then nothing is known
        return False


def altered(original: Any, copy: Any) -> bool:
    """Return whether `copy`, which `isolate` made of `original`, has been changed since; False where that isn't known.

    Never raises.
    """
    try:
        return _differ(original, copy)
    except Exception:  # noqa: BLE001 - code of the user's objects may raise anything: then nothing is known
        return False


def _holds_the_same(original: Any, copy: Any) -> bool:
    """Whether two lists or dicts hold the very same things, so that only more would make them differ."""
    kind = type(copy)
    if kind is not type(original) or kind not in (list, dict) or len(original) != len(copy):
        return False
    return all(map(is_, original, copy)) and (kind is list or all(map(is_, original.values(), copy.values())))


def _differ(original: Any, copy: Any) -> bool:
    waiting: list[tuple[Any, Any]] = [(original, copy)]
    seen: dict[tuple[int, int], Any] = {}  # with what was made on the way, which must not lend its id to another
    while waiting:
        before, now = waiting.pop()
        if before is now or (id(before), id(now)) in seen:
            continue
        if type(before) is not type(now):
            return True
        if type(now) in ATOMS:
            if _differs_as_atom(before, now):
                return True
            continue
        seen[id(before), id(now)] = before, now
        verdict = _look(before, now)
        if verdict is True:
            return True
        if verdict:
            waiting.extend(verdict)
    return False


def _differs_as_atom(before: Any, now: Any) -> bool:
    return bool(before != now and not (_is_nan(before) and _is_nan(now)))


def _is_nan(value: Any) -> bool:
    return bool(value != value)  # noqa: PLR0124 - that is what tells it


def _look(before: Any, now: Any) -> Verdict:
    kind = type(now)
    if kind in _CONTAINERS:
        return _CONTAINERS[kind](before, now)
    look = _BY_ADAPTER.get(adapter_of(kind))
    return False if look is None else look(before, now)


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
    set: _of_sets,
    bytearray: _of_bytes,
    tuple: _of_tuples,
}


# -- objects


def _of_records(before: Any, now: Any) -> Verdict:
    if isinstance(now, tuple):
        return _of_tuples(before, now)
    return _attributes(now, plain.fields(before), plain.fields(now))


def _of_objects(before: Any, now: Any) -> Verdict:
    mine, theirs = pickles.taken_apart(before), pickles.taken_apart(now)
    if mine is None or theirs is None:
        return False
    return chain(zip(mine[1:], theirs[1:], strict=True), (_told(now, mine[0], theirs[0]),))


def _attributes(owner: Any, mine: dict[str, Any], theirs: dict[str, Any]) -> Verdict:
    return (_told(owner, mine, theirs),)


def _told(owner: Any, mine: Any, theirs: Any) -> tuple[Any, Any]:
    """Return the attributes of both without those that reading fills."""
    if type(mine) is not dict or type(theirs) is not dict:
        return mine, theirs
    filled = _filled_by_reading(type(owner))
    left_out = {name for name in mine.keys() | theirs.keys() if name in filled or "cache" in str(name).lower()}
    left_out |= {name for name in theirs if str(name).startswith("_") and mine.get(name) is None}
    return _without(mine, left_out), _without(theirs, left_out)


def _without(attributes: dict[Any, Any], names: Collection[Any]) -> dict[Any, Any]:
    return {name: value for name, value in attributes.items() if name not in names}


def _find_filled(kind: type) -> frozenset[str]:
    return frozenset(name for base in kind.__mro__ for name, one in vars(base).items() if type(one) is cached_property)


_BY_ADAPTER: Final[dict[Adapter, Callable[[Any, Any], Verdict]]] = {
    plain: _of_records,
    pickles: _of_objects,
    numpy_arrays: numpy_arrays.altered,
    pandas_frames: pandas_frames.altered,
    polars_frames: polars_frames.altered,
}


# Returns the names of a type's attributes that reading fills.
_filled_by_reading: Final[Callable[[type], frozenset[str]]] = lru_cache(512)(_find_filled)


# -- what becomes of a changed copy

_MOST: Final = 10_000  # objects that are looked at


def is_within(value: Any, others: Iterable[Any]) -> bool:
    """Return whether a value is one of others, or lies in one: in a container, or as an attribute.

    True as well where that would take too long to know: what may have been passed on is not called lost.
    """
    waiting, seen = list(others), set[int]()
    while waiting:
        if len(seen) >= _MOST:
            return True
        one = waiting.pop()
        if one is value:
            return True
        if type(one) in ATOMS or id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, dict):
            waiting += one.values()
        elif isinstance(one, list | tuple | set | frozenset | deque):
            waiting += one
        else:
            waiting += getattr(one, "__dict__", {}).values()
    return False

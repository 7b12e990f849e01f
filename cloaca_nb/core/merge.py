"""How values that were changed on two branches become one: a three-way merge against what both started from."""

from collections.abc import Callable, Hashable, Iterable
from typing import Any, Final, NamedTuple

__all__ = ["DELETED", "MISSING", "STRICT", "Merged", "Sameness", "merge"]


class _Mark:
    """A value that no user has, named in a repr."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return f"<{self._name}>"

    def __reduce__(self) -> str:
        return self._name.upper()  # unpickles and copies as the one object that it is


DELETED: Final = _Mark("deleted")  # the value of a key that a task deleted
MISSING: Final = _Mark("missing")  # the value of a key that never was


class Sameness(NamedTuple):
    """What it means that two values are one; given from outside: frames and arrays are not the core's business."""

    equal: Callable[[Any, Any], bool]  # equal and of the same type
    key: Callable[[Any], Hashable | None]  # hashable, and equal for equal values; None: compare by `equal`


class Merged(NamedTuple):
    """The outcome of a merge."""

    value: Any
    contested: bool  # two branches disagreed and the later one was chosen


def _strictly_equal(a: Any, b: Any) -> bool:
    return type(a) is type(b) and bool(a == b)


STRICT: Final = Sameness(_strictly_equal, lambda _value: None)  # for plain values


def merge(base: Any, earlier: Any, later: Any, same: Sameness = STRICT) -> Merged:
    """Merge two branches' values of one key.

    A branch that left the value as it was never overwrites one that changed it. Where both changed it, equal values are
    one value, lists are joined, dicts are merged key by key, and of anything else `later` is chosen.

    Args:
        base: the value from which both started; MISSING if there was none.
        earlier: the value on the branch that comes first in ``dependencies`` order; DELETED if it deleted the key.
        later: the same for the branch that comes after it.
        same: what it means that two values are one.

    >>> merge([1, 2], [1, 2, 3], [2, 4]).value
    [2, 3, 4]
    >>> merge(MISSING, {"a": 1}, {"b": 2})
    Merged(value={'a': 1, 'b': 2}, contested=False)
    >>> merge(1, 2, 3)
    Merged(value=3, contested=True)
    """
    if same.equal(earlier, later) or same.equal(base, later):
        return Merged(earlier, contested=False)
    if same.equal(base, earlier):
        return Merged(later, contested=False)
    if type(earlier) is list and type(later) is list:
        return Merged(_join(base if type(base) is list else [], earlier, later, same), contested=False)
    if type(earlier) is dict and type(later) is dict:
        return _merge_dicts(base if type(base) is dict else {}, earlier, later, same)
    return Merged(later, contested=True)


def _merge_dicts(base: dict[Any, Any], earlier: dict[Any, Any], later: dict[Any, Any], same: Sameness) -> Merged:
    merged = {
        key: merge(base.get(key, MISSING), earlier.get(key, DELETED), later.get(key, DELETED), same)
        if key in base
        else merge(MISSING, earlier.get(key, MISSING), later.get(key, MISSING), same)
        for key in dict.fromkeys([*earlier, *later])
    }
    kept = {key: one.value for key, one in merged.items() if one.value is not DELETED}
    return Merged(kept, contested=any(one.contested for one in merged.values()))


def _join(base: list[Any], earlier: list[Any], later: list[Any], same: Sameness) -> list[Any]:
    """Join two lists in first-seen order, each item once; what a branch removed from `base` stays removed."""
    seen = _Seen(same)
    in_earlier, in_later = _Seen(same, earlier), _Seen(same, later)
    for item in base:
        if item not in in_earlier or item not in in_later:
            seen.add(item)
    return [item for item in (*earlier, *later) if seen.add(item)]


class _Seen:
    """A set of values by type and value, of which some aren't hashable."""

    def __init__(self, same: Sameness, items: Iterable[Any] = ()) -> None:
        self._same = same
        self._keys: set[Hashable] = set()
        self._others: list[Any] = []
        for item in items:
            self.add(item)

    def __contains__(self, item: Any) -> bool:
        key = self._same.key(item)
        if key is not None:
            return key in self._keys
        return any(self._same.equal(item, other) for other in self._others)

    def add(self, item: Any) -> bool:
        """Add `item`; say whether it is new."""
        if item in self:
            return False
        key = self._same.key(item)
        if key is None:
            self._others.append(item)
        else:
            self._keys.add(key)
        return True

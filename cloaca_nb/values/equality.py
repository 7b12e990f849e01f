"""When two values are one and the same value: equal, of the same types, all the way down."""

from collections.abc import Iterable, Iterator
from itertools import zip_longest
from typing import Any

from cloaca_nb.values.adapter import Either
from cloaca_nb.values.digests import canonical_digest
from cloaca_nb.values.registry import adapter_of

__all__ = ["equal"]


class _Missing:
    """Stands for the part that the shorter of two values doesn't have."""


def equal(a: Any, b: Any) -> bool:
    """Return whether two values are equal and of the same type, all the way down; never raises.

    NaN equals NaN, -0.0 equals 0.0, True isn't 1, 1 isn't 1.0. The order of a dict counts, as it comes back from
    history too; that of a set doesn't. So does how a number or a time is written: `Decimal("1.0")` isn't
    `Decimal("1.00")`, and noon in one zone isn't the same instant in another. Frames are compared by column order,
    dtypes, index, values and `attrs` (a RangeIndex is equal to an index that lists its numbers; `freq` and chunks don't
    count), arrays by dtype, shape and values, dataclass instances by all their fields.
    Other objects are equal if they are identical or their `__eq__` says exactly True.
    """
    try:
        return _Comparison().run(a, b)
    except Exception:  # noqa: BLE001 - an `__eq__` of the user's may raise anything, and then it didn't say True
        return False


class _Comparison:
    """One walk through two values at once, without recursion: `_open` holds the pairs of parts yet to come."""

    __slots__ = ("_depths", "_open")

    def __init__(self) -> None:
        self._open: list[tuple[Iterator[tuple[Any, Any]], Any, Any]] = []
        self._depths: tuple[dict[int, int], dict[int, int]] = ({}, {})

    def run(self, a: Any, b: Any) -> bool:
        if not self._same(a, b):
            return False
        while self._open:
            pairs, *owners = self._open[-1]
            pair = next(pairs, None)
            if pair is None:
                self._close(owners)
            elif not self._same(*pair):
                return False
        return True

    def _same(self, a: Any, b: Any) -> bool:
        """Compare what can be compared at once, and open the parts of the rest."""
        if a is b:
            return True
        if type(a) is not type(b):
            return False
        if type(a) is Either:
            return self._same(a.canonical(), b.canonical())
        adapter = adapter_of(type(a))
        verdict = adapter.equal(a, b)
        if verdict is not None:
            return verdict
        mine, theirs = (depths.get(id(owner)) for depths, owner in zip(self._depths, (a, b), strict=True))
        if mine is not None or theirs is not None:
            return mine == theirs  # both lead back to the same place of their circles
        self._enter(a, b, adapter.parts(a, canonical_digest), adapter.parts(b, canonical_digest))
        return True

    def _enter(self, a: Any, b: Any, mine: Iterable[Any], theirs: Iterable[Any]) -> None:
        for depths, owner in zip(self._depths, (a, b), strict=True):
            depths[id(owner)] = len(self._open)
        self._open.append((zip_longest(mine, theirs, fillvalue=_Missing), a, b))

    def _close(self, owners: list[Any]) -> None:
        self._open.pop()
        for depths, owner in zip(self._depths, owners, strict=True):
            del depths[id(owner)]

"""How a task gets a value of its own: copied where the value could be changed in place, shared where it can't."""

from collections.abc import Callable, Iterable
from itertools import chain
from typing import Any, Final

from cloaca_nb.values.adapter import Adapter, Isolation
from cloaca_nb.values.plain import ATOMS, SHALLOW
from cloaca_nb.values.registry import adapter_of

__all__ = ["isolate"]

_PLAIN: Final = frozenset({list, dict})


def isolate(value: Any) -> Any:
    """Return what a task gets when it first reads a value: no change that it makes in place is seen elsewhere.

    - Immutable values as they are; dicts, lists, sets, dataclass instances and what is in them are copied.
    - pandas objects as copy-on-write shallow copies, polars ones as clones, Arrow ones as they are.
    - numpy arrays are copied up to 1 MB (`numpy_arrays.COPIED_BYTES`) and are read-only views above.
    - Anything else by `copy.deepcopy`. What refuses that is shared: locks, open files, sockets, connections, queues,
      generators, and an object that holds one of these. Modules, functions and classes are shared as well.

    One thing gets past this: writing through pandas' `.array`, which pandas' own copy-on-write doesn't cover either.
    """
    if type(value) in ATOMS:
        return value
    return _Copies().run(value)


class _Copies:
    """One walk; see `Isolation`. Containers of `SHALLOW`, by far the most frequent, take the shortest way."""

    __slots__ = ("_later", "_unfilled", "memo")

    def __init__(self) -> None:
        self.memo: dict[int, Any] = {}
        self._unfilled: list[Any] = []
        self._later: list[tuple[Callable[[Any, Isolation], None], Any]] = []

    def __call__(self, value: Any) -> Any:
        kind = type(value)
        if kind in ATOMS:
            return value
        known = self.memo.get(id(value))
        if known is not None:
            return known
        if kind in SHALLOW:
            copy = self.memo[id(value)] = value.copy()
            self._unfilled.append(copy)
            return copy
        return self.memo.setdefault(id(value), self._copy(value, adapter_of(kind)))

    def later(self, fill: Callable[[Any, Isolation], None], copy: Any) -> None:
        self._later.append((fill, copy))

    def _copy(self, value: Any, adapter: Adapter) -> Any:
        done = len(self.memo)
        try:
            return adapter.isolate(value, self)
        except Exception:  # noqa: BLE001 - whatever keeps a user's object from being copied: it is shared, as documented
            while len(self.memo) > done:  # half-made copies of what it holds must not stand for the originals
                self.memo.popitem()
            return value

    def run(self, value: Any) -> Any:
        result = self(value)
        while self._unfilled or self._later:
            while self._unfilled:
                self._fill(self._unfilled.pop())
            if self._later:
                fill, copy = self._later.pop()
                fill(copy, self)
        return result

    def _fill(self, copy: Any) -> None:
        """Copy what a shallow copy holds; at the speed of C where all of it is of one type, as the rows of a table."""
        items: Iterable[Any] = copy.values() if isinstance(copy, dict) else copy
        kinds = set(map(type, items))
        if ATOMS.issuperset(kinds):
            return
        if len(kinds) == 1 and type(copy) in _PLAIN and kinds <= _PLAIN and self._fill_alike(copy, kinds.pop()):
            return
        for place, item in SHALLOW[type(copy)](copy):
            if type(item) not in ATOMS:
                copy[place] = self(item)

    def _fill_alike(self, copy: Any, kind: type[Any]) -> bool:
        """Copy lists or dicts that a list or dict holds; False if one of them is there twice, or was met before."""
        items = list(copy.values() if type(copy) is dict else copy)
        found = set(map(id, items))
        if len(found) < len(items) or not found.isdisjoint(self.memo.keys()):
            return False
        copies = list(map(kind.copy, items))
        if type(copy) is dict:
            copy.update(zip(copy, copies, strict=True))
        else:
            copy[:] = copies
        within = chain.from_iterable(map(dict.values, items) if kind is dict else items)
        is_filled = ATOMS.issuperset(map(type, within))
        if self._unfilled or self._later or not is_filled:  # else nothing is left that could hold one of them as well
            self.memo.update(zip(map(id, items), copies, strict=True))
        if not is_filled:
            self._unfilled += copies
        return True

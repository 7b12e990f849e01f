"""A cached function of the notebook as background runs have it: what it has computed stays from one run to the next."""

from collections.abc import Mapping
from functools import lru_cache, partial, update_wrapper
from types import FunctionType
from typing import Any

__all__ = ["CachedCopy"]


class CachedCopy:
    """A copy with a cache of its own, which later runs call as well: each has another copy of the function inside.

    Args:
        original: the notebook's, made by `functools.lru_cache` or `cache`.
        sees: by name what it takes from the notebook, and what the functions that it calls do.

    Attributes:
        function: stands for the original in a run.
    """

    def __init__(self, original: Any, sees: Mapping[str, Any]) -> None:
        self._original = original
        self._sees = sees
        # What is inside can be exchanged, and adds no frame: a recursion goes as deep as in the notebook.
        self._inside: partial[Any] = partial(original.__wrapped__)
        self.function: Any = lru_cache(**original.cache_parameters())(self._inside)

    def is_of(self, original: Any, sees: Mapping[str, Any]) -> bool:
        """Say whether this was made of the same function, which takes the same values from the notebook still."""
        return (
            original is self._original
            and sees.keys() == self._sees.keys()
            and all(value is self._sees[name] for name, value in sees.items())
        )

    def use(self, inside: FunctionType, attributes: Mapping[str, Any]) -> None:
        """Call this function from now on, where a result isn't known yet.

        Args:
            inside: a copy of the one that the original wraps.
            attributes: that somebody has given to the original.
        """
        self._inside.__setstate__((inside, (), {}, {}))  # type: ignore[attr-defined]  # as pickle and copy do
        update_wrapper(self.function, inside)
        vars(self.function).update({name: one for name, one in attributes.items() if name != "__wrapped__"})

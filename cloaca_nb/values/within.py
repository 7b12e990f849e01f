"""Whether a value lies in others: in a container, as an attribute, or in what a function took along."""

import gc
from collections.abc import Iterable
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any, Final

from cloaca_nb.values import numpy_arrays
from cloaca_nb.values.plain import ATOMS
from cloaca_nb.values.registry import adapter_of

__all__ = ["is_within"]

_MOST: Final = 10_000  # objects that are looked at
_HOLD_NOTHING: Final = ATOMS - {frozenset, slice, FunctionType, BuiltinFunctionType}


def is_within(value: Any, others: Iterable[Any]) -> bool:
    """Return whether a value is one of others, or lies in one, however it is held there.

    As an item or a key, as an attribute with a name or in a slot, in a `functools.partial`, as the object of a bound
    method, in the closure or the defaults of a function, as what a numpy array is a view of, in an array or a frame of
    objects. Nothing of the user's is called for that: what an object holds is asked of Python's garbage collector.

    True as well where that would take too long to know: what may have been passed on is not called lost.
    """
    waiting, seen = list(others), set[int]()
    while waiting:
        if len(seen) >= _MOST:
            return True
        one = waiting.pop()
        if one is value:
            return True
        if id(one) in seen or issubclass(type(one), type | ModuleType) or type(one) in _HOLD_NOTHING:
            continue
        seen.add(id(one))
        waiting += [held for held in _held(one) if type(held) not in _HOLD_NOTHING or held is value]
    return False


def _held(one: Any) -> Iterable[Any]:
    if type(one) is FunctionType:  # not its module, in which everything lies
        return one.__defaults__, one.__kwdefaults__, one.__closure__, one.__dict__
    if adapter_of(type(one)) is numpy_arrays:
        return numpy_arrays.held(one)
    return gc.get_referents(one)

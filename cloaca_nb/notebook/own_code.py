"""The notebook's own functions: which of them a value holds, and which a task comes to call."""

import inspect
from collections.abc import Iterator, Mapping
from functools import lru_cache, partial
from types import CodeType, FunctionType, MethodType
from typing import Any, Final

from cloaca_nb.declare.code_reads import code_reads
from cloaca_nb.declare.held import closure

__all__ = ["CACHED", "MODULE", "OwnCode", "held_functions", "live_functions"]

MODULE: Final = "__main__"  # where classes of a notebook say that they are from
CACHED: Final = type(lru_cache(len))
FEW: Final = 100  # items of a list or dict up to which it may be one of functions


def held_functions(value: Any, names: Mapping[str, Any]) -> Iterator[FunctionType]:
    """Yield the functions of the notebook that a value is, wraps, or has as methods, as far as it shows them.

    Args:
        value: anything: a function, a class or an instance of one, what a decorator has made of them.
        names: the notebook's own names, which its functions have as their globals.
    """
    waiting, seen = [value], {id(None)}
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, FunctionType) and one.__globals__ is names:
            yield one
        waiting += _parts(one)


def live_functions(value: Any, names: Mapping[str, Any]) -> Iterator[FunctionType]:
    """Yield those that a copy of functions doesn't reach: they are in a class, an object, a list or a dict.

    Args:
        value: as for `held_functions`; or a list or dict of such, unless it is so long that it will hold data.
        names: the notebook's own names.
    """
    waiting, seen = [value], set()
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, FunctionType) or type(one) in (partial, CACHED):
            waiting += _parts(one)
        else:
            for part in _items(one):
                yield from held_functions(part, names)


def _items(value: Any) -> list[Any]:
    if type(value) not in (dict, list, tuple):
        return [value]
    return list(value.values() if type(value) is dict else value) if len(value) <= FEW else []


def _parts(value: Any) -> Iterator[Any]:
    if isinstance(value, FunctionType):  # by far the most frequent: thousands of tasks are
        return _parts_of_function(value)
    return _parts_of_object(value)


def _parts_of_function(function: FunctionType) -> Iterator[Any]:
    if function.__closure__:
        yield from closure(function).values()
    yield function.__dict__.get("__wrapped__")
    yield from function.__defaults__ or ()
    yield from (function.__kwdefaults__ or {}).values()


def _parts_of_object(value: Any) -> Iterator[Any]:
    match value:
        case MethodType() | staticmethod() | classmethod():
            yield value.__func__
        case partial():
            yield from (value.func, *value.args, *value.keywords.values())
        case property():
            yield from (value.fget, value.fset, value.fdel)
        case type():
            yield from vars(value).values() if value.__module__ == MODULE else ()
            return
    if type(value).__module__ == MODULE:
        yield type(value)
    if callable(value):
        yield inspect.getattr_static(value, "__wrapped__", None)  # some objects answer for every name


class OwnCode:
    """What the notebook's functions call of each other, as far as names tell.

    Args:
        names: the notebook's own names.
        wanted: other names that are of interest.
    """

    def __init__(self, names: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
        self._names = names
        self._held = {name: found for name, one in names.items() if (found := tuple(held_functions(one, names)))}
        self._known = {*self._held, *wanted}
        self._taken_by: dict[int, tuple[str, ...]] = {}  # by the id of a code, which its function keeps

    def reached(self, *functions: Any) -> Iterator[tuple[FunctionType, tuple[str, ...]]]:
        """Yield each of the notebook's functions that is called when some are, these included, with what it takes.

        That is: of the names that are of interest, those that it takes from the notebook.
        """
        waiting, seen = [one for function in functions for one in held_functions(function, self._names)], set()
        while waiting:
            one = waiting.pop()
            if id(one) in seen:
                continue
            seen.add(id(one))
            code = one.__code__
            taken = self._taken_by.get(id(code))
            if taken is None:
                taken = self._taken_by[id(code)] = self._taken(code)
            yield one, taken
            for name in taken:
                waiting += self._held.get(name, ())

    def _taken(self, code: CodeType) -> tuple[str, ...]:
        if not self._mentions(code):  # as nearly all: nobody needs to look at their instructions
            return ()
        return tuple(dict.fromkeys(chain[0] for chain in code_reads(code).chains if chain[0] in self._known))

    def _mentions(self, code: CodeType) -> bool:
        inner = (one for one in code.co_consts if isinstance(one, CodeType))
        return not self._known.isdisjoint(code.co_names) or any(map(self._mentions, inner))

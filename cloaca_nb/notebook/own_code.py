"""The notebook's own functions: which of them a value holds, and which a task comes to call."""

import inspect
from collections.abc import Iterator, Mapping
from functools import partial
from types import CodeType, FunctionType, MethodType
from typing import Any, Final

from cloaca_nb.declare.code_reads import code_reads
from cloaca_nb.declare.held import closure

__all__ = ["OwnCode", "held_functions"]

MODULE: Final = "__main__"  # where classes of a notebook say that they are from


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


def _parts(value: Any) -> Iterator[Any]:
    match value:
        case FunctionType():  # by far the most frequent: thousands of tasks are
            if value.__closure__:
                yield from closure(value).values()
            yield value.__dict__.get("__wrapped__")
            return
        case MethodType() | staticmethod() | classmethod():
            yield value.__func__
        case partial():
            yield value.func
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

    def reached(self, function: Any) -> Iterator[tuple[FunctionType, tuple[str, ...]]]:
        """Yield each of the notebook's functions that is called when one is, itself included, with what it takes.

        That is: of the names that are of interest, those that it takes from the notebook.
        """
        waiting, seen = list(held_functions(function, self._names)), set()
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

"""What reading fills: which differences between an object and its copy say only that somebody has asked for something.

A memo can't be told from a change for certain: what is left out here is left out by evidence, each kind of which says
what it takes for a change all the same. Where nothing speaks for a memo, it counts as a change: a warning that was
needless costs a look at one line, a change that no other task sees costs a wrong result which nobody looks for.
"""

import builtins
import dis
import inspect
import re
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterator
from functools import cached_property, lru_cache
from itertools import chain
from types import BuiltinFunctionType, CodeType, FunctionType, MethodDescriptorType
from typing import Any, Final

__all__ = ["asked_for", "without_memos"]

_CALLED_SO: Final = re.compile(
    "cache|^_.*(memo(?!r)|lazy|lazily)", re.IGNORECASE
)  # a memory is none, nor a memo's text
_FUNCTIONS: Final = (FunctionType, BuiltinFunctionType, MethodDescriptorType, classmethod, staticmethod)
_OF_ITS_LIFE: Final = frozenset({"__init__", "__new__", "__post_init__", "__attrs_post_init__", "__setstate__"})
_PUTTING: Final = frozenset({"__setitem__", "setdefault", "update"})
_CONSTANTS: Final = frozenset({"LOAD_CONST", "LOAD_SMALL_INT"})
_EMPTY: Final = (bool, int, float, complex, str, bytes, list, tuple, dict, set, frozenset)
_MAKERS: Final = frozenset({*_EMPTY, Counter, OrderedDict, defaultdict, deque})


def without_memos(kind: type, mine: dict[Any, Any], theirs: dict[Any, Any]) -> tuple[dict[Any, Any], dict[Any, Any]]:
    """Return the attributes of an object and of its copy without what comes of reading.

    - What is kept under a name that says so: with "cache" in it, or a private one with "memo" or "lazy".
    - What stands in the place of a descriptor that only gives: `functools.cached_property`, or a `reify`.
    - A private attribute that wasn't there or was None. So a `fit` that fills nothing else isn't found.
    - A private dict that has only grown, where each method that puts something into it gives back what it has worked
      out. So a method that hands out a new number for a name isn't found; one that gives back nothing, True, its object
      or what it was given is a command, and what it puts there is a change.

    Args:
        kind: of the object.
        mine: the attributes of the original.
        theirs: those of the copy.
    """
    if mine.keys() == theirs.keys():  # as nearly always: then what is shared is no matter
        theirs = {name: value for name, value in theirs.items() if value is not mine[name]}
        mine = {name: mine[name] for name in theirs}
        if not theirs:
            return mine, theirs
    left_out = {name for name in mine.keys() | theirs.keys() if _CALLED_SO.search(str(name))}
    left_out |= _given(kind) & (mine.keys() ^ theirs.keys())
    left_out |= {name for name in theirs if str(name).startswith("_") and mine.get(name) is None}
    kept = {name: value for name, value in theirs.items() if name not in left_out}
    for name, value in kept.items():
        if str(name).startswith("_") and _has_grown(mine.get(name), value) and _is_memo(kind, str(name)):
            kept[name] = {key: value[key] for key in mine[name]}
    return {name: value for name, value in mine.items() if name not in left_out}, kept


def asked_for(before: "defaultdict[Any, Any]", now: "defaultdict[Any, Any]") -> dict[Any, Any] | None:
    """Return the copy of a defaultdict without the keys that somebody has only asked for; None if others were added.

    A key that was only asked for holds what the default is: another task that asks for it gets the same.
    """
    kept = dict(now)
    added = [kept.pop(key) for key in kept.keys() - before.keys()]
    return kept if all(_is_default(value, now.default_factory) for value in added) else None


def _has_grown(before: Any, now: Any) -> bool:
    return type(before) is type(now) is dict and len(now) > len(before) and now.keys() >= before.keys()


# -- attributes


def _find_given(kind: type) -> frozenset[str]:
    return frozenset(name for base in kind.__mro__ for name, one in list(vars(base).items()) if _only_gives(one))


def _only_gives(member: Any) -> bool:
    """Whether a member of a class works out what it gives, and lets an attribute of its name stand for it later."""
    own = type(member)
    return hasattr(own, "__get__") and not hasattr(own, "__set__") and not isinstance(member, _FUNCTIONS)


def _find_whether_memo(kind: type, name: str) -> bool:
    codes = [code for code in _methods(kind) if name in code.co_names]
    return any(map(_answers, codes)) and all(_answers(code) or not _puts(code) for code in codes)


# Remembered, but not all: re-running a cell makes its classes anew, and the old ones must not be kept alive for ever.
_given: Final[Callable[[type], frozenset[str]]] = lru_cache(512)(_find_given)
_is_memo: Final[Callable[[type, str], bool]] = lru_cache(512)(_find_whether_memo)


def _methods(kind: type) -> Iterator[CodeType]:
    """Yield the code of a type's methods and properties, but for those that begin its life."""
    members = (one for base in kind.__mro__ for one in list(vars(base).items()) if one[0] not in _OF_ITS_LIFE)
    for part in chain.from_iterable(_parts(member) for _, member in members):
        function = inspect.unwrap(part) if isinstance(part, FunctionType) else None
        if isinstance(function, FunctionType):
            yield function.__code__


def _parts(member: Any) -> tuple[Any, ...]:
    match member:
        case property():
            return member.fget, member.fset, member.fdel
        case classmethod() | staticmethod():
            return (member.__func__,)
        case cached_property():
            return (member.func,)
        case _:
            return (member,)


def _puts(code: CodeType) -> bool:
    return not _PUTTING.isdisjoint(code.co_names) or any(
        one.opname == "STORE_SUBSCR" for one in dis.get_instructions(code)
    )


def _answers(code: CodeType) -> bool:
    """Whether a method gives back what it has worked out: no constant, and nothing that it was given."""
    if code.co_flags & (inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR):
        return True
    given = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    before = None
    for one in dis.get_instructions(code):
        if one.opname == "RETURN_VALUE" and before is not None:
            is_given = before.opname.startswith("LOAD_FAST") and before.argval in given
            if not is_given and before.opname not in _CONSTANTS:
                return True
        before = one
    return False


# -- defaults


def _is_default(value: Any, factory: Any) -> bool:
    if isinstance(value, defaultdict):  # a default that was itself asked for something
        return all(_is_default(one, value.default_factory) for one in value.values())
    if factory in _MAKERS:
        return type(value) is factory and not value
    if type(value) in _EMPTY and not value:
        return True
    return _is_plain(factory) and type(made := factory()) is type(value) and made == value


def _is_plain(factory: Any) -> bool:
    """Whether a function may be called once more: it names nothing but types of values, and so changes nothing."""
    if type(factory) is not FunctionType or factory.__code__.co_freevars:
        return False
    known = {**vars(builtins), **factory.__globals__}
    return all(known.get(name) in _MAKERS for name in factory.__code__.co_names)

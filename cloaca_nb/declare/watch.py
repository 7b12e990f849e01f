"""What a digest was made from, by identity: while all of it is the same, the digest needn't be made again.

A watch exists only where everything looked at is frozen (numbers, texts, tuples of such) or is code, whose own state is
looked at in turn. It holds frozen values as they are and code by weak references, so it keeps no function alive.
"""

import builtins
import datetime as dt
import decimal
import fractions
import pathlib
import types
import uuid
from collections.abc import Iterable
from typing import Any, Final
from weakref import ref

__all__ = ["MISSING", "Watch", "is_frozen", "watch_class", "watch_function", "watch_name"]

MISSING: Final = type("Missing", (), {})()  # stands where there is nothing

_FROZEN: Final = frozenset(
    {type(None), bool, int, float, complex, str, bytes, range, type(...), type(NotImplemented), type(MISSING)}
    | {dt.date, dt.timedelta, decimal.Decimal, fractions.Fraction, uuid.UUID}
    | {pathlib.PosixPath, pathlib.WindowsPath, pathlib.PurePosixPath, pathlib.PureWindowsPath}
)
_DESCRIPTORS: Final = (types.GetSetDescriptorType, types.MemberDescriptorType)
_UNREAD: Final = frozenset({"__dict__", "__weakref__", "__doc__", "_abc_impl"})


class _Changeable(Exception):  # noqa: N818 - no error: an answer
    """Something was met that may change in place, or that nothing is known of."""


class Watch:
    """What was looked at, and whether all of it is still the same."""

    __slots__ = ("_states",)

    def __init__(self, states: Iterable["_Function | _Class | _Name"]) -> None:
        self._states = tuple(states)

    def holds(self) -> bool:
        """Say whether everything is as it was."""
        for state in self._states:  # noqa: SIM110 - all() doubles what a task costs whose code didn't change
            if not state.holds():
                return False
        return True

    def and_also(self, other: "Watch") -> "Watch":
        """Return a watch of both."""
        return Watch((*self._states, *other._states))  # noqa: SLF001 - another watch


def is_frozen(value: Any) -> bool:
    """Say whether a value, and all that it holds, can't be changed in place."""
    kind = type(value)
    return kind in _FROZEN or (kind in (tuple, frozenset) and all(map(is_frozen, value)))


def watch_function(function: types.FunctionType) -> Watch | None:
    """Watch a function, and the functions among its defaults and in its closure; None if any of that may change."""
    states: dict[int, _Function | _Class | _Name] = {}
    try:
        _token(function, states)
    except _Changeable:
        return None
    return Watch(states.values())


def watch_class(kind: type) -> Watch | None:
    """Watch a class and its own attributes; its bases count by identity. None if any of that may change in place."""
    states: dict[int, _Function | _Class | _Name] = {}
    try:
        states[id(kind)] = _Class(kind, states)
    except _Changeable:
        return None
    return Watch(states.values())


def watch_name(owner: types.FunctionType, chain: tuple[str, ...], values: tuple[Any, ...]) -> Watch | None:
    """Watch what a name, and the attributes asked of it, stand for.

    Args:
        owner: a function in whose module the name is looked up.
        chain: the name and as many attributes as were followed.
        values: what was found for each of them; one `MISSING` if the name isn't defined.
    """
    states: dict[int, _Function | _Class | _Name] = {}
    try:
        name = _Name(owner, chain, tuple(_token(value, states) for value in values))
    except _Changeable:
        return None
    return Watch((name, *states.values()))


class _Function:
    """The state of a function. An attribute for each thing, since this is asked for every task of every run."""

    __slots__ = ("_attributes", "_closure", "_code", "_defaults", "_function", "_keywords")

    def __init__(self, function: types.FunctionType, states: dict[int, Any]) -> None:
        states[id(function)] = self
        self._function = ref(function)
        self._code = function.__code__
        self._defaults = _tokens(function.__defaults__, states)
        self._keywords = _tokens(_items(function.__kwdefaults__), states)
        self._closure = _tokens(_contents(function), states)
        self._attributes = _tokens(_attributes(function), states)

    def holds(self) -> bool:
        function = self._function()
        return (
            function is not None
            and function.__code__ is self._code
            and (function.__defaults__ is self._defaults or _same_all(self._defaults, function.__defaults__))
            and _same_all(self._keywords, _items(function.__kwdefaults__))
            and (self._closure is None or _same_all(self._closure, _contents(function)))
            and (
                (self._attributes is None and not function.__dict__)
                or _same_all(self._attributes, _attributes(function))
            )
        )


class _Class:
    """The state of a class: its bases and its own attributes."""

    __slots__ = ("_bases", "_kind", "_members", "_names")

    def __init__(self, kind: type, states: dict[int, Any]) -> None:
        self._kind = ref(kind)
        self._names = (kind.__module__, kind.__qualname__)
        self._bases = tuple(ref(base) for base in (type(kind), *kind.__bases__))
        self._members = {name: _member_token(name, one, states) for name, one in list(vars(kind).items())}

    def holds(self) -> bool:
        kind = self._kind()
        if kind is None or (kind.__module__, kind.__qualname__) != self._names or len(vars(kind)) != len(self._members):
            return False
        found = vars(kind)
        return _same_all(self._bases, (type(kind), *kind.__bases__)) and all(
            _same_member(name, token, found.get(name, MISSING)) for name, token in self._members.items()
        )


class _Name:
    """What a name of a module stands for."""

    __slots__ = ("_builtin", "_chain", "_owner", "_tokens")

    def __init__(self, owner: types.FunctionType, chain: tuple[str, ...], tokens: tuple[Any, ...]) -> None:
        self._owner = ref(owner)
        self._chain = chain
        self._tokens = tokens
        self._builtin = vars(builtins).get(chain[0], MISSING) if tokens[0] is MISSING else MISSING

    def holds(self) -> bool:
        owner = self._owner()
        if owner is None:
            return False
        value = owner.__globals__.get(self._chain[0], MISSING)
        if value is MISSING and vars(builtins).get(self._chain[0], MISSING) is not self._builtin:
            return False
        if not _same(self._tokens[0], value):
            return False
        for name, token in zip(self._chain[1:], self._tokens[1:], strict=True):
            value = getattr(value, name, MISSING)
            if not _same(token, value):
                return False
        return True


class _Descriptor:
    """A descriptor of a class around functions: what it holds, by token."""

    __slots__ = ("kind", "tokens")

    def __init__(self, value: Any, states: dict[int, Any]) -> None:
        self.kind = type(value)
        self.tokens = tuple(_token(one, states) for one in _inner(value))


def _token(value: Any, states: dict[int, Any]) -> Any:
    """Return what stands for a value: itself if it is frozen, a weak reference if it is code."""
    if is_frozen(value):
        return value
    if isinstance(value, types.FunctionType):
        if id(value) not in states:
            _Function(value, states)
        return ref(value)
    if isinstance(value, type | types.ModuleType):
        return ref(value)
    if isinstance(value, types.BuiltinFunctionType) and isinstance(value.__self__, types.ModuleType | None):
        return ref(value)
    raise _Changeable


def _tokens(values: Iterable[Any] | None, states: dict[int, Any]) -> tuple[Any, ...] | None:
    return None if values is None else tuple(_token(value, states) for value in values)


def _same(token: Any, value: Any) -> bool:
    return value is token() is not None if type(token) is ref else value is token


def _same_all(tokens: tuple[Any, ...] | None, values: tuple[Any, ...] | None) -> bool:
    if tokens is None or values is None:
        return tokens is values
    return len(tokens) == len(values) and all(map(_same, tokens, values))


def _items(keywords: dict[str, Any] | None) -> tuple[Any, ...] | None:
    return None if keywords is None else (*keywords, *keywords.values())


def _contents(function: types.FunctionType) -> tuple[Any, ...] | None:
    if function.__closure__ is None:
        return None
    return tuple(_content(cell) for cell in function.__closure__)


def _content(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not bound yet
        return MISSING


def _attributes(function: types.FunctionType) -> tuple[Any, ...] | None:
    """Return the attributes of a function that a digest looks at: what it wraps, and what it dispatches to."""
    found = function.__dict__
    if "__wrapped__" not in found and "registry" not in found:
        return None
    return found.get("__wrapped__", MISSING), found.get("registry", MISSING)


def _inner(value: Any) -> tuple[Any, ...]:
    if isinstance(value, property):
        return value.fget, value.fset, value.fdel
    return (value.__func__,)


def _member_token(name: str, value: Any, states: dict[int, Any]) -> Any:
    if name in _UNREAD or isinstance(value, _DESCRIPTORS):
        return type(value)
    if type(value) in (property, staticmethod, classmethod):
        return _Descriptor(value, states)
    return _token(value, states)


def _same_member(name: str, token: Any, value: Any) -> bool:
    if name in _UNREAD or isinstance(value, _DESCRIPTORS):
        return type(value) is token
    if isinstance(token, _Descriptor):
        return type(value) is token.kind and _same_all(token.tokens, _inner(value))
    return _same(token, value)

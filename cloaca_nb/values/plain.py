"""Values of the standard library: JSON's types, numbers, times, paths, containers, enum members and records."""

import dataclasses
import json
import struct
import types
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable
from copy import copy as shallow_copy
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from itertools import chain
from pathlib import PosixPath, PurePosixPath, PureWindowsPath, WindowsPath
from reprlib import Repr
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from cloaca_nb.values.adapter import Digest, Either, Isolation
from cloaca_nb.values.telling import JOINED, TELLING, exact, exact_text

__all__ = [
    "ATOMS",
    "EXACT_LEAVES",
    "LEAVES",
    "SHALLOW",
    "TYPES",
    "beside_fields",
    "equal",
    "fields",
    "isolate",
    "parts",
    "preview",
]

_DICTS: Final = (dict, OrderedDict, defaultdict, Counter)
_SEQUENCES: Final = (list, tuple, deque)
_SETS: Final = (set, frozenset)
_SIZED: Final = frozenset({*_DICTS, *_SEQUENCES, *_SETS})
_TIMES: Final = (datetime, time)
_PATHS: Final = (PosixPath, PurePosixPath, PureWindowsPath, WindowsPath)


def _number(value: float) -> bytes:
    return repr(value + 0.0).encode()  # -0.0 becomes 0.0; every NaN is written "nan"


def _whole(value: int) -> bytes:
    return b"%x" % value  # not decimal: Python refuses that above 4,300 digits


def _complex(value: complex) -> bytes:
    return _number(value.real) + b" " + _number(value.imag)


def _written(value: object) -> bytes:
    return str(value).encode(errors="surrogatepass")


# How a value that holds no other is written: two of one type are equal exactly if that is.
_SCALARS: Final[dict[type, Callable[[Any], bytes]]] = {
    types.NoneType: lambda _: b"",
    bool: lambda value: b"1" if value else b"0",
    int: _whole,
    float: _number,
    complex: _complex,
    str: lambda value: value.encode(errors="surrogatepass"),
    bytes: lambda value: value,
    bytearray: bytes,
    date: _written,
    timedelta: _written,
    Decimal: _written,
    Fraction: _written,
    UUID: _written,
    ZoneInfo: _written,  # its key
    range: _written,
    types.EllipsisType: lambda _: b"",
    types.NotImplementedType: lambda _: b"",
    **dict.fromkeys(_PATHS, _written),
}

TYPES: Final = frozenset({*_SCALARS, *_DICTS, *_SEQUENCES, *_SETS, *_TIMES, timezone, slice, types.SimpleNamespace})

# The types whose values are shared as they are: immutable, or code.
ATOMS: Final = frozenset(
    {*_SCALARS, *_TIMES, timezone, frozenset, slice}
    | {type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType}
) - {bytearray}


def isolate(value: Any, copies: Isolation) -> Any:
    """Copy what isn't one of `SHALLOW`: a record or a tuple that holds something that could be changed."""
    if type(value) in ATOMS or isinstance(value, Enum):
        return value
    if isinstance(value, tuple):
        return _isolate_tuple(value, copies)
    copy = shallow_copy(value)
    copies.later(_fill_fields, copy)
    return copy


def equal(a: Any, b: Any) -> bool | None:
    """Compare leaves, and leave containers to their parts unless their lengths differ."""
    kind = type(a)
    if kind in _SIZED and len(a) != len(b):
        return False
    leaf = LEAVES.get(kind)
    text = leaf(a) if leaf else None
    return None if leaf is None or text is None else text == leaf(b)


def parts(value: Any, digest: Digest) -> Iterable[Any]:
    """Take a container or a record apart."""
    kind = type(value)
    if kind in _SETS:
        return sorted(digest(item) for item in value.copy())
    return _PARTS.get(kind, _parts_of_record)(value)


def preview(value: Any) -> str:
    """Show JSON values as compact JSON, others by their repr; long ones in part."""
    if type(value) is int:
        return repr(value)  # as JSON has it, at a tenth of its cost
    if type(value) in _JSON_TYPES:
        return _compact(_shortened(value, _SHOWN_DEPTH))
    return _brief(value)


def _isolate_tuple(value: Any, copies: Isolation) -> Any:
    items = [copies(item) for item in value]
    unchanged = all(new is old for new, old in zip(items, value, strict=True))
    return value if unchanged else tuple.__new__(type(value), items)


def _fill_fields(copy: Any, copies: Isolation) -> None:
    """Fill a namespace or a dataclass instance, which may be frozen or have slots."""
    attributes = getattr(copy, "__dict__", {})
    attributes.update({name: copies(value) for name, value in attributes.items()})
    kind = type(copy)
    for name in getattr(kind, "__dataclass_fields__", ()):
        if isinstance(getattr(kind, name, None), types.MemberDescriptorType) and hasattr(copy, name):
            object.__setattr__(copy, name, copies(getattr(copy, name)))


def fields(value: Any) -> dict[str, Any]:
    """Return what a namespace or a dataclass instance holds, by name."""
    named = (name for name in getattr(type(value), "__dataclass_fields__", ()) if hasattr(value, name))
    return {**{name: getattr(value, name) for name in named}, **getattr(value, "__dict__", {})}


def _nothing(_copy: Any) -> Iterable[Any]:
    return ()


# The containers that are copied at once, without what they hold, and filled later: the places that may need it.
# What a set holds is hashable, so it stands for the same value as long as it lives.
SHALLOW: Final[dict[type, Callable[[Any], Iterable[tuple[Any, Any]]]]] = {
    **dict.fromkeys(_DICTS, dict.items),
    **dict.fromkeys((list, deque), enumerate),
    **dict.fromkeys((set, bytearray), _nothing),
}


def _flat_text(value: Any) -> bytes | None:
    """Return the text of a container of nothing but telling leaves, else None."""
    items = chain(value, value.values()) if type(value) is dict else value
    return _text(value) if TELLING.issuperset(map(type, items)) else None


def _text(value: Any) -> bytes | None:
    try:
        text = ascii(value)
        return (ascii(_without_negative_zeros(value)) if "-0.0" in text else text).encode()
    except ValueError:  # a whole number of more than 4,300 digits
        return None


def _without_negative_zeros(value: Any) -> Any:
    if type(value) is dict:
        return dict(zip(_without_negative_zeros(tuple(value)), _without_negative_zeros(value.values()), strict=True))
    items = (item + 0.0 if type(item) is float else item for item in value)
    return tuple(items) if type(value) is tuple else list(items)


def _listed(value: Iterable[Any]) -> Iterable[Any]:
    """Take a sequence apart: the text of all that tells, with ... in the places of the rest, and the rest."""
    items = list(value)
    outline = [item if type(item) in TELLING else ... for item in items]
    rest = [item for item in items if type(item) not in TELLING]
    return chain((Either(lambda: exact(outline), lambda: _text(outline) or _spelled(outline)),), rest)


def _spelled(outline: list[Any]) -> list[Any]:
    """Write whole numbers in another way, where one is too long to be written in decimals."""
    return [_whole(item) if type(item) is int else item for item in outline]


def _items(value: dict[Any, Any]) -> Iterable[Any]:
    return _listed(chain.from_iterable(list(value.items())))


def _time_parts(value: datetime | time) -> Iterable[Any]:
    return value.replace(tzinfo=None).isoformat(), value.fold, value.tzinfo


_PARTS: Final[dict[type, Callable[[Any], Iterable[Any]]]] = {
    **dict.fromkeys((dict, OrderedDict, Counter), _items),
    **dict.fromkeys((list, tuple), _listed),
    defaultdict: lambda value: chain((value.default_factory,), _items(value)),
    deque: lambda value: chain((value.maxlen,), _listed(value)),
    datetime: _time_parts,
    time: _time_parts,
    slice: lambda value: (value.start, value.stop, value.step),
    timezone: lambda value: (value.utcoffset(None), value.tzname(None)),
    types.SimpleNamespace: lambda value: _items(vars(value)),
}

# How a value is written that need not be taken apart; None: it must be after all.
LEAVES: Final[dict[type, Callable[[Any], bytes | None]]] = {
    **_SCALARS,
    **dict.fromkeys(JOINED, _flat_text),
}


_double: Final = struct.Struct("<d").pack
_two_doubles: Final = struct.Struct("<dd").pack

# The same for all that there is to a value: which zero it is, and which NaN.
EXACT_LEAVES: Final[dict[type, Callable[[Any], bytes | None]]] = {
    **LEAVES,
    **dict.fromkeys(JOINED, exact_text),
    float: _double,
    complex: lambda value: _two_doubles(value.real, value.imag),
}


def _parts_of_record(value: Any) -> Iterable[Any]:
    """Take apart an enum member, a named tuple or a dataclass instance."""
    if isinstance(value, Enum):
        return value.name, value.value
    if isinstance(value, tuple):
        return value
    names = [field.name for field in dataclasses.fields(value) if hasattr(value, field.name)]
    found = chain.from_iterable((name, getattr(value, name)) for name in names)
    more = beside_fields(value, names)
    if not more:
        return found
    first = next(found, None)  # whose place it takes: an instance without more has as many parts
    return chain((Either(lambda: (first, more), lambda: first),), found)


def beside_fields(value: Any, fields: Iterable[str]) -> dict[str, Any]:
    """Return the attributes of an instance that aren't among the fields of its class, as `__post_init__` may set."""
    state = object.__getstate__(value)
    named, slotted = state if type(state) is tuple else (state, None)
    return {name: held for name, held in {**(named or {}), **(slotted or {})}.items() if name not in set(fields)}


class _Brief(Repr):
    """A repr that looks at no more of a value than a preview can show."""

    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = self.maxlong = _SHOWN_CHARACTERS
        self.maxlist = self.maxtuple = self.maxset = self.maxfrozenset = self.maxdict = self.maxdeque = 30

    def __call__(self, value: Any) -> str:
        return self.repr(value)

    def repr_bytes(self, value: bytes, _level: int) -> str:
        return repr(value[:_SHOWN_CHARACTERS])

    repr_bytearray = repr_bytes

    def repr_instance(self, value: Any, level: int) -> str:
        shape = getattr(value, "shape", None)  # a frame's or an array's own repr is long and slow
        return f"<{type(value).__name__} {shape}>" if type(shape) is tuple else super().repr_instance(value, level)


_JSON_TYPES: Final = frozenset({types.NoneType, bool, int, float, str, list, dict})
_SHOWN_DEPTH: Final = 4
_SHOWN_ITEMS: Final = 60
_SHOWN_CHARACTERS: Final = 210
_brief: Final = _Brief()
_compact: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_brief).encode


def _shortened(value: Any, depth: int) -> Any:
    """Return enough of a JSON value for a preview."""
    kind = type(value)
    if kind is str:
        return value[:_SHOWN_CHARACTERS]
    if kind is list:
        return [_shortened(item, depth - 1) for item in value[:_SHOWN_ITEMS]] if depth else "…"
    if kind is dict:
        names = list(value)[:_SHOWN_ITEMS] if depth else ["…"]
        return {str(name)[:_SHOWN_CHARACTERS]: _shortened(value.get(name, "…"), depth - 1) for name in names}
    return value

"""Dataclass instances, named tuples and enum members by the names of their classes, which are looked up, never made.

A class of a notebook's own is the one that the session has under that name when the value is read: after its cell was
run again, in this kernel or the next, values that history kept are instances of the class as it is now. Where its
fields or members have changed, or it isn't there, `Missing` says so. A class that no name leads to (made in a
function) isn't taken apart here: pickle keeps it whole. Neither `__init__` nor `__post_init__` is called.
"""

import dataclasses
import importlib
import sys
from collections.abc import Callable
from enum import Enum, Flag
from functools import partial, reduce
from operator import or_
from typing import Any, Final

from cloaca_nb.values import plain
from cloaca_nb.values.registry import adapter_of

__all__ = ["Missing", "find_class", "readers", "take_apart"]


class Missing(LookupError):  # noqa: N818 - what is the matter with the session, not with the program
    """A class isn't there, or has other fields or members than it had; the message says what to do."""


_ENUM: Final = "enum"
_FLAGS: Final = "flags"
_RECORD: Final = "record"


def take_apart(value: Any) -> tuple[str, Any] | None:
    """Return tag and parts, or None for what is no such value."""
    kind = type(value)
    if adapter_of(kind) is not plain or not (isinstance(value, Enum) or _is_record(kind)):
        return None
    module, name = str(kind.__module__), kind.__qualname__
    now = _look_up(module, name)
    if not isinstance(now, type):
        return None
    if isinstance(value, Enum):
        known = getattr(now, "__members__", {}).get(str(value.name))
        return (_ENUM, [module, name, value.name, value.value]) if known is not None else _flags(value, module, name)
    fields = _fields(kind)
    if fields != _fields(now) or not all(hasattr(value, field) for field in fields):
        return None
    if not issubclass(kind, tuple) and plain.beside_fields(value, fields):
        return None
    return _RECORD, [module, name, [[field, getattr(value, field)] for field in fields]]


def readers(*, load: bool) -> dict[str, Callable[[Any], Any]]:
    """Return what makes values of the tags that `take_apart` gives."""
    makers = {_ENUM: _make_member, _FLAGS: _make_flags, _RECORD: _make_record}
    return {tag: partial(make, load=load) for tag, make in makers.items()}


def find_class(module: str, name: str, *, load: bool) -> type:
    """Return the class of a name in this session.

    Raises:
        Missing: if there is none; the message says what to do.
    """
    if load and module not in sys.modules:
        try:
            importlib.import_module(module)
        except ImportError as error:
            raise Missing(f"This value is a {module}.{name}, and {module} can't be imported: {error}.") from error
    found = _look_up(module, name)
    if isinstance(found, type):
        return found
    fix = "run the cell that defines it" if module == "__main__" else f"import {module}"
    raise Missing(f"This value is a {name}, a class that isn't there: {fix}, and read it again.")


def _flags(value: Enum, module: str, name: str) -> tuple[str, Any] | None:
    """Take apart several flags at once, or none; None for what holds a bit that no member has."""
    if not isinstance(value, Flag):
        return None
    members = [str(one.name) for one in value]
    return (_FLAGS, [module, name, members, value.value]) if sum(one.value for one in value) == value.value else None


def _make_flags(payload: list[Any], *, load: bool) -> Any:
    module, name, members, value = payload
    kind = find_class(module, name, load=load)
    known = getattr(kind, "__members__", {})
    found = reduce(or_, (known[one] for one in members), kind(0)) if known.keys() >= set(members) else None
    if found is None or found.value != value:
        raise Missing(f"{name} has no members {', '.join(members)} that make {value!r} any more; add them, read again.")
    return found


def _make_member(payload: list[Any], *, load: bool) -> Enum:
    module, name, member, value = payload
    kind = find_class(module, name, load=load)
    found: Any = getattr(kind, "__members__", {}).get(member)
    if found is None or found.value != value:
        raise Missing(f"{name} has no member {member!r} with the value {value!r} any more; add it and read again.")
    return found  # type: ignore[no-any-return]  # a member of an enum


def _make_record(payload: list[Any], *, load: bool) -> Any:
    module, name, items = payload
    kind, fields = find_class(module, name, load=load), [field for field, _ in items]
    if _fields(kind) != fields:
        raise Missing(
            f"{name} has changed: the value was kept with the fields {', '.join(fields)}, and the class now has "
            f"{', '.join(_fields(kind)) or 'none'}. Run the task again that makes it."
        )
    if issubclass(kind, tuple):
        return tuple.__new__(kind, [value for _, value in items])
    made = object.__new__(kind)
    for field, value in items:
        object.__setattr__(made, field, value)
    return made


def _look_up(module: str, name: str) -> Any:
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return found


def _is_record(kind: type) -> bool:
    return dataclasses.is_dataclass(kind) or hasattr(kind, "_fields")


def _fields(kind: type) -> list[str]:
    if issubclass(kind, tuple):
        return list(getattr(kind, "_fields", ()))
    return [field.name for field in dataclasses.fields(kind)] if dataclasses.is_dataclass(kind) else []

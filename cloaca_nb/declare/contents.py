"""What a value consists of, for who looks for code in it: attributes, items, and the parts of what wraps a function."""

import functools
import io
import sys
import types
from collections.abc import Callable, Iterable, Iterator
from dataclasses import Field
from typing import Any, Final

from cloaca_nb.core.live import Live
from cloaca_nb.declare.random_generators import is_random_generator

__all__ = [
    "DICTS",
    "LIVE",
    "PLAIN",
    "SEQUENCES",
    "SETS",
    "attributes_of",
    "code_in",
    "content_of",
    "inside",
    "parts_of",
    "stream_of",
]

_CODE: Final = (
    types.FunctionType,
    types.MethodType,
    types.ModuleType,
    types.BuiltinFunctionType,
    functools.partial,
    property,
    staticmethod,
    classmethod,
    functools.cached_property,
    Field,
)
# What stands behind them changes, whatever a pickle makes of them.
LIVE: Final = (
    Live,
    io.RawIOBase,
    io.TextIOWrapper,
    io.BufferedReader,
    io.BufferedWriter,
    io.BufferedRandom,
)
_STREAMS: Final = ("stdout", "stderr", "__stdout__", "__stderr__")
PLAIN: Final = frozenset({type(None), bool, int, float, complex, str, bytes})
SEQUENCES: Final = (list, tuple)
SETS: Final = (set, frozenset)
DICTS: Final = (dict, types.MappingProxyType)
_DATA: Final = frozenset({"numpy", "pandas", "polars", "pyarrow", "matplotlib"})  # digested by what they hold


def stream_of(value: Any) -> str:
    """Return which stream of the process a value is that tasks write to, and learn nothing from; empty: none."""
    names = _STREAMS if hasattr(type(value), "write") else ()
    return next((name.strip("_") for name in names if value is getattr(sys, name)), "")


def parts_of(value: Any) -> list[Any] | None:  # noqa: PLR0911 - one for each kind
    """Return what an object around a function consists of; None for any other object."""
    match value:
        case functools.partial():
            return [value.func, list(value.args), value.keywords]
        case types.MethodType():
            return [value.__func__, value.__self__]
        case property():
            return [value.fget, value.fset, value.fdel]
        case staticmethod() | classmethod():
            return [value.__func__]
        case functools.cached_property():
            return [value.func]
        case Field():
            return [value.name, value.type, value.default, value.default_factory, value.init, value.compare]
        case _:
            wrapped = vars(value).get("__wrapped__") if hasattr(value, "__dict__") else None
            return [wrapped] if callable(wrapped) else None  # of functools.cache


def code_in(value: Any, look: Callable[[], None]) -> Iterator[Any]:
    """Yield what of a value counts otherwise than as data: functions and the like, generators, its objects' classes.

    Args:
        value: any.
        look: called for each object; raises if they are too many.
    """
    waiting, seen = [value], set()
    while waiting:
        one = waiting.pop()
        kind = type(one)
        if kind in PLAIN or id(one) in seen:
            continue
        look()
        seen.add(id(one))
        is_seen_by_itself = isinstance(one, (*_CODE, *LIVE, type)) or stream_of(one) or is_random_generator(one)
        if is_seen_by_itself or parts_of(one) is not None:
            yield one
            continue
        if kind.__module__ != "builtins":
            yield kind
        waiting += inside(one)


def inside(value: Any) -> Iterable[Any]:
    """Return the items of a container, or the attributes of an object."""
    if isinstance(value, DICTS):
        return [*value.keys(), *value.values()]
    if isinstance(value, (*SEQUENCES, *SETS)):
        return value if not PLAIN.issuperset(map(type, value)) else ()
    return [one for _, one in attributes_of(value)]


def attributes_of(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield what an object of a user's class or of a library holds; the standard library's are digested whole."""
    library = str(type(value).__module__).partition(".")[0]
    is_whole = library in _DATA or library in sys.stdlib_module_names
    if is_whole and type(value) is not types.SimpleNamespace:
        return
    yield from list(getattr(value, "__dict__", {}).items())
    for kind in type(value).__mro__:
        for name, one in list(vars(kind).items()):
            if isinstance(one, types.MemberDescriptorType) and hasattr(value, name):
                yield name, getattr(value, name)


def content_of(cell: types.CellType) -> Any:
    """Return the value of an outer variable; None if it has none yet."""
    try:
        return cell.cell_contents
    except ValueError:  # not bound yet
        return None

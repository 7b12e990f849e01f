"""Values and functions as bytes, to be sent to another process; the functions of a notebook travel whole."""

import sys
from collections.abc import Callable, Iterator
from types import CellType, CodeType, FunctionType
from typing import Any, Final, NamedTuple

__all__ = ["LARGE", "Packed", "from_bytes", "large_globals", "pack", "to_bytes", "unpack"]

LARGE: Final = 10_000_000  # bytes of a global that are worth a warning when it travels with a function
NOTHING_YET: Final = CellType()  # an outer variable that has no value so far
_HERE: Final = "__main__"  # whose functions travel with what they use, because no other process can import them


class Packed(NamedTuple):
    """One value of a context on its way; made by `pack`."""

    key: str
    data: bytes  # empty if it can't travel
    obstacle: str = ""  # why it can't


def pack(key: str, value: Any) -> Packed:
    """Pack the value of a context's key; what can't travel says so where it is read."""
    try:
        return Packed(key, to_bytes(value))
    except Exception as error:  # noqa: BLE001 - a value's own code may raise anything
        kind = type(value).__name__
        return Packed(key, b"", f"Key {key!r} holds a {kind} that can't travel between processes ({error}).")


def unpack(packed: Packed) -> Any:
    """Return the value.

    Raises:
        TypeError: if it couldn't travel.
    """
    if packed.obstacle:
        raise TypeError(f"{packed.obstacle} Put a plain value in the context, or leave `executor` out.")
    return from_bytes(packed.data)


def to_bytes(value: Any) -> bytes:
    """Pickle a value or function with cloudpickle.

    A function of a module that no other process can import (a notebook that was loaded as one) travels whole.
    """
    import cloudpickle

    module = sys.modules.get(getattr(value, "__module__", None) or "")
    if module is not None and module.__name__ != _HERE and not _can_be_imported(module.__name__):
        cloudpickle.register_pickle_by_value(module)
    data: bytes = cloudpickle.dumps(value, protocol=5)
    return data


def from_bytes(data: bytes) -> Any:
    """Return what `to_bytes` was given, made anew."""
    import cloudpickle

    return cloudpickle.loads(data)


def _can_be_imported(name: str) -> bool:
    """Whether a fresh process would find the module that this one has under a name."""
    top = name.partition(".")[0]
    file = getattr(sys.modules.get(top), "__file__", None)
    specs = (finder.find_spec(top, None) for finder in sys.meta_path)
    return any(spec is not None and (file is None or spec.origin == file) for spec in specs)


def large_globals(function: Callable[..., Any]) -> Iterator[tuple[str, int]]:
    """Yield (name, bytes) of each large global or outer variable that travels with a function."""
    for name, value in _used(function, set()):
        size = len(pack(name, value).data)
        if size > LARGE:
            yield name, size


def _used(function: Any, seen: set[int]) -> Iterator[tuple[str, Any]]:
    """Yield what a function takes from outside, and the functions that travel with it do."""
    if not isinstance(function, FunctionType) or id(function) in seen:
        return
    seen.add(id(function))
    known = {**function.__globals__, **_outer_variables(function)}
    for name in _names(function.__code__):
        value = known.get(name)
        if isinstance(value, FunctionType) and value.__module__ == _HERE:
            yield from _used(value, seen)
        elif value is not None and id(value) not in seen:
            seen.add(id(value))
            yield name, value


def _outer_variables(function: FunctionType) -> dict[str, Any]:
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    return {name: cell.cell_contents for name, cell in cells if cell != NOTHING_YET}


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    yield from code.co_freevars
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)

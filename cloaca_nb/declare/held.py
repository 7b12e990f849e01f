"""What functions and classes hold besides their code, as far as somebody wrote it."""

import types
from collections.abc import Iterator
from typing import Any, Final

__all__ = ["attached", "closure", "members"]

_PRIVATE: Final = frozenset({"__module__", "__dict__", "__weakref__", "__doc__", "__qualname__", "_abc_impl"})
_TELLING: Final = frozenset({"__annotations__", "__slots__", "__dataclass_fields__", "__pydantic_fields__"})
_GENERATED: Final = frozenset({"_member_map_", "_value2member_map_", "_member_names_", "_unhashable_values_"})


def closure(function: types.FunctionType) -> dict[str, Any]:
    """Return what the closure of a function took along, by name."""
    found = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            found[name] = cell.cell_contents
        except ValueError:  # not bound yet
            continue
    return found


def attached(function: types.FunctionType) -> Iterator[Any]:
    """Yield what a function wraps, and what it dispatches to by the types of its arguments."""
    if (wrapped := getattr(function, "__wrapped__", None)) is not None:
        yield wrapped
    if isinstance(registry := getattr(function, "registry", None), types.MappingProxyType):
        yield {f"{kind.__module__}.{kind.__qualname__}": one for kind, one in list(registry.items())}


def members(kind: type) -> dict[str, Any]:
    """Return the attributes of a class that are part of what was written, sorted by name."""
    return {name: one for name, one in sorted(vars(kind).items()) if _counts(kind, name, one)}


def _counts(kind: type, name: str, member: Any) -> bool:
    """Say whether a member of a class is part of what was written, and not made from that."""
    if name in _PRIVATE or name in _GENERATED:
        return False
    if isinstance(member, types.FunctionType):
        made = "__dataclass_fields__" in vars(kind) and member.__code__.co_filename == "<string>"  # from its fields
        return not made
    if isinstance(member, types.GetSetDescriptorType | types.MemberDescriptorType):
        return False
    special = name.startswith("__") and name.endswith("__")
    return not special or name in _TELLING or callable(member) or isinstance(member, classmethod | staticmethod)

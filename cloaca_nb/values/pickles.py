"""Values that no other adapter knows: copied by `copy.deepcopy`, digested in the form that cloudpickle gives them."""

import re
from collections.abc import Iterable
from copy import deepcopy
from functools import cache
from io import BytesIO
from typing import Any, Final

from cloaca_nb.values.adapter import Digest, Isolation

__all__ = ["equal", "isolate", "outline", "parts", "preview", "without_addresses"]

_LIBRARIES: Final = frozenset({"numpy", "pandas", "polars", "pyarrow"})
_ADDRESS: Final = re.compile(r" at 0x[0-9a-fA-F]+")


def isolate(value: Any, copies: Isolation) -> Any:
    """Return a deep copy; where there is none, the walk shares the object itself."""
    _isolate_large_attributes(value, copies)
    return deepcopy(value, copies.memo)


def equal(a: Any, b: Any) -> bool:
    """Take nothing but True for a yes: an `__eq__` may return an array, a query or an error."""
    return (a == b) is True


def parts(value: Any, digest: Digest) -> Iterable[Any]:
    """Pickle; see `_canonical_pickler` for what is different."""
    file = BytesIO()
    _canonical_pickler()(file, value, digest).dump(value)
    yield file.getvalue()


def preview(value: Any) -> str:
    """Show the repr."""
    return repr(value)


def outline(value: Any) -> str:
    """Return the type and the repr without addresses, for a value about which no more can be said; never raises."""
    kind = f"{type(value).__module__}.{type(value).__qualname__}"
    try:
        return f"{kind} {without_addresses(repr(value))}"
    except Exception:  # noqa: BLE001 - a user's `__repr__` may raise anything
        return kind


def without_addresses(text: str) -> str:
    """Return a repr without what differs from process to process.

    >>> without_addresses("<Lock object at 0x7f2b749519464c0>")
    '<Lock object>'
    """
    return _ADDRESS.sub("", text)


def _isolate_large_attributes(value: Any, copies: Isolation) -> None:
    """Let `deepcopy` find frames and arrays among the copies: of its own it would copy every byte of them."""
    for attribute in getattr(value, "__dict__", {}).values():
        if _library(attribute) in _LIBRARIES:
            copies(attribute)


def _library(value: Any) -> str:
    return str(type(value).__module__).partition(".")[0]


@cache
def _canonical_pickler() -> Any:
    """Return a pickler whose bytes depend on nothing but the value.

    As cloudpickle's, but it names classes (cloudpickle gives those of a notebook a random id in each process), sorts
    sets, hands frames and arrays to their adapters, and doesn't write whether two equal texts are one object.
    """
    import cloudpickle

    class CanonicalPickler(cloudpickle.Pickler):  # type: ignore[misc]  # cloudpickle is untyped
        def __init__(self, file: BytesIO, root: Any, digest: Digest) -> None:
            super().__init__(file, protocol=5)
            self._root, self._digest = root, digest

        def persistent_id(self, value: Any) -> Any:
            if type(value) is str:
                return f"text {value}"
            if isinstance(value, type):
                return f"class {value.__module__}.{value.__qualname__}"
            if value is not self._root and (type(value) in (set, frozenset) or _library(value) in _LIBRARIES):
                return self._digest(value)
            return None

    return CanonicalPickler

"""Values that no other adapter knows: copied by `copy.deepcopy`, digested in the form that cloudpickle gives them."""

import re
import sys
import types
from collections.abc import Iterable
from copy import deepcopy
from functools import cache
from io import BytesIO
from typing import Any, Final

from cloaca_nb.values.adapter import Behind, Digest, Isolation

__all__ = [
    "attributes",
    "equal",
    "has_state_of_its_own",
    "is_bare",
    "isolate",
    "outline",
    "parts",
    "preview",
    "session_class",
    "taken_apart",
    "to_pickle",
    "without_addresses",
]

_LIBRARIES: Final = frozenset({"numpy", "pandas", "polars", "pyarrow"})
_WRITTEN_WHOLE: Final = frozenset({"__main__", "cloudpickle"})  # functions that count by the pickle, or write it
_HEAP_TYPE: Final = 1 << 9  # of the flags of types that a class statement has made
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
    pickler = _canonical_pickler()(file, value, digest)
    pickler.dump(value)
    yield file.getvalue()
    yield Behind(frozenset(pickler.behind))


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
    return _top(type(value))


def _top(code: Any) -> str:
    return str(code.__module__).partition(".")[0]


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
            self.behind: set[type | str] = set()

        def persistent_id(self, value: Any) -> Any:
            if type(value) is str:
                return f"text {value}"
            if type(value) is types.FunctionType and _top(value) not in _WRITTEN_WHOLE:
                self.behind.add(str(value.__module__))
            if isinstance(value, type):
                self.behind.add(value)
                return f"class {value.__module__}.{value.__qualname__}"
            if value is not self._root and (type(value) in (set, frozenset) or _library(value) in _LIBRARIES):
                return self._digest(value)
            return None

        def reducer_override(self, value: Any) -> Any:
            if not isinstance(value, BaseException):
                return super().reducer_override(value)
            # Without what libraries add to errors for their own pickles, and without the empty `__dict__`, which an
            # error has only once somebody has asked for it.
            reduced = value.__reduce_ex__(5)
            return reduced[:2] if isinstance(reduced, tuple) and reduced[2:] == ({},) else reduced

    return CanonicalPickler


def taken_apart(value: Any) -> list[Any] | None:
    """Return what `copy.deepcopy` copies of an object: its state, what makes it, its items; None if not known.

    Raises:
        Exception: whatever an object's own code for that does.
    """
    kind = type(value)
    if not kind.__flags__ & _HEAP_TYPE or hasattr(kind, "__deepcopy__"):
        return None
    reduced = value.__reduce_ex__(4)
    if not isinstance(reduced, tuple):
        return None
    made, arguments, state, items, pairs = (*reduced, None, None, None)[:5]
    return [state, made, arguments, list(items or ()), list(pairs or ())]


def attributes(value: Any) -> Any:
    """Return the state that an object has if its class says nothing of that; none of the user's code is called."""
    return object.__getstate__(value)


def has_state_of_its_own(kind: type) -> bool:
    """Return whether a type has code of its own for what is copied of an object."""
    ways = ("__getstate__", "__reduce__", "__reduce_ex__")
    return any(getattr(kind, way) is not getattr(object, way) for way in ways)


def is_bare(kind: type) -> bool:
    """Return whether an instance holds only attributes, as no subclass of a list, a float or an Exception does."""
    made_by = (base for base in kind.__mro__ if type(vars(base).get("__new__")) is types.BuiltinFunctionType)
    return next(made_by) is object


def to_pickle(value: Any) -> bytes:
    """Pickle a value; classes of the notebook are looked up again where it is read, and travel with it as well.

    Raises:
        Exception: whatever keeps the value from being pickled.
    """
    file = BytesIO()
    _pickler()(file, protocol=5).dump(value)
    return file.getvalue()


def session_class(module: str, name: str, definition: bytes) -> Any:
    """Return the class that has a name now, else the one that travelled; called by what `to_pickle` writes."""
    import pickle

    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return found if isinstance(found, type) else pickle.loads(definition)  # noqa: S301 - part of what is being read


@cache
def _pickler() -> Any:
    """Return a pickler that is cloudpickle's, but for classes of the notebook and open figures."""
    import cloudpickle

    class Pickler(cloudpickle.Pickler):  # type: ignore[misc]  # cloudpickle is untyped
        def reducer_override(self, value: Any) -> Any:
            if isinstance(value, type) and value.__module__ == "__main__" and "<locals>" not in value.__qualname__:
                return session_class, (value.__module__, value.__qualname__, cloudpickle.dumps(value, protocol=5))
            state = getattr(value, "__dict__", None)
            if type(state) is dict and "number" in getattr(
                getattr(state.get("canvas"), "manager", None), "__dict__", ()
            ):
                return _closed_figure(value)
            return super().reducer_override(value)

    return Pickler


def _closed_figure(figure: Any) -> Any:
    """Reduce a figure that pyplot shows, so that reading it opens no window and shows it in no cell."""
    import copyreg

    state = dict(figure.__getstate__())
    state.pop("_restore_to_pylab", None)
    return copyreg.__newobj__, (type(figure),), state  # type: ignore[attr-defined]  # not in the stubs

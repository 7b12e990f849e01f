"""numpy's arrays and scalars: which are copied, which are views, and the bytes that make two of them equal."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

from cloaca_nb.values.adapter import Digest, Either, Isolation, Raw, Verdict
from cloaca_nb.values.plain import ATOMS

if TYPE_CHECKING:
    import numpy as np

__all__ = ["COPIED_BYTES", "LIBRARY", "TYPES", "altered", "equal", "held", "hint", "isolate", "parts", "preview"]

LIBRARY: Final = "numpy"
TYPES: Final = ("ndarray", "generic")
COPIED_BYTES: Final = 1_000_000  # up to this size an array is copied, above it is a read-only view

_BLOCK: Final = 1 << 17  # elements that are looked at at a time: they stay in the processor's cache
_SHOWN_ELEMENTS: Final = 20
_WORDS: Final = (1, 2, 4, 8)  # bytes that are compared at once
_DOUBLE_BYTES: Final = {"f": 8, "c": 16}


def isolate(value: Any, copies: Isolation) -> Any:
    """Copy up to `COPIED_BYTES`, and whatever holds objects; give a read-only view above."""
    import numpy as np

    if isinstance(value, np.generic):
        return value.copy() if isinstance(value, np.void) else value
    if value.nbytes > COPIED_BYTES and type(value) in (np.ndarray, np.memmap) and not _holds_changeable(value):
        view = value.view()
        view.flags.writeable = False
        return view
    copy = value.copy(order="K")
    if value.dtype.hasobject:
        copies.later(_fill_objects, copy)
    return copy


def altered(before: Any, now: Any) -> Verdict:
    """Compare a copy with its original; a view that can't be written to is what it was."""
    import numpy as np

    if before.dtype != now.dtype or before.shape != now.shape:
        return True
    if isinstance(now, np.generic) or (not now.flags.writeable and _address(before) == _address(now)):
        return False
    if isinstance(now, np.ma.MaskedArray):
        masks = np.ma.getmaskarray(before), np.ma.getmaskarray(now)
        return (masks, (before.data, now.data))
    if now.dtype.hasobject:
        return zip(before.flat, now.flat, strict=True) if now.dtype == object else False
    return not _same_elements(before, now)


def held(value: Any) -> Iterable[Any]:
    """Return what an array is a view of, and the objects in it."""
    objects = value.ravel().tolist() if value.dtype == object else ()
    return (getattr(value, "base", None), *objects)


def equal(a: Any, b: Any) -> bool | None:
    """Say no at once to another dtype or shape."""
    return None if a.dtype == b.dtype and a.shape == b.shape else False


def parts(value: Any, digest: Digest) -> Iterable[Any]:  # noqa: ARG001 - the interface's: an array is ordered
    """Take apart: dtype, shape, elements in C order; then the mask, or what else a subclass adds."""
    import numpy as np

    yield repr(value.dtype)
    yield value.shape
    if isinstance(value, np.ma.MaskedArray):
        mask = np.ma.getmaskarray(value)
        yield mask
        yield from _elements(np.where(mask, np.zeros((), value.dtype), value.data))
        return
    yield from _elements(np.asarray(value))
    if type(value).__module__.partition(".")[0] != LIBRARY:
        yield getattr(value, "__dict__", None)


def preview(value: Any) -> str:
    """Show ``1000 × 3 float64``, and the elements where they are few."""
    import numpy as np

    if isinstance(value, np.generic):
        return repr(value)
    size = " × ".join(map(str, value.shape)) or "scalar"
    return f"{size} {value.dtype}" + (f": {' '.join(str(value).split())}" if value.size <= _SHOWN_ELEMENTS else "")


def hint(exception: BaseException) -> str:
    """Return the fix for an error that comes from writing to a read-only array, or an empty string.

    numpy's own words are "assignment destination is read-only"; meant for `exception.add_note`.

    >>> hint(ValueError("assignment destination is read-only"))
    "A context's arrays above 1 MB are read-only views: take a copy of your own first, e.g. `x = x.copy()`."
    >>> hint(ValueError("no such key"))
    ''
    """
    if not isinstance(exception, ValueError) or "read-only" not in str(exception):
        return ""
    return "A context's arrays above 1 MB are read-only views: take a copy of your own first, e.g. `x = x.copy()`."


def _same_elements(before: "np.ndarray[Any, Any]", now: "np.ndarray[Any, Any]") -> bool:
    import numpy as np

    if now.dtype.kind == "T":  # text of any length: its bytes are pointers
        return np.array_equal(before, now)
    if (size := now.dtype.itemsize) in _WORDS:
        return bool((before.view(f"u{size}") == now.view(f"u{size}")).all())
    return before.tobytes() == now.tobytes()


def _address(array: "np.ndarray[Any, Any]") -> int:
    return int(array.__array_interface__["data"][0])


def _holds_changeable(array: "np.ndarray[Any, Any]") -> bool:
    return array.dtype.hasobject and (bool(array.dtype.names) or not ATOMS.issuperset(map(type, array.flat)))


def _fill_objects(copy: Any, copies: Isolation) -> None:
    import numpy as np

    if copy.dtype.names:
        for name in copy.dtype.names:
            _fill_objects(copy[name], copies)
    elif copy.dtype == object:
        for place, item in np.ndenumerate(copy):
            if type(item) not in ATOMS:
                copy[place] = copies(item)


def _elements(array: "np.ndarray[Any, Any]") -> Iterator[Any]:
    dtype = array.dtype
    if dtype.names:
        for name in dtype.names:
            yield from _elements(array[name])
    elif dtype.kind in "OT":  # objects, and text of any length: their bytes are pointers
        yield array.ravel().tolist()
    elif dtype.itemsize > _DOUBLE_BYTES.get(dtype.kind, dtype.itemsize):
        yield Either(lambda: list(map(repr, array.flat)), lambda: [repr(element + 0) for element in array.flat])
    else:  # a long double has padding bytes, so it goes another way
        yield from map(_block, _blocks(array))


def _blocks(array: "np.ndarray[Any, Any]") -> "Iterator[np.ndarray[Any, Any]]":
    """Yield the elements in C order: views where they lie like that, else a copy of each block."""
    flat: Any = array.reshape(-1) if array.ndim <= 1 or array.flags.c_contiguous else array.flat
    for start in range(0, array.size, _BLOCK):
        yield flat[start : start + _BLOCK]


def _block(block: "np.ndarray[Any, Any]") -> Either:
    canonical = _canonical_floats if block.dtype.kind in _DOUBLE_BYTES else _as_it_is
    return Either(lambda: Raw(_memory(block)), lambda: canonical(block).tobytes())


def _memory(block: "np.ndarray[Any, Any]") -> memoryview:
    import numpy as np

    return np.ascontiguousarray(block).view(np.uint8).data  # as numbers: there is no buffer of times


def _as_it_is(block: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
    return block


def _canonical_floats(block: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
    """Make every zero positive and every NaN the same."""
    import numpy as np

    with np.errstate(invalid="ignore"):
        numbers: np.ndarray[Any, Any] = np.ascontiguousarray(block) + block.dtype.type(0)
    reals = numbers.view(numbers.real.dtype)
    reals[np.isnan(reals)] = np.nan
    return numbers

"""A value in one line, for people: cheap however large the value is."""

from itertools import islice
from reprlib import Repr
from typing import Any, Final

__all__ = ["preview"]

LONGEST: Final = 80  # characters
MOST: Final = 12  # items
KILO: Final = 1000
BYTES: Final = (bytes, bytearray, memoryview)
COUNTED: Final = (list, tuple, dict, set, frozenset)


class _Short(Repr):
    """Shows the beginning of collections, and of a text its two ends."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel, self.fillvalue = 3, "…"
        self.maxtuple = self.maxlist = self.maxset = self.maxfrozenset = self.maxdict = MOST
        self.maxstring = self.maxlong = self.maxother = LONGEST

    def repr_dict(self, x: dict[Any, Any], level: int) -> str:
        """Keep the order of the keys: `Repr` itself would sort them."""
        if level <= 0:
            return "{…}" if x else "{}"
        parts = [f"{self.repr1(key, level - 1)}: {self.repr1(x[key], level - 1)}" for key in islice(x, self.maxdict)]
        return f"{{{', '.join([*parts, '…'] if len(x) > self.maxdict else parts)}}}"


_SHORT: Final = _Short()


def preview(value: Any) -> str:
    """Return what a value is, in one line.

    >>> preview([1, 2]), preview(b"12345"), preview("late")
    ('[1, 2]', 'bytes, 5 B', "'late'")
    >>> preview({"z": 1, "a": {}})
    "{'z': 1, 'a': {}}"
    >>> preview(list(range(1000)))
    '[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, …]  (1,000 items)'
    """
    if isinstance(value, BYTES):
        return f"{type(value).__name__}, {_size(memoryview(value).nbytes)}"
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple) and shape:
        kind, size = type(value).__name__, " × ".join(map(_count, shape))
        return f"{kind} of {size}" if len(shape) == 1 else f"{size} {kind}"
    text = " ".join(_SHORT.repr(value).split())
    short = text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
    return f"{short}  ({len(value):,} items)" if isinstance(value, COUNTED) and len(value) > MOST else short


def _count(length: Any) -> str:
    return f"{length:,}" if isinstance(length, int) else str(length)


def _size(count: int) -> str:
    """Return a number of bytes in the unit that fits."""
    size = float(count)
    for unit in ("B", "kB", "MB"):
        if round(size) < KILO:
            return f"{size:.0f} {unit}" if unit == "B" or size >= 10 else f"{size:.1f} {unit}"  # noqa: PLR2004 - two digits
        size /= KILO
    return f"{size:.1f} GB"

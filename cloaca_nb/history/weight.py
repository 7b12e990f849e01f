"""What values weigh: which are described and kept at once, and which may take time, for they are large or run code."""

from datetime import datetime, time, timezone
from typing import Any, Final

from cloaca_nb.core.merge import DELETED, MISSING
from cloaca_nb.core.secret import Secret
from cloaca_nb.history.artifacts import INLINE
from cloaca_nb.values.plain import EXACT_LEAVES

__all__ = ["is_light"]

MOST: Final = 1000  # values in a light one
TEXT: Final = 64  # characters that weigh as much as a value
TEXTS: Final = frozenset({str, bytes, bytearray})
ITEMS: Final = frozenset({list, tuple, set, frozenset})
LIGHT: Final = frozenset({*EXACT_LEAVES, datetime, time, timezone, type(DELETED), type(MISSING)}) - {
    *(dict, range),
    *TEXTS,
    *ITEMS,
}


def is_light(value: Any) -> bool:
    """Return whether a value is surely described, and kept in its row, in less than a millisecond."""
    if type(value) in LIGHT:
        return True
    left, waiting = MOST, [value]
    while waiting and left > 0:
        one = waiting.pop()
        kind = type(one)
        if kind in TEXTS:
            left -= 1 + len(one) // TEXT
        elif kind in ITEMS:
            left -= 1 + len(one)
            waiting += one if left > 0 else ()
        elif kind is dict:
            left -= 1 + len(one)
            waiting += (*one, *one.values()) if left > 0 else ()
        elif kind is Secret:
            waiting.append(one.reveal())
        elif kind not in LIGHT and not _is_small_array(one):
            return False
    return left > 0


def _is_small_array(value: Any) -> bool:
    """Whether it is a number of numpy's, or an array of numbers that stands in its row."""
    return type(value).__module__ == "numpy" and getattr(value, "nbytes", INLINE) < INLINE and not value.dtype.hasobject

"""What values weigh: which are described and kept at once, and which may take time, for they are large or run code."""

from datetime import datetime, time, timezone
from typing import Any, Final

from cloaca_nb.core.merge import DELETED, MISSING
from cloaca_nb.core.secret import Secret
from cloaca_nb.history.artifacts import INLINE
from cloaca_nb.values.plain import EXACT_LEAVES

__all__ = ["is_light"]

PLACE: Final = 5  # bytes that a value takes in what holds it, with what parts it from the next
TAGGED: Final = 25  # those that one takes in its row whose type has to be said
TAKES: Final = {**dict.fromkeys((type(None), bool, int, str, list, dict), 0), float: 15, datetime: 100, timezone: 50}
WIDE: Final = 3  # bytes of a character that isn't ASCII
BYTES: Final = frozenset({bytes, bytearray})
ITEMS: Final = frozenset({list, tuple, set, frozenset})
LIGHT: Final = frozenset({*EXACT_LEAVES, datetime, time, timezone, type(DELETED), type(MISSING)}) - {
    *(dict, range, str),
    *BYTES,
    *ITEMS,
}


def is_light(value: Any) -> bool:
    """Return whether a value is surely described in less than a millisecond, and kept in its row, as far as that shows.

    One that isn't kept there is a durable file, which takes a commit about a millisecond.
    """
    if type(value) in LIGHT:
        return True
    left, waiting = INLINE, [value]
    while waiting and left > 0:
        one = waiting.pop()
        kind = type(one)
        left -= TAKES.get(kind, TAGGED)
        if kind is str:
            left -= len(one) if one.isascii() else WIDE * len(one)
        elif kind in BYTES:
            left -= len(one) * 4 // 3  # in base 64
        elif kind in ITEMS:
            left -= PLACE * len(one)
            waiting += one if left > 0 else ()
        elif kind is dict:
            left -= 2 * PLACE * len(one)
            waiting += (*one, *one.values()) if left > 0 else ()
        elif kind is Secret:
            waiting.append(one.reveal())
        elif kind not in LIGHT:
            if not _is_small_array(one):
                return False
            left -= one.nbytes
    return left > 0


def _is_small_array(value: Any) -> bool:
    """Whether it is a number of numpy's, or an array of numbers that stands in its row."""
    try:
        is_small = type(value).__module__ == "numpy" and getattr(value, "nbytes", INLINE) < INLINE
    except Exception:  # noqa: BLE001 - the code of a user's metaclass: who describes the value says that it fails
        return False
    return is_small and not value.dtype.hasobject

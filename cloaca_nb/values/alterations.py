"""Whether a task has changed the copy that it got of a value: for no more than what making that copy has cost.

The original and the copy that `isolate` made of it are walked through side by side, to the first difference. Two
questions that cost more are asked only where there is one:

- An object may say what its state is (`__getstate__`). That is asked only if its attributes differ, or hold what
  nothing can be said of.
- An object may be copied into something else than it is. So another copy is made, and compared with the one that the
  task had; and what two fresh copies differ in, as in an id that each gets, doesn't count.
"""

from collections.abc import Iterable
from operator import is_
from typing import Any

from cloaca_nb.values.copies import isolate
from cloaca_nb.values.side_by_side import SideBySide
from cloaca_nb.values.within import is_within

__all__ = ["altered", "lost"]


def lost(original: Any, copy: Any, others: Iterable[Any]) -> bool:
    """Return whether `copy`, which `isolate` made of `original`, was changed and is no part of any of the others.

    Never raises; see `altered`.
    """
    if _holds_the_same(original, copy):  # as nearly all that tasks read: the rest needn't begin
        return False
    try:
        found = _difference(original, copy)
        return found is not None and not is_within(copy, others) and _is_changed(found, original, copy)
    except Exception:  # noqa: BLE001 - code of the user's objects may raise anything: then nothing is known
        return False


def altered(original: Any, copy: Any) -> bool:
    """Return whether `copy`, which `isolate` made of `original`, has been changed since; False where that isn't known.

    Never raises.
    """
    try:
        found = _difference(original, copy)
        return found is not None and _is_changed(found, original, copy)
    except Exception:  # noqa: BLE001 - code of the user's objects may raise anything: then nothing is known
        return False


def _holds_the_same(original: Any, copy: Any) -> bool:
    """Whether two lists or dicts hold the very same things, so that only more would make them differ."""
    kind = type(copy)
    if kind is not type(original) or kind not in (list, dict) or len(original) != len(copy):
        return False
    return all(map(is_, original, copy)) and (kind is list or all(map(is_, original.values(), copy.values())))


def _difference(original: Any, copy: Any) -> SideBySide | None:
    """Return the walk that has found a difference; one that asks no object for its state comes first."""
    first = SideBySide(asks=False)
    try:
        differs = first.finds_difference(original, copy)
    except Exception:
        if not first.has_spared:
            raise
        differs = True  # not known: an attribute that the object itself leaves out may raise anything
    if not first.has_spared:
        return first if differs else None
    if not differs and not first.is_in_the_dark:
        return None
    second = SideBySide(asks=True)
    return second if second.finds_difference(original, copy) else None


def _is_changed(found: SideBySide, original: Any, copy: Any) -> bool:
    """Whether a difference is more than what copying makes of an object."""
    if not found.met_objects:
        return True
    fresh = isolate(original)
    changed = SideBySide(asks=True).places(fresh, copy)
    return bool(changed and changed - SideBySide(asks=True).places(fresh, isolate(original)))

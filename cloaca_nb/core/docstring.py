"""What a task's docstring says of it: the text behind `what:`, and the one behind `why:`."""

import inspect
import re
from typing import Final, NamedTuple

__all__ = ["Purpose", "read_docstring"]

MARKER: Final = re.compile(r"^[ \t]*(what|why)[ \t]*:", re.IGNORECASE | re.MULTILINE)


class Purpose(NamedTuple):
    """What a task does, and why; empty where it isn't said."""

    what: str
    why: str


def read_docstring(text: str | None) -> Purpose:
    r"""Return what follows the lines that start with ``what:`` and ``why:``; without those, the whole is the "what".

    Args:
        text: a docstring, or None for none.

    >>> read_docstring("what: load the flights\nwhy: the airline sends them at night")
    Purpose(what='load the flights', why='the airline sends them at night')
    """
    clean = inspect.cleandoc(text or "")
    before, *marked = MARKER.split(clean)
    said = {marker.lower(): part.strip() for marker, part in zip(marked[::2], marked[1::2], strict=True)}
    return Purpose(said.get("what", before.strip()), said.get("why", ""))

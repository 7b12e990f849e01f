"""Whole lines out of pieces of text, as a terminal would come to show them.

A line that is rewritten by carriage returns counts in its last form only: hundreds of states of a progress bar are one
line in the end, or none if the bar was wiped out.
"""

import re
from typing import Final

__all__ = ["Lines"]

LONGEST: Final = 1000  # pieces of a line that wait for its end
ERASED: Final = re.compile(r"\x1b\[[0-2]?K")  # the terminal's code for wiping out a line


class Lines:
    r"""Pieces of text that come one after the other; not safe for threads.

    >>> lines = Lines()
    >>> lines.add("one\ntw"), lines.add("o\rtwenty"), lines.add("\nthree"), lines.rest()
    ('one\n', '', 'twenty\n', 'three')
    """

    __slots__ = ("_pieces",)

    def __init__(self) -> None:
        self._pieces: list[str] = []

    def add(self, text: str) -> str:
        """Take a piece, and return the lines that it ends; also a line that grows and grows, as far as it is."""
        if "\n" not in text and "\r" not in text and len(self._pieces) < LONGEST:
            self._pieces.append(text)
            return ""
        pieces, self._pieces = self._pieces, []  # at once: a `__del__` may add a piece in the middle of this
        head, newline, tail = "".join((*pieces, text)).rpartition("\n")
        if not newline and "\r" not in tail:
            return tail
        if tail:
            self._pieces.insert(0, _unfinished(tail))
        if "\r" in head:
            head = "\n".join(map(_last_form, head.split("\n")))
        return head + newline

    def rest(self) -> str:
        """Return what is left of a line without end, and forget it."""
        pieces, self._pieces = self._pieces, []
        return _last_form("".join(pieces))


def _last_form(line: str) -> str:
    """Return what a line shows in the end; bars fill up with blanks what they have shown before."""
    line = line.rstrip("\r")
    _, was_rewritten, last = line.rpartition("\r")
    return ERASED.sub("", last).rstrip() if was_rewritten else line


def _unfinished(line: str) -> str:
    """Return a line that may go on, without what can't be seen any more."""
    shown = line.rstrip("\r")
    _, was_rewritten, last = shown.rpartition("\r")
    return was_rewritten + last + ("\r" if shown != line else "")

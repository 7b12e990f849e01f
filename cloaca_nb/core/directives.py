"""Cells that say how they are exported: a line `#| cloaca: skip` among the comments at the top of a plain cell."""

import re
from typing import Final

from cloaca_nb.errors import CellError, near_miss

__all__ = ["DIRECTIVES", "EXPORT", "SETUP", "SKIP", "TEST", "directive", "without_directive"]

SKIP: Final = "skip"
EXPORT: Final = "export"
SETUP: Final = "setup"
TEST: Final = "test"
DIRECTIVES: Final = {
    SKIP: "no package gets anything of the cell",
    EXPORT: "a package gets all of the cell, also what no task needs",
    SETUP: "like export; and the cell may do what a module does only if its author says so, as making a folder",
    TEST: "the cell becomes a test of the package",
}
_LINE: Final = re.compile(r"#\|\s*cloaca\s*:\s*(?P<word>.*?)\s*$")


def directive(text: str) -> str | None:
    r"""Return the word of a cell's directive; None if it has none.

    Args:
        text: the whole cell, a cell magic's line included.

    Raises:
        CellError: a ValueError, for another word, or for two directives; it names the line.

    >>> directive("#| echo: false\n#| cloaca: test\nassert True")
    'test'
    """
    found = ""
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.startswith(("#", "%%")):
            break
        if (match := _LINE.match(line)) is None:
            continue
        word = match["word"]
        if word not in DIRECTIVES:
            known = "; ".join(f"{one}: {what}" for one, what in DIRECTIVES.items())
            raise CellError(f"Cell line {number}: `{line.strip()}`.{near_miss(word, DIRECTIVES)} It may be {known}.")
        if found and word != found:
            raise CellError(f"Cell line {number}: a cell is `{found}` or `{word}`, not both.")
        found = word
    return found or None


def without_directive(text: str) -> str:
    """Return a cell's text, line for line, with an empty line where its directive stood."""
    return "\n".join("" if _LINE.match(line) else line for line in text.split("\n"))

"""What the lines of a notebook install that call pip, by its magic or in a shell."""

import re
import shlex
from typing import Final

__all__ = ["installed_by", "words_of"]

# What stands before `install` in a shell line that installs something.
_PIP: Final = re.compile(r"((\S*python\S*|\{sys\.executable\})\s+-m\s+|uv\s+)?pip3?\s+(?=install\s)")


def installed_by(magic: str, line: str) -> list[str]:
    """Return the requirements that a line installs.

    Args:
        magic: the name of the magic that it is given to; empty for a shell line.
        line: what stands behind that.

    >>> installed_by("pip", "install -q 'duckdb>=1' rich"), installed_by("", "pip install rich"), installed_by("", "ls")
    (['duckdb>=1', 'rich'], ['rich'], [])
    """
    if magic == "pip":
        command = line
    elif magic in {"", "uv"} and (match := _PIP.match(line)):
        command = line[match.end() :]
    else:
        return []
    first, *words = words_of(command) or [""]
    return [word for word in words if not word.startswith("-")] if first == "install" else []


def words_of(line: str) -> list[str]:
    """Return the words of a line as a shell parts them; none if it couldn't."""
    try:
        return shlex.split(line, comments=True)
    except ValueError:
        return []  # no line that a shell would run

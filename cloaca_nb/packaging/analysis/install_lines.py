"""What the lines of a notebook install that call pip, by its magic or in a shell."""

import re
import shlex
from typing import Final

__all__ = ["installed_by", "words_of"]

# What stands before `install` in a shell line that installs something.
_PIP: Final = re.compile(r"((\S*python\S*|\{sys\.executable\})\s+-m\s+|uv\s+)?pip3?\s+(?=install\s)")
# The options of `pip install` whose value is the next word (pip 26).
_OPTIONS: Final = """
    -c --constraint -r --requirement -e --editable -t --target -C --config-settings -i --index-url --extra-index-url
    -f --find-links --platform --python-version --implementation --abi --root --prefix --src --upgrade-strategy
    --global-option --no-binary --only-binary --progress-bar --root-user-action --report --group --python --log
    --proxy --retries --timeout --exists-action --trusted-host --cert --client-cert --cache-dir --use-feature
    --use-deprecated --keyring-provider
"""
_WITH_VALUE: Final = frozenset(_OPTIONS.split())


def installed_by(magic: str, line: str) -> list[str]:
    """Return the requirements that a line installs.

    Args:
        magic: the name of the magic that it is given to; empty for a shell line.
        line: what stands behind that.

    >>> installed_by("pip", "install -q 'duckdb>=1' rich"), installed_by("", "pip install rich"), installed_by("", "ls")
    (['duckdb>=1', 'rich'], ['rich'], [])
    >>> installed_by("pip", "install --target lib -r more.txt rich --index-url=https://pypi.org/simple")
    ['rich']
    """
    if magic == "pip":
        command = line
    elif magic in {"", "uv"} and (match := _PIP.match(line)):
        command = line[match.end() :]
    else:
        return []
    first, *words = words_of(command) or [""]
    if first != "install":
        return []
    before = ["", *words]
    pairs = zip(before, words, strict=False)
    return [word for option, word in pairs if not word.startswith("-") and option not in _WITH_VALUE]


def words_of(line: str) -> list[str]:
    """Return the words of a line as a shell parts them; none if it couldn't."""
    try:
        return shlex.split(line, comments=True)
    except ValueError:
        return []  # no line that a shell would run

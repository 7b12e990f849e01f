"""Syntax that a newer Python may know than the one that runs."""

import re
import sys
from typing import Final

__all__ = ["hint_of_version"]

# Type parameters and the `type` statement came with 3.12; so did quotes of their own inside f-strings.
_NEWER: Final = re.compile(r"\s*((async\s+)?(def|class)\s+\w+\s*\[|type\s+\w+.*=)")


def hint_of_version(error: SyntaxError) -> str:
    """Return a sentence for a line that a newer Python may understand; nothing for other errors.

    >>> hint_of_version(SyntaxError("invalid syntax", ("<cell>", 1, 1, "x = = 1")))
    ''
    """
    if not (error.msg.startswith("f-string") or _NEWER.match(error.text or "")):
        return ""
    return f" This is Python {sys.version_info.major}.{sys.version_info.minor}; a newer one may understand it."

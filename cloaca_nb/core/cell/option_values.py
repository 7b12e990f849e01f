"""The values of a task cell's options: each reader makes one of its text, or raises a ValueError with what is right."""

import keyword
from collections.abc import Callable, Sequence
from typing import Final

from cloaca_nb.core.cell.rule_text import read_rule
from cloaca_nb.errors import near_miss

__all__ = [
    "EXECUTORS",
    "cache",
    "count",
    "dotted_name",
    "executor",
    "names",
    "own_name",
    "plain_names",
    "rule",
    "seconds",
    "task_ids",
    "truth",
    "word",
]

EXECUTORS: Final = ("thread", "process")  # those that are known by a word
TRUTH: Final = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


def names(text: str) -> tuple[str, ...]:
    """Read ``a,b?``: names of Python code, perhaps with question marks."""
    inner = text.strip()
    inner = inner[1:-1] if inner.startswith("[") and inner.endswith("]") else inner
    found = tuple(part.strip().strip("'\"") for part in inner.split(",") if part.strip())
    for name in found:
        _identifier(name.removesuffix("?"))
    return found


def plain_names(text: str) -> tuple[str, ...]:
    """Read ``a,b``: names of Python code."""
    found = names(text)
    for name in found:
        if name.endswith("?"):
            raise ValueError(f"{name!r} has a question mark, which only --in knows: leave it out")
    return found


def own_name(text: str) -> str:
    """Read a name that a value can be bound to."""
    if not text.isidentifier() or keyword.iskeyword(text):
        raise ValueError(f"{text!r} is no Python name: give one, like result")
    return text


def _identifier(name: str) -> str:
    if not name.isidentifier() or keyword.iskeyword(name):
        raise ValueError(f"{name!r} is no Python name: list names like a,b")
    return name


def task_ids(text: str) -> tuple[str, ...]:
    """Read ``x,y``: ids of tasks."""
    inner = text.strip()
    inner = inner[1:-1] if inner.startswith("[") and inner.endswith("]") else inner
    return tuple(part.strip().strip("'\"") for part in inner.split(",") if part.strip())


def dotted_name(text: str) -> str:
    """Read a name of Python code, perhaps with dots."""
    if not all(part.isidentifier() and not keyword.iskeyword(part) for part in text.split(".")):
        fix = "for a number there is --retry-attempts" if text.isdecimal() else "give one that the notebook defines"
        raise ValueError(f"{text!r} is no name: {fix}")
    return text


def executor(text: str) -> str:
    """Read the word for an executor of ours, or the name of another, perhaps with dots."""
    try:
        return text if text in EXECUTORS else dotted_name(text)
    except ValueError:
        raise ValueError(
            f"{text!r} is neither of {', '.join(EXECUTORS)}, nor the name of an executor that the notebook defines"
        ) from None


def count(text: str, least: int = 0) -> int:
    """Read a whole number of 0 or more, or of 1 or more."""
    if not text.isdecimal() or int(text) < least:
        raise ValueError(f"{text!r} is no whole number of {least} or more: give one, like 3")
    return int(text)


def seconds(text: str) -> float:
    """Read a time above 0, in seconds."""
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not 0 < found < float("inf"):
        raise ValueError(f"{text!r} is no number of seconds above 0: give one, like 30 or 0.5")
    return int(found) if found.is_integer() else found


def truth(text: str) -> bool:
    """Read ``true`` or ``false``, or what people write instead."""
    if text.lower() not in TRUTH:
        raise ValueError(f"{text!r} is neither true nor false: give one of them")
    return TRUTH[text.lower()]


def cache(text: str) -> bool | float:
    """Read ``true``, ``false``, or a time above 0, in seconds."""
    try:
        return TRUTH[text.lower()] if text.lower() in TRUTH else seconds(text)
    except ValueError:
        raise ValueError(f"{text!r} is neither true nor false, nor a number of seconds above 0: give one") from None


def word(words: Sequence[str]) -> Callable[[str], str]:
    """Return the reader of one of several words."""

    def read(text: str) -> str:
        if text not in words:
            raise ValueError(f"{text!r} is not one of {', '.join(words)}.{near_miss(text, words)}".removesuffix("."))
        return text

    return read


def rule(text: str) -> str:
    """Read a trigger rule; its text is its value."""
    read_rule(text)
    return text

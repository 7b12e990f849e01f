"""How outcomes and statuses look in a terminal, in the characters that it has."""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple, TextIO

from rich.console import Console
from rich.text import Text

from cloaca_nb.core.status import Outcome, Status

__all__ = ["TAKEN", "console_on", "counted", "dotted", "has_symbols", "mark"]

TAKEN: Final = "Taken"  # how a completed task looks that was taken from an earlier run


class _Look(NamedTuple):
    mark: str
    plain_mark: str  # for terminals without such characters
    style: str


_LOOKS: Final[dict[str, _Look]] = {
    Outcome.WAITING: _Look("·", ".", "dim"),
    Outcome.RUNNING: _Look("▸", ">", "cyan"),
    Outcome.RETRYING: _Look("↻", "~", "yellow"),
    Outcome.COMPLETED: _Look("✓", "+", "green"),
    TAKEN: _Look("↶", "=", "blue"),
    Outcome.FAILED: _Look("✕", "x", "bold red"),
    Outcome.SKIPPED: _Look("⤼", "-", "yellow"),
    Outcome.CANCELLED: _Look("⊘", "!", "magenta"),
    Status.INTERRUPTED: _Look("⚠", "?", "magenta"),
}


def console_on(stream: TextIO) -> Console:
    """Return a console that writes to `stream` what it is given: no markup, no guesses, no line breaks of its own."""
    return Console(file=stream, markup=False, emoji=False, highlight=False, soft_wrap=True)


def mark(console: Console, word: str) -> Text:
    """Return the mark of an outcome or status, in characters that the console has."""
    look = _LOOKS[word]
    return Text(look.mark if has_symbols(console) else look.plain_mark, style=look.style)


def counted(counts: Mapping[Outcome, int], wanted: Iterable[Outcome]) -> list[str]:
    """Return e.g. ``["3 completed", "1 failed"]``: of the wanted outcomes those that there are."""
    return [f"{counts[outcome]} {outcome.lower()}" for outcome in wanted if counts[outcome]]


def dotted(console: Console, parts: Iterable[str]) -> str:
    """Join parts with a dot between them, or with commas."""
    return (" · " if has_symbols(console) else ", ").join(parts)


def has_symbols(console: Console) -> bool:
    """Say whether a console has the characters of our marks."""
    return console.encoding.startswith("utf") and not console.is_dumb_terminal

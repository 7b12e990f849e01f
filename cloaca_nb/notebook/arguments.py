"""The arguments of line magics: argparse, with messages for a notebook."""

import argparse
import re
from typing import Any, Final, NoReturn

from IPython.core.error import UsageError

from cloaca_nb.errors import near_miss

__all__ = ["Arguments", "split_words"]

PIECE: Final = re.compile(r"""(?P<quoted>"[^"]*"|'[^']*')|(?P<space>\s+)|(?P<other>.)""", re.DOTALL)


class Arguments(argparse.ArgumentParser):
    """The arguments of one line magic.

    Args:
        magic: its name, without the percent sign.
        description: what it does, in a sentence.
    """

    def __init__(self, magic: str, description: str) -> None:
        super().__init__(prog=f"%{magic}", description=description, add_help=False, allow_abbrev=False)

    def read(self, line: str) -> argparse.Namespace:
        """Read a line.

        Raises:
            UsageError: for an unknown option or a wrong value; the message names the near miss.
        """
        try:
            found, unknown = self.parse_known_args(split_words(line))
        except ValueError as error:  # an open quotation mark
            self.error(str(error))
        if unknown:
            self.error(self._unexpected(unknown))
        return found

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and how the magic is used."""
        usage = " ".join(self.format_usage().split())
        raise UsageError(f"{self.prog}: {message} ({usage})")

    def option(self, *names: str, **facts: Any) -> "Arguments":
        """Add an argument; see `argparse.ArgumentParser.add_argument`."""
        self.add_argument(*names, **facts)
        return self

    def _unexpected(self, unknown: list[str]) -> str:
        wrong = next((word for word in unknown if word.startswith("-")), None)
        if wrong is None:
            return f"{unknown[0]!r} is one word too many; a value with spaces stands in quotes."
        options = [text for action in self._actions for text in action.option_strings]
        return f"unknown option {wrong.partition('=')[0]}.{near_miss(wrong.partition('=')[0], options)}"


def split_words(line: str) -> list[str]:
    """Split a line as a shell would, its comment left out, but keep what stands in the brackets of a value as it is.

    Raises:
        ValueError: for a quotation mark without its other one.

    >>> split_words('flights --param months=[1, 2] --param title="Late ones"  # as a test')
    ['flights', '--param', 'months=[1, 2]', '--param', 'title=Late ones']
    """
    words: list[str] = []
    word: str | None = None
    depth = 0
    for piece in PIECE.finditer(line):
        text = piece[0]
        if text == "#" and word is None:
            break
        if piece["space"] and not depth:
            words += [] if word is None else [word]
            word = None
            continue
        if piece["quoted"] and not depth:
            text = text[1:-1]
        elif text in "\"'":
            raise ValueError(f"there is a {text} without its other one.")
        elif "=" in (word or "") or depth:
            depth = max(0, depth + (text in "([{") - (text in ")]}"))
        word = (word or "") + text
    return words if word is None else [*words, word]

"""The arguments of line magics: argparse, with messages for a notebook."""

import argparse
import inspect
import re
from collections.abc import Callable
from typing import Any, Final, NoReturn, TypeVar

from IPython.core.error import UsageError

from cloaca_nb.core.cell.options import OPTIONS
from cloaca_nb.errors import near_miss

__all__ = ["Arguments", "explained_by", "split_words", "task_options"]

Method = TypeVar("Method", bound=Callable[..., Any])

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

    def options(self) -> list[tuple[str, str]]:
        """Return each argument as it is written, and what it does."""
        return [(_written(action), action.help or "") for action in self._actions]

    def _unexpected(self, unknown: list[str]) -> str:
        wrong = next((word for word in unknown if word.startswith("-")), None)
        if wrong is None:
            return f"{unknown[0]!r} is one word too many; a value with spaces stands in quotes."
        options = [text for action in self._actions for text in action.option_strings]
        return f"unknown option {wrong.partition('=')[0]}.{near_miss(wrong.partition('=')[0], options)}"


def _written(action: argparse.Action) -> str:
    value = "" if action.nargs == 0 else action.metavar or "|".join(action.choices or ()) or action.dest.upper()
    return f"{', '.join(action.option_strings)} {value}".strip()


def task_options() -> list[tuple[str, str]]:
    """Return each option of a task cell as it is written, and what it does."""
    return [(f"{option.flag} {option.metavar}".rstrip(), option.help) for option in OPTIONS]


def explained_by(options: list[tuple[str, str]]) -> Callable[[Method], Method]:
    """Make a decorator that lists options in a magic's docstring, which is what ``%magic?`` shows.

    Args:
        options: each as it is written, and what it does.
    """

    def explain(method: Method) -> Method:
        width = max(len(written) for written, _ in options)
        lines = [f"  {written:<{width}}  {_sentence(what)}" for written, what in options]
        method.__doc__ = "\n".join([inspect.cleandoc(method.__doc__ or ""), "", "Options:", *lines])
        return method

    return explain


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


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

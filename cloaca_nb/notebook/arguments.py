"""The arguments of line magics: argparse, with messages for a notebook."""

import argparse
import shlex
from typing import Any, NoReturn

from IPython.core.error import UsageError

from cloaca_nb.errors import near_miss

__all__ = ["Arguments"]


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
            found, unknown = self.parse_known_args(shlex.split(line))
        except ValueError as error:  # an open quotation mark
            self.error(str(error))
        if unknown:
            options = [text for action in self._actions for text in action.option_strings]
            miss = near_miss(unknown[0], options) if unknown[0].startswith("-") else ""
            self.error(f"unexpected {unknown[0]!r}.{miss}")
        return found

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and how the magic is used."""
        usage = " ".join(self.format_usage().split())
        raise UsageError(f"{self.prog}: {message} ({usage})")

    def option(self, *names: str, **facts: Any) -> "Arguments":
        """Add an argument; see `argparse.ArgumentParser.add_argument`."""
        self.add_argument(*names, **facts)
        return self

"""The line behind a cell magic, and the `#| key: value` lines under it: text in, words and values of options out."""

import argparse
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Any, Final, NamedTuple, NoReturn

from cloaca_nb.core.cell.options import CellOption
from cloaca_nb.errors import CellError, near_miss

__all__ = ["MagicLine"]

NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


class MagicLine(NamedTuple):
    """What may stand behind one cell magic; each of them is read, and answered where it is wrong, in this one way.

    Attributes:
        magic: "%%cloaca_task".
        options: those that it knows.
        takes: a sentence on its words, for whoever writes one too many.
        named: whether its first word is a name.
        elsewhere: for a flag that it doesn't know but somebody may look for, what says the same.
    """

    magic: str
    options: tuple[CellOption, ...]
    takes: str
    named: bool = True
    elsewhere: Mapping[str, str] = NOTHING

    def read(self, line: str, comments: Iterable[tuple[str, str]] = ()) -> tuple[str | None, dict[str, list[Any]]]:
        """Read what stands behind the magic, and the options in the lines under it.

        Args:
            line: "clean --after load".
            comments: key and value of each ``#| key: value`` line.

        Returns:
            The name, and for each option by `CellOption.name` the values that it was given, in order.

        Raises:
            CellError: a ValueError, for anything that isn't understood.
        """
        words = self._words(line) + [word for key, value in comments for word in self._comment_words(key, value)]
        found, rest = self._parse(words)
        if rest:
            raise CellError(self._not_understood(rest, words))
        given = vars(found)
        return given.pop("name", None), {name: values or [] for name, values in given.items()}

    def _words(self, line: str) -> list[str]:
        try:
            return shlex.split(line)
        except ValueError as error:
            text = f"{self.magic} {line.strip()}"
            raise CellError(f"{text}: {str(error).lower()}; each quote needs its other one.") from error

    def _option(self, flag: str) -> CellOption | None:
        return next((one for one in self.options if one.flag == flag), None)

    def _comment_words(self, key: str, value: str) -> list[str]:
        flag = f"--{key.replace('_', '-')}"
        option = self._option(flag)
        if option is None:
            known = [one.key for one in self.options]
            raise CellError(f"Unknown option `#| {key}`.{self._hint(flag, key, known)} Options: {', '.join(known)}.")
        if option.metavar:
            return [f"{option.flag}={_unquoted(value)}"]
        try:
            return [option.flag] if option.read(value or "true") else []
        except ValueError as error:
            raise CellError(f"`#| {key}: {value}`: {error}.") from error

    def _parse(self, words: list[str]) -> tuple[argparse.Namespace, list[str]]:
        try:
            return _parser(self.magic, self.options, self.named).parse_known_args(words)
        except argparse.ArgumentError as error:
            option = self._option(error.argument_name or "")
            if option is None or not str(error.message).startswith(("expected", "ignored")):
                raise CellError(f"{self.magic}: {error.argument_name}: {error.message}.".replace("?.", "?")) from error
            raise CellError(
                f"{self.magic}: write {f'{option.flag} {option.metavar}'.strip()}. {option.help}"
            ) from error

    def _not_understood(self, rest: Sequence[str], words: Sequence[str]) -> str:
        wrong = next((word for word in rest if word.startswith("-")), None)
        if wrong is None:
            name = "_".join(words[: len(rest) + 1])
            begins = self.named and list(words[1 : len(rest) + 1]) == list(rest) and name.isidentifier()
            meant = f" Did you mean `{self.magic} {name}`?" if begins else ""
            return f"{self.magic}: {rest[0]!r} is one word too many.{meant} {self.takes}"
        flag = wrong.partition("=")[0]
        known = [one.flag for one in self.options]
        there = f"Options: {' '.join(known)}." if known else self.takes
        return f"{self.magic}: unknown option {flag}.{self._hint(flag, flag, known)} {there}"

    def _hint(self, flag: str, written: str, known: Sequence[str]) -> str:
        return f" {self.elsewhere[flag]}" if flag in self.elsewhere else near_miss(written, known)


class _Parser(argparse.ArgumentParser):
    """Raises CellError where argparse would print and exit."""

    def error(self, message: str) -> NoReturn:
        raise CellError(f"{self.prog}: {message}.")


@cache
def _parser(magic: str, options: tuple[CellOption, ...], named: bool) -> _Parser:  # noqa: FBT001 - cached by its value
    parser = _Parser(prog=magic, add_help=False, allow_abbrev=False, exit_on_error=False)
    if named:
        parser.add_argument("name", nargs="?")
    for option in options:
        if option.metavar:
            parser.add_argument(option.flag, dest=option.name, type=_reader(option), action="append")
        else:
            parser.add_argument(option.flag, dest=option.name, action="append_const", const=True)
    return parser


def _reader(option: CellOption) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        try:
            return option.read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return read


def _unquoted(value: str) -> str:
    """Take off the quotes around a whole value: people who know YAML write them."""
    whole = len(value) > 1 and value[0] == value[-1] and value[0] in "'\"" and value[0] not in value[1:-1]
    return value[1:-1] if whole else value

"""The arguments of magics: argparse with messages for a notebook, and what help and completion tell of them."""

import argparse
import inspect
import re
from collections.abc import Callable
from typing import Any, Final, Literal, NamedTuple, NoReturn, TypeAlias, TypeVar

from IPython.core.error import UsageError

from cloaca_nb.core.cell.option_values import word
from cloaca_nb.errors import near_miss

__all__ = ["Arguments", "Grammar", "Kind", "Option", "explained_by", "split_words"]

Method = TypeVar("Method", bound=Callable[..., Any])
# What the values of an option are the names of; none of them where the grammar can't know.
Kind: TypeAlias = Literal[
    "",
    "workflow",
    "task",
    "any task",
    "input",
    "output",
    "key",
    "run",
    "live run",
    "parameter",
    "function",
    "policy",
    "executor",
    "folder",
]

# What argparse says, and how we say it.
PLAINER: Final = (
    (re.compile(r"the following arguments are required: "), "it needs "),
    (re.compile(r"argument (\S+): expected (one|at least one) argument"), r"\1 needs a value behind it"),
    (re.compile(r"argument (\S+): ignored explicit argument (.*)"), r"\1 is given alone, without \2"),
    (re.compile(r"argument (\S+): "), r"\1: "),
)
PIECE: Final = re.compile(r"""(?P<quoted>"[^"]*"|'[^']*')|(?P<space>\s+)|(?P<other>.)""", re.DOTALL)


class Option(NamedTuple):
    """One argument of a magic.

    Attributes:
        flags: how it may be spelled; none for one that is known by its place.
        value: its value as help shows it; empty for a flag without one.
        help: a sentence.
        words: the right words, where only certain ones are.
        kind: what its values are the names of.
        repeats: whether it may stand there more than once.
    """

    flags: tuple[str, ...]
    value: str
    help: str
    words: tuple[str, ...] = ()
    kind: Kind = ""
    repeats: bool = False

    @property
    def written(self) -> str:
        """How help writes it: ``-o, --output NAME``."""
        return f"{', '.join(self.flags)} {self.value}".strip()


class Grammar(NamedTuple):
    """What one magic takes.

    Attributes:
        usage: ``%cloaca_dag [WORKFLOW]``.
        options: everything that may stand behind it.
        examples: lines as a user would write them.
    """

    usage: str
    options: tuple[Option, ...]
    examples: tuple[str, ...]

    def help_text(self, purpose: str) -> str:
        """Return what ``%magic?`` shows: the usage, what it is for, each option in a line, and examples."""
        width = max((len(option.written) for option in self.options), default=0)
        options = [f"  {option.written:<{width}}  {_sentence(option.help)}" for option in self.options]
        parts = [f"usage: {self.usage}", "", purpose, *(["", "Options:", *options] if options else [])]
        examples = [f"  {line}" for example in self.examples for line in example.splitlines()]
        return "\n".join([*parts, "", "Examples:", *examples])


class Arguments(argparse.ArgumentParser):
    """The arguments of one line magic.

    Args:
        magic: its name, without the percent sign.
        examples: lines as a user would write them.
    """

    def __init__(self, magic: str, *examples: str) -> None:
        super().__init__(prog=f"%{magic}", add_help=False, allow_abbrev=False)
        self._examples = examples
        self._kinds: dict[str, Kind] = {}

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
        """Say what is wrong and how the magic is used, in our words instead of argparse's."""
        for theirs, ours in PLAINER:
            message = theirs.sub(ours, message)
        raise UsageError(f"{self.prog}: {message} (usage: {self._usage()})")

    def option(self, *names: str, kind: Kind = "", **facts: Any) -> "Arguments":
        """Add an argument; see `argparse.ArgumentParser.add_argument`.

        Args:
            names: of the argument.
            kind: what its values are the names of.
            facts: what else argparse is told. Its `type` raises a ValueError that says what is right.
        """
        if not names[0].startswith("-"):
            facts.setdefault("metavar", names[0].upper())
        if "choices" in facts:
            facts["type"] = word(facts["choices"])
        if "type" in facts:
            facts["type"] = _in_its_words(facts["type"])
        self._kinds[self.add_argument(*names, **facts).dest] = kind
        return self

    @property
    def grammar(self) -> Grammar:
        """What help and completion tell of it."""
        options = tuple(self._option(action) for action in self._actions)
        return Grammar(self._usage(), options, self._examples)

    def _option(self, action: argparse.Action) -> Option:
        words = tuple(action.choices or ())
        value = "" if action.nargs == 0 else str(action.metavar or "|".join(words) or action.dest.upper())
        value = f"[{value}]" if action.nargs == "?" and action.option_strings else value
        repeats = action.nargs in {"+", "*"} or isinstance(action, argparse._AppendAction)  # noqa: SLF001 - no public way
        flags = tuple(action.option_strings)
        return Option(flags, value, action.help or "", words, self._kinds[action.dest], repeats)

    def _usage(self) -> str:
        return " ".join(self.format_usage().split()).removeprefix("usage: ")

    def _unexpected(self, unknown: list[str]) -> str:
        wrong = next((word for word in unknown if word.startswith("-")), None)
        if wrong is None:
            return f"{unknown[0]!r} is one word too many; a value with spaces stands in quotes."
        options = [text for action in self._actions for text in action.option_strings]
        return f"unknown option {wrong.partition('=')[0]}.{near_miss(wrong.partition('=')[0], options)}"


def explained_by(grammar: Grammar) -> Callable[[Method], Method]:
    """Make a decorator that puts the grammar into a magic's docstring, which is what ``%magic?`` shows.

    Args:
        grammar: what the magic takes.
    """

    def explain(method: Method) -> Method:
        method.__doc__ = grammar.help_text(inspect.cleandoc(method.__doc__ or ""))
        return method

    return explain


def _in_its_words(read: Callable[[str], Any]) -> Callable[[str], Any]:
    """Return a reader whose errors argparse passes on; of any other it would say no more than that it failed."""

    def reading(text: str) -> Any:
        try:
            return read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return reading


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

"""The line behind `%%cloaca_task`, and the `#| key: value` lines under it: text in, a task's name and options out."""

import argparse
import keyword
import shlex
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any, Final, NoReturn

from cloaca_nb.core.cell.options import OPTIONS, CellOption, TaskOptions
from cloaca_nb.errors import CellError, near_miss

__all__ = ["parse_options"]

MAGIC: Final = "%%cloaca_task"
BY_FLAG: Final = {option.flag: option for option in OPTIONS}


class _Parser(argparse.ArgumentParser):
    """Raises CellError where argparse would print and exit."""

    def error(self, message: str) -> NoReturn:
        raise CellError(f"{MAGIC}: {message}.")


def _reader(option: CellOption) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        try:
            return option.read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return read


@cache
def _parser() -> _Parser:
    parser = _Parser(prog=MAGIC, add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("name", nargs="?")
    for option in OPTIONS:
        if option.metavar:
            parser.add_argument(option.flag, dest=option.name, type=_reader(option), action="append")
        else:
            parser.add_argument(option.flag, dest=option.name, action="append_const", const=True)
    return parser


def parse_options(line: str, comments: Iterable[tuple[str, str]] = ()) -> tuple[str, TaskOptions]:
    """Read what stands behind the magic, and the options in the lines under it.

    Args:
        line: "clean --after load".
        comments: key and value of each ``#| key: value`` line.

    Returns:
        The task's name and its options.

    Raises:
        CellError: a ValueError, for anything that isn't understood.
    """
    found, rest = _parse(_words_of(line) + [word for key, value in comments for word in _comment_words(key, value)])
    if rest:
        raise CellError(_not_understood(rest))
    return _task_name(found.name), _options(vars(found))


def _words_of(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError as error:
        raise CellError(f"{MAGIC} {line.strip()}: {str(error).lower()}; each quote needs its other one.") from error


def _parse(words: list[str]) -> tuple[argparse.Namespace, list[str]]:
    try:
        return _parser().parse_known_args(words)
    except argparse.ArgumentError as error:
        option = BY_FLAG.get(error.argument_name or "")
        if option is None or not str(error.message).startswith(("expected", "ignored")):
            raise CellError(f"{MAGIC}: {error.argument_name}: {error.message}.".replace("?.", "?")) from error
        raise CellError(f"{MAGIC}: write {f'{option.flag} {option.metavar}'.strip()}. {option.help}") from error


def _comment_words(key: str, value: str) -> list[str]:
    option = BY_FLAG.get(f"--{key.replace('_', '-')}")
    if option is None:
        known = [one.key for one in OPTIONS]
        raise CellError(f"Unknown option `#| {key}`.{near_miss(key, known)} Options: {', '.join(known)}.")
    if option.metavar:
        return [f"{option.flag}={_unquoted(value)}"]
    try:
        return [option.flag] if option.read(value or "true") else []
    except ValueError as error:
        raise CellError(f"`#| {key}: {value}`: {error}.") from error


def _unquoted(value: str) -> str:
    """Take off the quotes around a whole value: people who know YAML write them."""
    whole = len(value) > 1 and value[0] == value[-1] and value[0] in "'\"" and value[0] not in value[1:-1]
    return value[1:-1] if whole else value


def _not_understood(rest: Sequence[str]) -> str:
    wrong = next((word for word in rest if word.startswith("-")), None)
    if wrong is None:
        return (
            f"{MAGIC}: {rest[0]!r} is one word too many. A task has one name, lists have no spaces (--after x,y), "
            "and a value with spaces stands in quotes."
        )
    flag = wrong.partition("=")[0]
    return f"{MAGIC}: unknown option {flag}.{near_miss(flag, BY_FLAG)} Options: {' '.join(BY_FLAG)}."


def _task_name(name: str | None) -> str:
    if name is None:
        raise CellError(f"{MAGIC} needs the task's name: `{MAGIC} NAME`.")
    if not name.isidentifier() or keyword.iskeyword(name):
        fixed = "".join(letter if letter.isalnum() else "_" for letter in name)
        fixed = fixed if fixed.isidentifier() and not keyword.iskeyword(fixed) else f"task_{fixed}"
        raise CellError(f"{MAGIC}: {name!r} can't name a task, because it is no Python name. Try `{MAGIC} {fixed}`.")
    return name


def _options(found: dict[str, Any]) -> TaskOptions:
    values: dict[str, Any] = {}
    for option in OPTIONS:
        given = found[option.name] or []
        if len(given) > 1:
            raise CellError(f"{MAGIC}: {option.flag} is given {len(given)} times. Give it once.")
        if given:
            values[option.name] = given[0]
    if "retry" in values and (others := [name for name in values if name.startswith("retry_")]):
        flags = ", ".join(f"--{name.replace('_', '-')}" for name in others)
        raise CellError(f"{MAGIC}: give --retry or {flags}, not both.")
    names = values.pop("in_", None)
    if names is not None:
        values["in_"] = tuple(name for name in names if not name.endswith("?"))
        values["optional"] = tuple(name.removesuffix("?") for name in names if name.endswith("?"))
    return TaskOptions(**values)

"""The options of a task cell: what may stand behind `%%cloaca_task NAME`, or as `#| key: value` lines under it."""

import argparse
import json
import keyword
import shlex
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final, NamedTuple, NoReturn

from cloaca_nb.core.backoff import BACKOFFS
from cloaca_nb.core.cell.rule_text import read_rule, rule_code
from cloaca_nb.core.retry_condition import CONDITIONS
from cloaca_nb.errors import CellError, near_miss

__all__ = ["OPTIONS", "CellOption", "TaskOptions", "decorator_arguments", "parse_options"]

MAGIC: Final = "%%cloaca_task"


@dataclass(frozen=True, slots=True)
class TaskOptions:
    """The options of a task cell as the user gave them; None (or empty, or False) where absent.

    Attributes:
        in_: `--in`: names that come from the context, those with a question mark left out; None: infer them.
        optional: `--in b?`: names that come from the context if they are there.
        out: `--out`: names that are put in the context; None: those that the body assigns.
        after: `--after`: tasks that this one follows, besides those that its names ask for.
        try_: `--try`: run this task at once.
        debug: `--debug`: run it on the main thread, for a debugger.
        retry: the name of a retry policy of the notebook.
        trigger_rules: the text of a rule, e.g. ``task_failed("load")``.
        timeout: seconds per attempt.
        executor: "process".
        on_success: the name of a function of the notebook; `on_failure` likewise.

    The others are those of `task`.
    """

    in_: tuple[str, ...] | None = None
    optional: tuple[str, ...] = ()
    out: tuple[str, ...] | None = None
    after: tuple[str, ...] = ()
    try_: bool = False
    debug: bool = False
    retry: str | None = None
    retry_attempts: int | None = None
    retry_backoff: str | None = None
    retry_delay_ms: int | None = None
    retry_max_delay_ms: int | None = None
    retry_condition: str | None = None
    retry_jitter: bool | None = None
    on_success: str | None = None
    on_failure: str | None = None
    trigger_rules: str | None = None
    timeout: float | None = None
    executor: str | None = None

    def given(self) -> dict[str, Any]:
        """Return the options of the decorator that were given, by its names for them."""
        values = {name: getattr(self, name) for name in DECORATOR}
        return {name: value for name, value in values.items() if value is not None}


OURS: Final = ("in_", "optional", "out", "after", "try_", "debug")
NAMING: Final = ("retry", "on_success", "on_failure")  # their values are names of the notebook
DECORATOR: Final = tuple(one.name for one in fields(TaskOptions) if one.name not in OURS)


class CellOption(NamedTuple):
    """One option.

    Attributes:
        flag: "--retry-attempts".
        metavar: what its value is, as help shows it; empty for a flag without one.
        help: a sentence.
        read: makes the value of the text, or raises a ValueError that says what is right.
        words: the right words, where only certain ones are.
    """

    flag: str
    metavar: str
    help: str
    read: Callable[[str], Any]
    words: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """How it is called in a ``#|`` line: "retry-attempts"."""
        return self.flag.removeprefix("--")

    @property
    def name(self) -> str:
        """How `TaskOptions` calls it."""
        name = self.key.replace("-", "_")
        return f"{name}_" if keyword.iskeyword(name) else name


# -- values


def _names(text: str) -> tuple[str, ...]:
    inner = text.strip()
    inner = inner[1:-1] if inner.startswith("[") and inner.endswith("]") else inner
    names = tuple(part.strip().strip("'\"") for part in inner.split(",") if part.strip())
    for name in names:
        _identifier(name.removesuffix("?"))
    return names


def _plain_names(text: str) -> tuple[str, ...]:
    names = _names(text)
    for name in names:
        if name.endswith("?"):
            raise ValueError(f"{name!r} has a question mark, which only --in knows: leave it away")
    return names


def _identifier(name: str) -> str:
    if not name.isidentifier() or keyword.iskeyword(name):
        raise ValueError(f"{name!r} is no Python name: list names like a,b")
    return name


def _task_ids(text: str) -> tuple[str, ...]:
    inner = text.strip()
    inner = inner[1:-1] if inner.startswith("[") and inner.endswith("]") else inner
    return tuple(part.strip().strip("'\"") for part in inner.split(",") if part.strip())


def _dotted_name(text: str) -> str:
    """Return `text` if it is a name of Python code, perhaps with dots; otherwise raise a ValueError."""
    if not all(part.isidentifier() and not keyword.iskeyword(part) for part in text.split(".")):
        raise ValueError(f"{text!r} is no name: give the name of one that the notebook defines")
    return text


def _count(text: str) -> int:
    if not text.isdecimal():
        raise ValueError(f"{text!r} is no whole number of 0 or more: give one, like 3")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise ValueError(f"{text!r} is no number of seconds above 0: give one, like 30 or 0.5")
    return int(seconds) if seconds.is_integer() else seconds


def _truth(text: str) -> bool:
    if text.lower() not in TRUTH:
        raise ValueError(f"{text!r} is neither true nor false: give one of them")
    return TRUTH[text.lower()]


def _word(words: Sequence[str]) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in words:
            raise ValueError(f"{text!r} is not one of {', '.join(words)}.{near_miss(text, words)}".removesuffix("."))
        return text

    return read


def _rule(text: str) -> str:
    read_rule(text)
    return text


def _worded(flag: str, words: Sequence[str], help_text: str) -> CellOption:
    return CellOption(flag, "|".join(words), help_text, _word(words), tuple(words))


TRUTH: Final = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
OPTIONS: Final[tuple[CellOption, ...]] = (
    CellOption("--in", "a,b?", "Names that come from the context; with ? if they are there.", _names),
    CellOption("--out", "c,d", "Names that are put in the context.", _plain_names),
    CellOption("--after", "x,y", "Tasks that this one follows without taking data from them.", _task_ids),
    CellOption("--try", "", "Run this one task now.", _truth),
    CellOption("--debug", "", "Run it on the main thread, where debuggers work.", _truth),
    CellOption("--retry-attempts", "N", "Attempts after the first.", _count),
    _worded("--retry-backoff", tuple(BACKOFFS), "How the delay between attempts grows."),
    CellOption("--retry-delay-ms", "MS", "The first delay, in milliseconds.", _count),
    CellOption("--retry-max-delay-ms", "MS", "The longest delay, in milliseconds.", _count),
    _worded("--retry-condition", tuple(CONDITIONS), "Which errors are worth another attempt."),
    CellOption("--retry-jitter", "true|false", "Whether delays vary by up to 25%.", _truth, ("true", "false")),
    CellOption("--retry", "NAME", "A retry policy of the notebook, instead of the --retry-… options.", _dotted_name),
    CellOption("--timeout", "SECONDS", "How long an attempt may take.", _seconds),
    _worded("--executor", ("process",), "Where it runs, if not on a thread."),
    CellOption("--on-success", "FUNCTION", "Called with (task_id, context) after success.", _dotted_name),
    CellOption(
        "--on-failure", "FUNCTION", "Called with (task_id, error, context) after the last attempt.", _dotted_name
    ),
    CellOption("--trigger-rules", "RULE", "When to run instead of the default, e.g. 'task_failed(\"load\")'.", _rule),
)
BY_FLAG: Final = {option.flag: option for option in OPTIONS}


# -- the grammar


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


# -- the decorator


def decorator_arguments(task_id: str, options: TaskOptions, dependencies: Sequence[str] | None) -> Iterator[str]:
    """Yield the arguments of the decorator that says the same, each as Python code.

    >>> list(decorator_arguments("clean", TaskOptions(timeout=30, on_failure="notify"), ["load"]))
    ['id="clean"', 'dependencies=["load"]', 'on_failure=notify', 'timeout=30']
    """
    yield f"id={_quoted(task_id)}"
    if dependencies is not None:
        yield f"dependencies=[{', '.join(map(_quoted, dependencies))}]"
    for name, value in options.given().items():
        if name == "trigger_rules":
            yield f"{name}={rule_code(value)}"
        elif isinstance(value, str) and name not in NAMING:
            yield f"{name}={_quoted(value)}"
        else:
            yield f"{name}={value}"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)

"""The options of a task cell: which there are, what they mean, and the decorator's arguments that say the same."""

import json
import keyword
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final, NamedTuple

from cloaca_nb.core.backoff import BACKOFFS
from cloaca_nb.core.cell.option_values import (
    EXECUTORS,
    cache,
    count,
    dotted_name,
    executor,
    names,
    plain_names,
    rule,
    seconds,
    task_ids,
    truth,
    word,
)
from cloaca_nb.core.cell.rule_text import rule_code
from cloaca_nb.core.retry_condition import CONDITIONS

__all__ = ["OPTIONS", "CellOption", "TaskOptions", "decorator_arguments"]


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
        executor: "thread", "process", or the name of an executor of the notebook.
        cache: True, False, or a number of seconds.
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
    cache: bool | float | None = None

    def given(self) -> dict[str, Any]:
        """Return the options of the decorator that were given, by its names for them."""
        values = {name: getattr(self, name) for name in DECORATOR}
        return {name: value for name, value in values.items() if value is not None}

    def named(self) -> dict[str, str]:
        """Return the options whose values are names of the notebook, perhaps with dots, by the decorator's names."""
        given = {name: getattr(self, name) for name in NAMING}
        if self.executor in EXECUTORS:
            del given["executor"]
        return {name: value for name, value in given.items() if value is not None}


OURS: Final = ("in_", "optional", "out", "after", "try_", "debug")
NAMING: Final = ("on_success", "on_failure", "retry", "executor")  # their values may be names of the notebook
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


# -- all of them


def _worded(flag: str, words: Sequence[str], help_text: str) -> CellOption:
    return CellOption(flag, "|".join(words), help_text, word(words), tuple(words))


OPTIONS: Final[tuple[CellOption, ...]] = (
    CellOption("--in", "a,b?", "Names that come from the context; with ? if they are there.", names),
    CellOption("--out", "c,d", "Names that are put in the context.", plain_names),
    CellOption("--after", "x,y", "Tasks that this one follows without taking data from them.", task_ids),
    CellOption("--try", "", "Run this one task now.", truth),
    CellOption("--debug", "", "Run it on the main thread, where debuggers work.", truth),
    CellOption("--retry-attempts", "N", "Attempts after the first.", count),
    _worded("--retry-backoff", tuple(BACKOFFS), "How the delay between attempts grows."),
    CellOption("--retry-delay-ms", "MS", "The first delay, in milliseconds.", count),
    CellOption("--retry-max-delay-ms", "MS", "The longest delay, in milliseconds.", count),
    _worded("--retry-condition", tuple(CONDITIONS), "Which errors are worth another attempt."),
    CellOption("--retry-jitter", "true|false", "Whether delays vary by up to 25%.", truth, ("true", "false")),
    CellOption("--retry", "NAME", "A retry policy of the notebook, instead of the --retry-… options.", dotted_name),
    CellOption("--timeout", "SECONDS", "How long an attempt may take.", seconds),
    CellOption(
        "--executor",
        "thread|process|NAME",
        "Where it runs: on a thread, in a process of its own, or on an executor of the notebook.",
        executor,
    ),
    CellOption(
        "--cache",
        "true|false|SECONDS",
        "Whether it is taken from an earlier run that has it unchanged: always, never, or if no older than that.",
        cache,
        ("true", "false"),
    ),
    CellOption("--on-success", "FUNCTION", "Called with (task_id, context) after success.", dotted_name),
    CellOption(
        "--on-failure", "FUNCTION", "Called with (task_id, error, context) after the last attempt.", dotted_name
    ),
    CellOption("--trigger-rules", "RULE", "When to run instead of the default, e.g. 'task_failed(\"load\")'.", rule),
)


# -- the decorator


def decorator_arguments(task_id: str, options: TaskOptions, dependencies: Sequence[str] | None) -> Iterator[str]:
    """Yield the arguments of the decorator that says the same, each as Python code.

    >>> list(decorator_arguments("clean", TaskOptions(timeout=30, on_failure="notify"), ["load"]))
    ['id="clean"', 'dependencies=["load"]', 'on_failure=notify', 'timeout=30']
    """
    yield f"id={_quoted(task_id)}"
    if dependencies is not None:
        yield f"dependencies=[{', '.join(map(_quoted, dependencies))}]"
    named = options.named()
    for name, value in options.given().items():
        if name == "trigger_rules":
            yield f"{name}={rule_code(value)}"
        elif isinstance(value, str) and name not in named:
            yield f"{name}={_quoted(value)}"
        else:
            yield f"{name}={value}"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)

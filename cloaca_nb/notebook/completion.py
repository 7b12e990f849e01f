"""Completion of what stands behind our magics, and in the lines of options of a task cell."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from IPython.core.completer import CompletionContext, SimpleCompletion, SimpleMatcherResult, context_matcher

from cloaca_nb.core.cell.option_values import EXECUTORS
from cloaca_nb.core.cells import is_params_cell, is_task_cell, parse_params_cell, parse_task_cell
from cloaca_nb.core.retry import RetryPolicy
from cloaca_nb.core.run_id import short
from cloaca_nb.errors import CloacaError
from cloaca_nb.notebook.arguments import Option
from cloaca_nb.notebook.grammar import GRAMMARS, PARAMS, TASK

if TYPE_CHECKING:
    from cloaca_nb.notebook.session import Session

__all__ = ["Completion", "Suggestions", "suggest"]

MAGIC: Final = re.compile(r"\s*(?:[\w.,\s]+=\s*)?%{1,2}(?P<name>cloaca_\w+)\s(?P<rest>.*)")
COMMENT: Final = re.compile(r"#\|\s*(?P<key>[\w-]*)(?P<colon>\s*:\s*)?(?P<value>.*)")


class Suggestions(NamedTuple):
    """What could stand at the cursor.

    Attributes:
        fragment: what of it is there already.
        texts: what could stand in its place, the best first.
    """

    fragment: str
    texts: tuple[str, ...] = ()


class Names:
    """What a notebook has names for.

    Args:
        session: the notebook's.
        cell: the text of the cell that is being written, as far as it is known.
        workflow: the name of the workflow whose tasks and parameters are asked for; by default the current one.
    """

    def __init__(self, session: "Session", cell: str = "", workflow: str | None = None) -> None:
        self._session = session
        self._cell = cell
        self._workflow = workflow

    def within(self, workflow: str | None) -> "Names":
        """Return the names where tasks and parameters are those of another workflow."""
        return Names(self._session, self._cell, workflow) if workflow else self

    def of(self, kind: str) -> Iterable[str]:
        """Return the names of that kind; see `arguments.Kind`."""
        source = self._sources.get(kind)
        return () if source is None else source()

    @cached_property
    def _sources(self) -> dict[str, Callable[[], Iterable[str]]]:
        session, defined = self._session, self._session.definitions
        return {
            "workflow": defined.workflow_names,
            "task": lambda: defined.task_ids(self._workflow),
            "any task": lambda: (id_ for name in defined.workflow_names() for id_ in defined.task_ids(name)),
            "input": defined.known_keys,
            "output": self._assigned,
            "key": lambda: session.last_result.final_context if session.last_result else (),
            "run": lambda: map(short, session.known_runs()),
            "live run": lambda: (short(run.run_id) for run in session.runs.going_on()),
            "parameter": lambda: (f"{name}=" for name in defined.parameters(self._workflow)),
            "function": lambda: self._of_type(FunctionType),
            "policy": lambda: self._of_type(RetryPolicy),
            "executor": lambda: (*EXECUTORS, *self._of_type(Executor)),
        }

    def value_of(self, parameter: str) -> Iterable[str]:
        """Return what a parameter could be set to, as it would be written."""
        value: Any = self._session.definitions.parameters(self._workflow).known.get(parameter)
        if isinstance(value, bool):
            return ("true", "false")
        return () if value is None else (str(value),)

    def _assigned(self) -> Iterable[str]:
        with suppress(CloacaError):  # the cell isn't finished
            if is_params_cell(self._cell):
                return parse_params_cell(self._cell).names
            return parse_task_cell(self._cell).names.bound if is_task_cell(self._cell) else ()
        return ()

    def _of_type(self, kind: type) -> Iterator[str]:
        for name, value in self._session.definitions.names.items():
            is_own = not name.startswith("_") and isinstance(value, kind)
            if is_own and (kind is not FunctionType or value.__module__ == "__main__"):  # IPython has put some there
                yield name


class NothingElse:
    """No completion at all, that counts as one: only then does IPython ask none of its other matchers."""

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[SimpleCompletion]:
        return iter(())


class Completion:
    """The matcher of one shell.

    Args:
        session: the notebook's.
    """

    def __init__(self, session: "Session") -> None:
        self._session = session

    @context_matcher()  # type: ignore[untyped-decorator]  # IPython's
    def match(self, context: CompletionContext) -> SimpleMatcherResult:
        """Say what could stand at the cursor, and that nothing else could."""
        before = context.text_until_cursor
        found = suggest(before, context.full_text, Names(self._session, _without_line(context)))
        if found is None:
            return {"completions": [], "suppress": False}
        completions = [
            SimpleCompletion(text, type="param" if text.startswith("-") else "value") for text in found.texts
        ]
        offered: Any = completions or NothingElse()
        return {"completions": offered, "matched_fragment": found.fragment, "suppress": True}


def suggest(before: str, cell: str, names: Names) -> Suggestions | None:
    """Return what could stand at the end of `before`; None where that isn't for us to say.

    Args:
        before: the line up to the cursor.
        cell: all that is known of the cell, the line included.
        names: what the notebook has names for.
    """
    if (magic := MAGIC.fullmatch(before)) and magic["name"] in GRAMMARS:
        return _in_words(magic["rest"], GRAMMARS[magic["name"]].options, names)
    is_whole = "\n" in cell  # a kernel may pass on the line alone
    if (comment := COMMENT.fullmatch(before)) and (not is_whole or is_task_cell(cell) or is_params_cell(cell)):
        return _in_comment(comment, (PARAMS if is_params_cell(cell) else TASK).options, names)
    return None


def _in_comment(comment: re.Match[str], options: Sequence[Option], names: Names) -> Suggestions:
    keys = {option.flags[0].removeprefix("--"): option for option in options}
    if comment["colon"] is None:
        key = comment["key"]
        return Suggestions(key, tuple(f"{one}: " for one in keys if one.startswith(key)))
    option = keys.get(comment["key"].replace("_", "-"))
    if option is None:
        return Suggestions("")
    return _values(comment["value"], option if option.value else option._replace(words=("true", "false")), names)


def _in_words(rest: str, options: Sequence[Option], names: Names) -> Suggestions:
    *words, current = re.split(r"\s+", rest)
    by_flag = {flag: option for option in options for flag in option.flags}
    names = names.within(_workflow(words, by_flag, options))
    before = by_flag.get(words[-1]) if words else None
    flag, equals, value = current.partition("=")
    if before is not None and before.value:
        return _values(current, before, names)
    if equals and flag in by_flag:
        return _values(value, by_flag[flag], names)
    given = {by_flag[word.partition("=")[0]] for word in words if word.partition("=")[0] in by_flag}
    flags = [_longest(option) for option in options if option.flags and (option not in given or option.repeats)]
    flags = [one for one in flags if one.startswith(current)]
    if current.startswith("-"):
        return Suggestions(current, tuple(flags))
    place = _place(words, by_flag, options)
    found = _values(current, place, names) if place is not None else Suggestions(current)
    return found if current else Suggestions("", (*found.texts, *flags))


def _longest(option: Option) -> str:
    return max(option.flags, key=len)


def _place(words: Sequence[str], by_flag: dict[str, Option], options: Sequence[Option]) -> Option | None:
    """Return the argument without a flag that comes next."""
    places = [option for option in options if not option.flags]
    count = len(_placed(words, by_flag))
    if count < len(places):
        return places[count]
    return places[-1] if places and places[-1].repeats else None


def _workflow(words: Sequence[str], by_flag: dict[str, Option], options: Sequence[Option]) -> str | None:
    """Return the workflow that a line names."""
    places = [option for option in options if not option.flags]
    named = zip(places, _placed(words, by_flag), strict=False)  # one may be unwritten, or written too much
    return next((word for option, word in named if option.kind == "workflow"), None)


def _placed(words: Sequence[str], by_flag: dict[str, Option]) -> list[str]:
    """Return the words that are known by their place: those that are no flags, and no values of flags."""
    found, is_value = [], False
    for word in words:
        option = by_flag.get(word.partition("=")[0])
        if option is None and not is_value and word:
            found.append(word)
        is_value = option is not None and bool(option.value) and "=" not in word
    return found


def _values(text: str, option: Option, names: Names) -> Suggestions:
    """Return what could stand for the last value in `text`."""
    if option.kind == "folder":
        return _folders(text)
    if option.kind == "parameter" and "=" in text:
        name, _, value = text.partition("=")
        return _beginning(value, names.value_of(name))
    listed = option.kind in {"input", "output"} or option.value == "x,y"
    given = re.split(r"[,\[\s]+", text) if listed else [text]
    fragment = given.pop()
    known = option.words or names.of(option.kind)
    return _beginning(fragment, (one for one in known if one not in given and f"{one}?" not in given))


def _beginning(fragment: str, known: Iterable[str]) -> Suggestions:
    return Suggestions(fragment, tuple(dict.fromkeys(one for one in known if one.startswith(fragment))))


def _folders(text: str) -> Suggestions:
    head, slash, tail = text.rpartition("/")
    folder = Path(f"{head}{slash}").expanduser()
    with suppress(OSError):  # there is no such folder, or it is closed to us
        found = sorted(one.name for one in folder.iterdir() if one.is_dir())
        shown = (one for one in found if tail.startswith(".") or not one.startswith("."))
        return _beginning(text, (f"{head}{slash}{one}/" for one in shown))
    return Suggestions(text)


def _without_line(context: CompletionContext) -> str:
    """Return the cell as it would be without the unfinished word at the cursor."""
    lines = context.full_text.split("\n")
    line, position = lines[context.cursor_line], context.cursor_position
    unfinished = r".*" if line.startswith("#|") else r"(\s--?[\w-]+)?[\s=]+[^\s=]*$"
    lines[context.cursor_line] = re.sub(unfinished, "", line[:position])
    return "\n".join(lines)

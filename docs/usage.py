"""Writes usage.md beside it: every magic, setting and command with its options, and what history answers."""

import inspect
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from typer.core import TyperArgument
from typer.main import get_command

import cloaca_nb
from cloaca_nb.cli.app import app
from cloaca_nb.cli.examples import EXAMPLES
from cloaca_nb.history.history import History
from cloaca_nb.history.schema import TABLES
from cloaca_nb.history.views import VIEWS
from cloaca_nb.notebook.grammar import GRAMMARS
from cloaca_nb.notebook.magics import CloacaMagics
from cloaca_nb.notebook.settings import Cloaca

if TYPE_CHECKING:
    from click import Command, Parameter

PAGE: Final = Path(__file__).with_name("usage.md")
HEAD: Final = """\
# Magics, settings, commands and history

What each takes, as `%cloaca_run?` and `cloaca-nb run --help` show it too. The text is taken from the code by
`python docs/usage.py`, and a test says when the two differ. The names in Python have
[a page of their own](conformance.md).
"""
QUESTIONS: Final = {  # of a history, each with an example
    "runs": "cloaca.history().runs(20)",
    "tasks": 'cloaca.history().tasks("739dbdbf")',
    "attempts": "cloaca.history().attempts()",
    "logs": 'cloaca.history().logs("clean")',
    "context": "cloaca.history().context()",
    "diff": 'cloaca.history().diff("739dbdbf", "25558ee9")',
    "usual": 'cloaca.history().usual("flights")',
    "sql": 'cloaca.history().sql("FROM task_statistics")',
    "prune": 'cloaca.history().prune(keep="30 days", dry_run=True)',
}
SQL_EXAMPLES: Final = (
    "SELECT workflow, status, duration FROM run_summary ORDER BY started DESC LIMIT 10",
    "SELECT task_id, p50, p95, failed FROM task_statistics WHERE workflow = 'flights' ORDER BY p95 DESC",
    "SELECT run_id, error, location FROM task_summary WHERE outcome = 'Failed'",
)
CELL_MAGICS: Final = ("cloaca_task", "cloaca_params", "cloaca_test")
HELP: Final = "--help"


class Row(NamedTuple):
    """One option: how it is written, and what it is for."""

    written: str
    text: str


def page() -> str:
    """Return the text of the page."""
    sections = {
        "In a notebook": magics(),
        "Settings": settings(),
        "In a shell": commands(),
        "The history in Python": questions(),
        "The history in SQL": views(),
    }
    return "\n".join([HEAD, *(text for title, texts in sections.items() for text in (f"## {title}\n", *texts))])


def magics() -> Iterator[str]:
    """Yield what there is to say of each magic, those of cells first."""
    for name in (*CELL_MAGICS, *(one for one in GRAMMARS if one not in CELL_MAGICS)):
        grammar = GRAMMARS[name]
        _, purpose, *_ = inspect.getdoc(getattr(CloacaMagics, name)).split("\n\n")
        yield f"### `{'%%' if name in CELL_MAGICS else '%'}{name}`\n\n{_one_line(purpose)}\n"
        yield _fenced(("\n\n" if name in CELL_MAGICS else "\n").join(grammar.examples))
        yield _table(Row(option.written, _sentence(option.help)) for option in grammar.options)


def settings() -> Iterator[str]:
    """Yield what `%config Cloaca` sets."""
    yield "`%config Cloaca.NAME = …` sets one in a notebook, `c.Cloaca.NAME = …` in `ipython_config.py` for all.\n"
    traits = Cloaca.class_traits(config=True)
    yield _table(Row(f"{name} = {trait.default_value!r}", trait.help) for name, trait in sorted(traits.items()))


def commands() -> Iterator[str]:
    """Yield what there is to say of each command."""
    yield "`cloaca-nb diff`, `logs` and `sql` are short for `cloaca-nb history diff` and so on.\n"
    for name, command in _shown("cloaca-nb", get_command(app)):
        purpose, *_ = (command.help or "").split("\n\n")
        yield f"### `{name}`\n\n{_one_line(purpose)}\n"
        if examples := EXAMPLES.get(name.split()[-1]):
            yield _fenced("\n".join(examples))
        yield _table(_row(one) for one in command.params if HELP not in one.opts)


def questions() -> Iterator[str]:
    """Yield what there is to ask a history in Python."""
    yield (
        f"`cloaca_nb.history()`: {_one_line(_first_paragraph(cloaca_nb.history))} Answers are pandas frames, but for "
        "`diff`, `usual` and `prune`; a run is named by its id, or by the end of that which tables show.\n"
    )
    yield _fenced("\n".join(QUESTIONS.values()))
    yield _table(Row(_called(name), _first_paragraph(getattr(History, name))) for name in QUESTIONS)


def views() -> Iterator[str]:
    """Yield the views that users ask in SQL, column by column."""
    yield (
        "`%cloaca_sql`, `%%cloaca_sql`, `cloaca-nb history sql` and `history().sql()` ask these views. Their columns "
        "stay: later versions may add some, and take none away. `FROM documentation` tells of the tables behind them, "
        f"too: {', '.join(one.name for one in TABLES)}.\n"
    )
    yield _fenced("\n\n".join(SQL_EXAMPLES))
    for view, _ in VIEWS:
        yield f"### `{view.name}`\n\n{_one_line(_sentence(view.meaning))}\n"
        yield _table(Row(f"{one.name} {one.type}", one.meaning) for one in view.columns)


def _called(name: str) -> str:
    parameters = list(inspect.signature(getattr(History, name)).parameters.values())[1:]
    return f"{name}{inspect.Signature([one.replace(annotation=one.empty) for one in parameters])}"


def _first_paragraph(one: object) -> str:
    return (inspect.getdoc(one) or "").partition("\n\n")[0]


def _shown(name: str, command: "Command") -> Iterator[tuple[str, "Command"]]:
    below: Mapping[str, Command] = getattr(command, "commands", {})
    yield name, command
    for key, one in below.items():
        if not one.hidden:
            yield from _shown(f"{name} {key}", one)


def _row(one: "Parameter") -> Row:
    metavar = "" if getattr(one, "is_flag", False) else one.metavar or (one.name or "").upper()
    written = metavar if isinstance(one, TyperArgument) else f"{', '.join(sorted(one.opts, key=len))} {metavar}"
    return Row(written.strip(), getattr(one, "help", "") or "")


def _table(rows: Iterator[Row]) -> str:
    lines = [f"| `{row.written.replace('|', chr(92) + '|')}` | {_one_line(row.text)} |\n" for row in rows]
    return "".join(["| | |\n| --- | --- |\n", *lines]) if lines else "It has no options.\n"


def _fenced(text: str) -> str:
    return f"```\n{text}\n```\n"


def _one_line(text: str) -> str:
    return " ".join(text.replace("|", "\\|").replace("<", "\\<").split())


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")

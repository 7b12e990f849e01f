"""Writes usage.md beside it: every magic, setting and command with its options, as the code has them."""

import inspect
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from typer.core import TyperArgument
from typer.main import get_command

from cloaca_nb.cli.app import app
from cloaca_nb.cli.examples import EXAMPLES
from cloaca_nb.notebook.grammar import GRAMMARS
from cloaca_nb.notebook.magics import CloacaMagics
from cloaca_nb.notebook.settings import Cloaca

if TYPE_CHECKING:
    from click import Command, Parameter

PAGE: Final = Path(__file__).with_name("usage.md")
HEAD: Final = """\
# Magics, settings and commands

What each takes, as `%cloaca_run?` and `cloaca-nb run --help` show it too. The text is taken from the code by
`python docs/usage.py`, and a test says when the two differ. The names in Python have
[a page of their own](conformance.md).
"""
CELL_MAGICS: Final = ("cloaca_task", "cloaca_params", "cloaca_test")
HELP: Final = "--help"


class Row(NamedTuple):
    """One option: how it is written, and what it is for."""

    written: str
    text: str


def page() -> str:
    """Return the text of the page."""
    return "\n".join(
        [HEAD, "## In a notebook\n", *magics(), "## Settings\n", *settings(), "## In a shell\n", *commands()]
    )


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

"""Options that several commands have."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from cloaca_nb.core.cell.option_values import word
from cloaca_nb.errors import near_miss
from cloaca_nb.runner import DURABILITIES

__all__ = [
    "STYLE",
    "AsJson",
    "Durable",
    "HistoryUrl",
    "Params",
    "Variables",
    "Vendor",
    "Verbose",
    "WorkflowName",
    "check_exists",
    "reader",
]

STYLE: Final[dict[str, Any]] = {
    "add_completion": False,
    "rich_markup_mode": None,  # one look for all messages, in logs too
    "pretty_exceptions_enable": False,
    "context_settings": {"help_option_names": ["-h", "--help"]},
}


def reader(read: Callable[[str], Any]) -> Callable[[object], Any]:
    """Return the parser of an option whose wrong values are answered with what is right, in our words.

    Args:
        read: makes a value of a text, or raises a ValueError.
    """

    def value(given: object) -> Any:  # a text, or the option's default
        try:
            return read(str(given))
        except ValueError as error:
            said = str(error)
            raise typer.BadParameter(said if said.endswith("?") else f"{said}.") from None

    return value


Params = Annotated[
    list[str] | None,
    typer.Option("--param", metavar="KEY=VALUE", help="A value of the initial context, as JSON or text. Repeatable."),
]
Variables = Annotated[
    list[str] | None,
    typer.Option(
        "--var", metavar="NAME=VALUE", help="A value for var(NAME), instead of CLOACINA_VAR_NAME's. Repeatable."
    ),
]
HistoryUrl = Annotated[
    str | None,
    typer.Option(
        "--history",
        metavar="URL",
        help="Where history lies: a path or duckdb:/// URL, or :memory:. By default CLOACA_HISTORY, else the nearest "
        ".cloaca/history.duckdb upward from here.",
    ),
]
Durable = Annotated[
    str,
    typer.Option(
        "--durability",
        parser=reader(word(DURABILITIES)),
        metavar="run|task",
        help="When a task is on disk: at the latest when its run ends, or before anything that depends on it starts, "
        "for tasks that must not run twice.",
    ),
]
WorkflowName = Annotated[str | None, typer.Option(metavar="NAME", help="Which workflow, where there are several.")]
Vendor = Annotated[
    list[str] | None,
    typer.Option(
        "--vendor",
        metavar="NAME",
        help="A distribution that is installed here, to be carried in vendor/ with all that it requires. Repeatable.",
    ),
]
Verbose = Annotated[
    bool, typer.Option("--verbose", "-v", help="Say in full why each task was executed or taken from history.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def check_exists(path: Path, argument: str) -> None:
    """Raise a usage error if there is no such path; the near miss is of its kind.

    Args:
        path: that was given.
        argument: as `--help` calls it.
    """
    if not path.exists():
        beside = path.parent.iterdir() if path.parent.is_dir() else ()
        known = [one.name for one in beside if path.suffix in {"", one.suffix} and not one.name.startswith(".")]
        raise typer.BadParameter(f"There is no {str(path)!r}.{near_miss(path.name, known)}", param_hint=argument)

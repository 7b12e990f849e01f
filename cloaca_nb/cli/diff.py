"""`cloaca-nb history diff`: what differs between two runs."""

from typing import Annotated, Final

import typer
from rich.text import Text

from cloaca_nb.cli.opened import opened
from cloaca_nb.cli.options import HistoryUrl
from cloaca_nb.cli.table import stdout

__all__ = ["show_diff"]

STYLES: Final = {"+": "green", "-": "red", "@": "cyan"}  # of the lines of a unified diff
IN_DIFF: Final = "    "


def show_diff(
    a: Annotated[
        str | None,
        typer.Argument(
            metavar="A",
            help="A run, as `history` names it. By default the latest run.",
            show_default=False,
        ),
    ] = None,
    b: Annotated[
        str | None,
        typer.Argument(metavar="B", help="Another one. By default the latest other run of A's workflow."),
    ] = None,
    history: HistoryUrl = None,
) -> None:
    """Show what differs between two runs, and nothing else: code, values, outcomes, durations."""
    with opened(history) as found:
        text = str(found.diff(a, b))
    console = stdout()
    for line in text.splitlines():
        console.print(Text(line, style=_style_of(line)))


def _style_of(line: str) -> str:
    if line.startswith(IN_DIFF):
        return STYLES.get(line[len(IN_DIFF) :][:1], "")
    return "bold" if line and not line.startswith(" ") else ""

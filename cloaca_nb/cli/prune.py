"""`cloaca-nb history prune`: old runs are removed."""

from typing import Annotated

import typer

from cloaca_nb.cli.opened import opened
from cloaca_nb.cli.options import HistoryUrl

__all__ = ["prune_history"]


def prune_history(
    *,
    keep: Annotated[
        str,
        typer.Option(metavar="N|PERIOD", help='How many runs of each workflow stay, or for how long, e.g. "30 days".'),
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say only what would be removed.")] = False,
    history: HistoryUrl = None,
) -> None:
    """Remove old runs, and the values that no other run needs; never one that goes on or that another needs."""
    with opened(history) as found:
        typer.echo(str(found.prune(keep, dry_run=dry_run)))

"""`cloaca-nb history sql`: one SELECT over the tables of history."""

from typing import TYPE_CHECKING, Annotated, Final

import typer

from cloaca_nb.cli.opened import opened
from cloaca_nb.cli.options import AsJson, HistoryUrl
from cloaca_nb.cli.table import show_table, stdout, table

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["answer_sql"]

MOST: Final = 1000  # rows on a screen


def answer_sql(
    query: Annotated[
        str,
        typer.Argument(metavar="QUERY", help='One SELECT, e.g. "FROM run_summary"; "FROM documentation" tells more.'),
    ],
    *,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV, with a header.")] = False,
    as_json: AsJson = False,
    history: HistoryUrl = None,
) -> None:
    """Answer one SELECT over the history's tables and views; it can only read."""
    if as_csv and as_json:
        raise typer.BadParameter("--csv and --json exclude each other; give one of them.", param_hint="--json")
    with opened(history) as found:
        frame = found.sql(query)
    if as_csv:
        typer.echo(frame.to_csv(index=False), nl=False)
    elif as_json:
        typer.echo(frame.to_json(orient="records", date_format="iso", date_unit="us", indent=2))
    else:
        _show(frame)


def _show(frame: "pd.DataFrame") -> None:
    rows = table()
    for title in frame.columns:
        rows.add_column(str(title))
    for row in frame.head(MOST).itertuples(index=False, name=None):
        rows.add_row(*("" if value is None or value != value else str(value) for value in row))  # noqa: PLR0124 - NaN, NaT
    show_table(stdout(), rows)
    if len(frame) > MOST:
        typer.echo(f"… and {len(frame) - MOST:,} more rows; --csv and --json print all.", err=True)

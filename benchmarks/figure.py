"""A figure: what was measured, what was asked of it, and whether it is met."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.table import Table

__all__ = ["MICRO", "Figure", "table"]

MICRO = 1e6  # seconds to microseconds


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """One thing that was measured; without a target it is there to compare with."""

    what: str
    value: float
    unit: str
    at_most: float | None = None
    at_least: float | None = None
    note: str = ""

    @property
    def is_met(self) -> bool | None:
        """Whether the target is met; None if there is none."""
        if self.at_most is None and self.at_least is None:
            return None
        return (self.at_most is None or self.value <= self.at_most) and (
            self.at_least is None or self.value >= self.at_least
        )

    @property
    def target(self) -> str:
        """The target as it is read."""
        if self.at_most is not None:
            return f"≤ {_number(self.at_most)}"
        return f"≥ {_number(self.at_least)}" if self.at_least is not None else ""


def table(title: str, figures: Sequence[Figure]) -> Table:
    """Show figures as a table with a row for each."""
    shown = Table(title=title, title_justify="left")
    shown.add_column("what", overflow="fold")
    shown.add_column("figure", justify="right", no_wrap=True)
    shown.add_column("target", justify="right", no_wrap=True)
    shown.add_column("met", no_wrap=True)
    shown.add_column("note", overflow="fold")
    for figure in figures:
        value = f"{_number(figure.value)} {figure.unit}"
        shown.add_row(figure.what, value, figure.target, VERDICTS[figure.is_met], figure.note)
    return shown


VERDICTS = {True: "[green]yes[/]", False: "[red]no[/]", None: ""}


def _number(value: float) -> str:
    """Write three digits that count, and no fewer than stand before the point."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"  # noqa: PLR2004 - three digits

"""A table as a cell shows it: aligned text, and HTML with inline styles that suit light and dark pages."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any, Final, NamedTuple

from cloaca_nb.core.look import LOOKS

__all__ = [
    "FAINT",
    "FONT",
    "MONO",
    "NOTE",
    "ONE_LINE",
    "RIGHT",
    "Cell",
    "Column",
    "note",
    "shortened",
    "state",
    "table_html",
    "table_text",
]

LONGEST_NOTE: Final = 120  # characters

FONT: Final = "font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif"
TABLE: Final = f"{FONT};font-size:13px;line-height:1.45;border-collapse:collapse;border:none;margin:0;max-width:100%"
HEAD: Final = (
    "padding:4px 16px 4px 0;border:none;font-weight:500;font-size:11px;opacity:0.65;background:none;white-space:nowrap"
)
CELL: Final = "padding:4px 16px 4px 0;border:none;border-bottom:1px solid rgba(128,136,150,0.2);vertical-align:top"
ONE_LINE: Final = "white-space:nowrap"
RIGHT: Final = "white-space:nowrap;text-align:right"
FAINT: Final = "opacity:0.65"
MONO: Final = "white-space:nowrap;font-family:ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace;font-size:12px"
NOTE: Final = "font-size:12px;opacity:0.75;overflow-wrap:anywhere"


class Cell(NamedTuple):
    """What stands in one cell: its text, the colour that its mark has, if any, and what is shown for it on a page."""

    text: str
    colour: str = ""
    html: str = ""  # instead of the text


class Column(NamedTuple):
    """One column: its title, the style of its cells, and the cells from top to bottom."""

    title: str
    style: str
    cells: Sequence[Cell]
    is_for_text: bool = False  # whether a page does without it


def state(state: str, text: str) -> Cell:
    """Return a cell that says how something stands: its mark, in its colour, and a text."""
    look = LOOKS[state]
    return Cell(f"{look.mark} {text}", look.either)


def note(*texts: Any) -> Cell:
    """Return a cell of those remarks that there are, on one line."""
    said = (" ".join(text.split()) for text in texts if text)
    return Cell(shortened("  ·  ".join(said), LONGEST_NOTE))


def shortened(text: str, length: int) -> str:
    """Return a text of at most so many characters."""
    return text if len(text) <= length else f"{text[: length - 1]}…"


def table_text(columns: Iterable[Column]) -> str:
    """Return the table as lines; columns in which nothing stands are left out."""
    return "\n".join(_lines([_padded(column) for column in _filled(columns)]))


def _filled(columns: Iterable[Column]) -> list[Column]:
    return [column for column in columns if any(cell.text or cell.html for cell in column.cells)]


def _lines(columns: Sequence[Sequence[str]]) -> Iterable[str]:
    return ("  ".join(row).rstrip() for row in zip(*columns, strict=True))


def _padded(column: Column) -> list[str]:
    texts = [column.title, *(cell.text for cell in column.cells)]
    width = max(map(len, texts))
    return [text.rjust(width) if RIGHT in column.style else text.ljust(width) for text in texts]


def table_html(columns: Iterable[Column]) -> str:
    """Return the table as HTML that shows in any page, also where scripts and style sheets are taken out."""
    columns = [column for column in _filled(columns) if not column.is_for_text]
    heads = "".join(
        f'<th style="{HEAD};text-align:{"right" if RIGHT in one.style else "left"}">{one.title}</th>' for one in columns
    )
    rows = zip(*(column.cells for column in columns), strict=True)
    body = "".join(f'<tr style="background:none">{_row(row, columns)}</tr>' for row in rows)
    return (
        f'<table style="{TABLE}"><thead><tr style="background:none;border:none">{heads}</tr></thead>'
        f"<tbody>{body}</tbody></table>"
    )


def _row(row: Sequence[Cell], columns: Sequence[Column]) -> str:
    return "".join(
        f'<td style="{CELL};text-align:left;{column.style}">{_coloured(cell)}</td>'
        for cell, column in zip(row, columns, strict=True)
    )


def _coloured(cell: Cell) -> str:
    if cell.html:
        return cell.html
    text = escape(cell.text)
    mark, _, rest = text.partition(" ")
    if not cell.colour:
        return text
    weight = f"color:{cell.colour};font-weight:600"
    return f'<span style="{weight}">{mark}</span> {rest}'.rstrip()

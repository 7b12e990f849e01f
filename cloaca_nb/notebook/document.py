"""What was executed, laid beside the notebook's saved file: the order of the document, and where the two differ."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from textwrap import shorten
from typing import Final, NamedTuple

from cloaca_nb.packaging.analysis.notebook import Cell

__all__ = ["Document", "Executed", "laid_beside"]

MOST: Final = 3  # cells that are named
LONGEST: Final = 60  # characters of the first line of one


class Executed(NamedTuple):
    """A cell as it was executed last.

    Attributes:
        id: its id; empty where the front end doesn't tell.
        text: what stood in it.
        at: when, in seconds since the epoch.
    """

    id: str
    text: str
    at: float


class Document(NamedTuple):
    """The cells to export, in document order, and a line for each difference to the saved file."""

    cells: tuple[Cell, ...]
    differences: tuple[str, ...]


def laid_beside(executed: Iterable[Executed], saved: Sequence[Cell], saved_at: float) -> Document:
    """Put what was executed into the order of a saved file.

    A cell is known there by its id, else by its text. One that the file doesn't have was deleted if it was executed
    before the file was saved; else it is newer than the file, and stands behind the one that was executed before it.

    Args:
        executed: the cells in the order in which they were first executed.
        saved: the code cells of the file.
        saved_at: when it was saved, in seconds since the epoch.
    """
    ran = list(executed)
    places = _places(ran, saved)
    slots: list[list[Cell]] = [[] for _ in range(len(saved) + 1)]  # of the first: what stands above the first cell
    newer: list[str] = []
    lines: list[str] = []
    behind = 0
    for number, one in enumerate(ran):
        place = places.get(number)
        if place is not None:
            behind = place + 1
            slots[behind].insert(0, replace(saved[place], text=one.text))
        elif one.at > saved_at:
            slots[behind].append(Cell(0, one.id, one.text))
            newer.append(_first_line(one.text))
        else:
            lines.append(f"no longer in the saved file, so not exported: {_first_line(one.text)}")
    placed = {place: ran[number] for number, place in places.items()}
    return Document(_numbered(slots, set(placed)), (*_differences(saved, placed), *_unsaved(newer), *lines))


def _places(ran: Sequence[Executed], saved: Sequence[Cell]) -> dict[int, int]:
    """Return for each executed cell, by its number, which cell of the file it is."""
    by_id = {cell.id: place for place, cell in enumerate(saved) if cell.id}
    found = {number: by_id[one.id] for number, one in enumerate(ran) if one.id in by_id}
    free = {place: cell for place, cell in enumerate(saved) if place not in found.values()}
    for number, one in enumerate(ran):
        alike = next((place for place, cell in free.items() if cell.text == one.text), None)
        if number not in found and alike is not None:
            found[number] = alike
            del free[alike]
    return found


def _numbered(slots: Sequence[Sequence[Cell]], placed: set[int]) -> tuple[Cell, ...]:
    """Number the cells as they will stand in the file once it is saved: those that never ran count as well."""
    found: list[Cell] = []
    number = 0
    for slot, cells in enumerate(slots):
        never_ran = slot > 0 and slot - 1 not in placed
        number += never_ran
        for cell in cells:
            number += 1
            found.append(replace(cell, number=number))
    return tuple(found)


def _differences(saved: Sequence[Cell], placed: dict[int, Executed]) -> Iterator[str]:
    for place, cell in enumerate(saved):
        if place not in placed:
            if cell.text.strip() and "%cloaca_export" not in cell.text:
                yield f"{cell.at(1)}: never executed, so not exported: {_first_line(cell.text)}"
        elif placed[place].text != cell.text:
            yield f"{cell.at(1)}: exported as executed, which is not what the saved file has"


def _unsaved(cells: Sequence[str]) -> Iterator[str]:
    """Yield one line for all cells that the file doesn't have yet, given their first lines."""
    if cells:
        count = f"{len(cells):,} cells are" if len(cells) > 1 else "1 cell is"
        named = [shorten(cell, LONGEST, placeholder=" …") for cell in cells[:MOST]] + ["…"] * (len(cells) > MOST)
        yield f"{count} not in the saved file yet, exported as executed; save the notebook: {'; '.join(named)}"


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "")

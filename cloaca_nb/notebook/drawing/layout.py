"""Where each task of a workflow is drawn: computed once, in Python, for the live panel and the static picture alike.

Time runs from left to right. Small workflows get cards with labels, in the order of `ranks`; larger ones get dots in
columns, which stays cheap however large they are. Lengths are SVG user units, about a CSS pixel each.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from cloaca_nb.notebook.drawing.ranks import Link, Part, Place, ranked, sorted_levels

if TYPE_CHECKING:
    from cloaca_nb.core.graph import Workflow

__all__ = ["MOST_CARDS", "Box", "Edge", "Layout", "lay_out", "shorten"]

MOST_CARDS = 150  # beyond that many, labels are too small to read: dots
_MOST_EDGES = 2_000  # beyond that many, edges are a grey blot: none

_COLUMN_GAP = 32.0
_MOST_TALL = 10  # rows of cards with the time below the name; with more, it stands beside it, to save height
_CARD_MARGIN, _NARROWEST, _MOST_LETTERS = 42.0, 54.0, 20
_FONT_SIZE = 13.0
# Widths of letters in the font's size, as in DejaVu Sans, the widest of the fonts that a picture may meet.
_THIN, _BROAD, _CAPITAL, _OTHER = 0.42, 0.99, 0.79, 0.64
_DOT, _DOT_PITCH, _LEVEL_GAP, _BAND_GAP, _DOT_ASPECT = 12.0, 18.0, 16.0, 14.0, 2.2
_PART_GAP, _SHELF, _BORDER = 28.0, 980.0, 6.0


class _Form(NamedTuple):
    """How large the cards of a drawing are."""

    height: float
    gap: float
    beside: float  # room for a time on the name's own line


_TALL, _SLIM = _Form(38.0, 10.0, 0.0), _Form(26.0, 6.0, 60.0)


class Box(NamedTuple):
    """A rectangle; `x` and `y` are its upper left corner."""

    x: float
    y: float
    width: float
    height: float

    @property
    def inlet(self) -> tuple[float, float]:
        """Where edges arrive."""
        return self.x, self.y + self.height / 2

    @property
    def outlet(self) -> tuple[float, float]:
        """Where edges leave."""
        return self.x + self.width, self.y + self.height / 2


class Edge(NamedTuple):
    """A dependency."""

    source: str
    target: str
    inferred: bool
    path: str  # the `d` of an SVG path


class Layout(NamedTuple):
    """A drawing's measures; `boxes` by task id, in registration order."""

    width: float
    height: float
    boxes: Mapping[str, Box]
    edges: tuple[Edge, ...]  # empty where there are too many to be told apart
    compact: bool  # dots without labels
    slim: bool = False  # cards of one line


class _Drawn(NamedTuple):
    """A part in units of length, its upper left corner at the origin."""

    boxes: dict[str, Box]
    routes: dict[Link, list[Box]]

    @property
    def size(self) -> tuple[float, float]:
        return (
            max(box.x + box.width for box in self.boxes.values()),
            max(box.y + box.height for box in (*self.boxes.values(), *(b for r in self.routes.values() for b in r))),
        )


def lay_out(workflow: "Workflow") -> Layout:
    """Return where the tasks of a workflow stand and how its edges run.

    Args:
        workflow: of any size; up to `MOST_CARDS` tasks become cards with labels, more become dots.
    """
    links = [(source, target) for target, sources in workflow.dependencies.items() for source in sources]
    compact = len(workflow.tasks) > MOST_CARDS
    parts = [] if compact else ranked(workflow, links)
    slim = any(part.rows > _MOST_TALL for part in parts)
    form = _SLIM if slim else _TALL
    drawn = _draw_dots(workflow) if compact else _pack([_draw_cards(part, form) for part in parts])
    boxes, routes = _shift(drawn, _BORDER, _BORDER)
    width, height = drawn.size
    return Layout(
        width=width + 2 * _BORDER,
        height=height + 2 * _BORDER,
        boxes={task.id: boxes[task.id] for task in workflow.tasks},
        edges=tuple(_edges(workflow, links, boxes, routes)) if len(links) <= _MOST_EDGES else (),
        compact=compact,
        slim=slim,
    )


def shorten(task_id: str) -> str:
    """Return a task's id as it fits its card."""
    return task_id if len(task_id) <= _MOST_LETTERS else f"{task_id[: _MOST_LETTERS - 1]}…"


# --- units of length ---


def _draw_cards(part: Part, form: _Form) -> _Drawn:
    """Make each level a column as wide as its longest label."""
    widths: dict[int, float] = defaultdict(float)
    for task_id, (level, _) in part.places.items():
        label = max(_width(shorten(task_id)), _NARROWEST)
        widths[level] = max(widths[level], _CARD_MARGIN + label + form.beside)
    lefts = {level: sum(widths[left] + _COLUMN_GAP for left in range(level)) for level in widths}

    def box(place: Place) -> Box:
        level, row = place
        return Box(lefts[level], row * (form.height + form.gap), widths[level], form.height)

    return _Drawn(
        {task_id: box(place) for task_id, place in part.places.items()},
        {link: [box(place) for place in route] for link, route in part.routes.items()},
    )


def _width(label: str) -> float:
    """Return how much room a label takes at most."""
    return _FONT_SIZE * sum(map(_letter_width, label))


def _letter_width(letter: str) -> float:
    if letter in "fijlrtI.,:;'|!()[]- ":
        return _THIN
    if letter in "mwMW@%…" or not letter.isascii():
        return _BROAD
    return _CAPITAL if letter.isupper() else _OTHER


def _draw_dots(workflow: "Workflow") -> _Drawn:
    """Write the levels like a text: columns from left to right, wrapped into bands."""
    rows = math.ceil(math.sqrt(len(workflow.tasks) / _DOT_ASPECT))
    most_width = rows * _DOT_ASPECT * _DOT_PITCH * 1.9
    boxes: dict[str, Box] = {}
    band: list[tuple[float, list[str]]] = []
    x = y = 0.0
    for ids in sorted_levels(workflow):
        columns = [ids[start : start + rows] for start in range(0, len(ids), rows)]
        if band and x + len(columns) * _DOT_PITCH > most_width:
            y = _draw_band(band, y, boxes)
            band, x = [], 0.0
        for column in columns:
            band.append((x, column))
            x += _DOT_PITCH
        x += _LEVEL_GAP
    _draw_band(band, y, boxes)
    return _Drawn(boxes, {})


def _draw_band(band: Sequence[tuple[float, Sequence[str]]], y: float, boxes: dict[str, Box]) -> float:
    """Add a band's dots to `boxes`, columns centred, and return where the next band begins."""
    most = max(len(column) for _, column in band)
    for x, column in band:
        top = y + (most - len(column)) * _DOT_PITCH / 2
        boxes.update((task_id, Box(x, top + row * _DOT_PITCH, _DOT, _DOT)) for row, task_id in enumerate(column))
    return y + most * _DOT_PITCH + _BAND_GAP


def _pack(parts: Sequence[_Drawn]) -> _Drawn:
    """Put parts side by side on shelves as wide as the widest of them."""
    limit = max(_SHELF, *(part.size[0] for part in parts))
    whole = _Drawn({}, {})
    x = y = shelf = 0.0
    for part in parts:
        width, height = part.size
        if x and x + width > limit:
            x, y, shelf = 0.0, y + shelf + _PART_GAP, 0.0
        boxes, routes = _shift(part, x, y)
        whole.boxes.update(boxes)
        whole.routes.update(routes)
        x, shelf = x + width + _PART_GAP, max(shelf, height)
    return whole


def _shift(drawn: _Drawn, x: float, y: float) -> _Drawn:
    def moved(box: Box) -> Box:
        return Box(box.x + x, box.y + y, box.width, box.height)

    return _Drawn(
        {task_id: moved(box) for task_id, box in drawn.boxes.items()},
        {link: [moved(box) for box in route] for link, route in drawn.routes.items()},
    )


# --- edges ---


def _edges(
    workflow: "Workflow", links: Iterable[Link], boxes: Mapping[str, Box], routes: Mapping[Link, list[Box]]
) -> Iterable[Edge]:
    inferred = {(source, target) for target, sources in workflow.inferred_dependencies.items() for source in sources}
    for source, target in links:
        passed = [boxes[source], *routes.get((source, target), ()), boxes[target]]
        yield Edge(source, target, (source, target) in inferred, _curve(passed))


def _curve(passed: Sequence[Box]) -> str:
    """Return a smooth path from box to box; a box in between is crossed in a straight line."""
    x, y = passed[0].outlet
    path = [f"M{x:g} {y:g}"]
    for left, right in pairwise(passed):
        (x0, y0), (x1, y1) = left.outlet, right.inlet
        if left is not passed[0]:
            path.append(f"L{x0:g} {y0:g}")
        bend = max((x1 - x0) / 2, 12.0)
        path.append(f"C{x0 + bend:g} {y0:g} {x1 - bend:g} {y1:g} {x1:g} {y1:g}")
    return "".join(path)

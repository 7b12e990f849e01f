"""The static picture of a workflow, with the state of a run in it: text in, SVG text out.

It has no background of its own, and what lies outside its cards is drawn in tones that are legible on light and dark:
a saved notebook is opened in either.
"""

from base64 import b64encode
from collections.abc import Iterable
from html import escape
from typing import Literal, TypeAlias

from cloaca_nb.core.duration import duration
from cloaca_nb.core.look import LOOKS, TAKEN, state_of
from cloaca_nb.core.record import RunRecord, TaskRecord
from cloaca_nb.notebook.drawing.layout import Box, Layout, shorten

__all__ = ["Theme", "draw", "image"]

Theme: TypeAlias = Literal["light", "auto"]

_FONT = "system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif"
_SHAPES = f"""
text{{font-family:{_FONT};dominant-baseline:central}}
.name{{font-size:13px;font-weight:500}}
.note{{font-size:11px;font-variant-numeric:tabular-nums}}
.end{{text-anchor:end}}
.edge{{fill:none;stroke:#8a94a3;stroke-opacity:.6;stroke-width:1.4}}
.inferred{{stroke-dasharray:5 4}}
.disc{{stroke-width:1.5}}
.dashed{{stroke-dasharray:2.6 2.2}}
.none{{visibility:hidden}}
.sign{{fill:none;stroke-width:1.6;stroke-linecap:round;stroke-linejoin:round}}
[data-state=Running] .sign{{stroke-width:5}}
.dot{{stroke-width:1.5}}
"""


def draw(layout: Layout, record: RunRecord | None = None, now: float = 0.0, *, theme: Theme = "auto") -> str:
    """Return a workflow's picture as SVG text.

    Args:
        layout: where things stand.
        record: the run whose states are shown; None: the workflow alone.
        now: seconds since the epoch, up to which the time of running tasks is counted.
        theme: "auto" follows the reader's colour scheme, "light" does not.
    """
    tasks = record.tasks if record else {}
    size = f'viewBox="0 0 {layout.width:g} {layout.height:g}" width="{layout.width:g}" height="{layout.height:g}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{_summary(layout, record)}">',
        f"<style>{_SHAPES}{_colours(theme)}</style>",
        *_edges(layout),
        *(_task(layout, task_id, box, tasks.get(task_id), now) for task_id, box in layout.boxes.items()),
        "</svg>",
    ]
    return "".join(parts)


def image(svg: str, text: str) -> str:
    """Return an HTML image that holds a picture: it stays where inline SVG is taken out of untrusted output.

    Args:
        svg: the picture.
        text: for those who don't see it.
    """
    data = b64encode(svg.encode()).decode()
    return f'<img src="data:image/svg+xml;base64,{data}" alt="{escape(text)}" style="max-width:100%;height:auto">'


def _summary(layout: Layout, record: RunRecord | None) -> str:
    name = f" of {record.workflow.name}: {record.status}" if record and record.workflow else ""
    return escape(f"Graph{name}, {len(layout.boxes)} tasks")


def _edges(layout: Layout) -> Iterable[str]:
    """Yield the edges; of dots as one path each for solid and dashed, because there are many."""
    if not layout.compact:
        for edge in layout.edges:
            yield f'<path class="{_edge_class(inferred=edge.inferred)}" d="{edge.path}"/>'
        return
    for inferred in (False, True):
        path = "".join(edge.path for edge in layout.edges if edge.inferred is inferred)
        if path:
            yield f'<path class="{_edge_class(inferred=inferred)}" style="stroke-opacity:.25" d="{path}"/>'


def _edge_class(*, inferred: bool) -> str:
    return "edge inferred" if inferred else "edge"


def _task(layout: Layout, task_id: str, box: Box, task: TaskRecord | None, now: float) -> str:
    state = state_of(task) if task else "Plain"
    marks = f'data-task-id="{escape(task_id)}" data-state="{state}"'
    if layout.compact:  # thousands of them: no more than it takes
        r = box.width / 2
        return f'<circle class="dot" {marks} cx="{box.x + r:g}" cy="{box.y + r:g}" r="{r:g}"/>'
    return (
        f'<g class="task" {marks} transform="translate({box.x:g} {box.y:g})">'
        f"<title>{_title(task_id, task, now)}</title>{_card(task_id, box, task, now, slim=layout.slim)}</g>"
    )


def _title(task_id: str, task: TaskRecord | None, now: float) -> str:
    if task is None:
        return escape(task_id)
    return escape(" · ".join(filter(None, (task_id, state_of(task), duration(task.elapsed(now)), task.reason))))


def _card(task_id: str, box: Box, task: TaskRecord | None, now: float, *, slim: bool) -> str:
    card = f'<rect class="card" width="{box.width:g}" height="{box.height:g}" rx="9"/>'
    name, middle = escape(shorten(task_id)), box.height / 2
    if task is None:
        return f'{card}<circle class="plain" cx="17" cy="{middle:g}" r="3.5"/>{_text("name", 30, middle, name)}'
    note = escape(duration(task.elapsed(now))) or ("" if task.outcome == "Waiting" else state_of(task).lower())
    sign = _icon(task, middle)
    if not note:
        return f"{card}{sign}{_text('name', 30, middle, name)}"
    if slim:
        return f"{card}{sign}{_text('name', 30, middle, name)}{_text('note end', box.width - 10, middle, note)}"
    return f"{card}{sign}{_text('name', 30, 13, name)}{_text('note', 30, 26.5, note)}"


def _text(kind: str, x: float, y: float, text: str) -> str:
    return f'<text class="{kind}" x="{x:g}" y="{y:g}">{text}</text>'


def _icon(task: TaskRecord, middle: float) -> str:
    look = LOOKS[state_of(task)]
    return (
        f'<g transform="translate(9 {middle - 8:g})"><circle class="disc {look.disc}" cx="8" cy="8" r="7"/>'
        f'<path class="sign" d="{look.sign}"/></g>'
    )


def _colours(theme: Theme) -> str:
    light = "".join(_colours_of(state, look.light, look.disc, "#ffffff", "#1c2430") for state, look in LOOKS.items())
    light += _plain_colours("#ffffff", "#1c2430")
    if theme == "light":
        return light
    dark = "".join(_colours_of(state, look.dark, look.disc, "#1b2028", "#e8ecf1") for state, look in LOOKS.items())
    return f"{light}@media (prefers-color-scheme:dark){{{dark}{_plain_colours('#1b2028', '#e8ecf1')}}}"


def _plain_colours(base: str, ink: str) -> str:
    here = "[data-state=Plain]"
    return (
        f"{here} .card{{fill:{base};stroke:{_mix(ink, base, 0.28)}}}{here} .name{{fill:{ink}}}"
        f".plain,.dot{here}{{fill:{_mix(ink, base, 0.45)}}}"
    )


def _colours_of(state: str, colour: str, disc: str, base: str, ink: str) -> str:
    """Return the rules for one state: a card in a tint of its colour, on an opaque base."""
    here = f"[data-state={state}]"
    quiet = state in {"Waiting", "Skipped", "Cancelled", TAKEN}
    full = disc == "full"
    return (
        f"{here} .card{{fill:{_mix(colour, base, 0.03 if quiet else 0.09)};"
        f"stroke:{_mix(colour, base, 0.35 if quiet else 0.6)}}}"
        f"{here} .name{{fill:{_mix(ink, base, 0.66) if quiet else ink}}}{here} .note{{fill:{_mix(ink, base, 0.62)}}}"
        f"{here} .disc{{stroke:{colour};fill:{colour if full else 'none'}}}"
        f"{here} .sign{{stroke:{base if full else colour}}}"
        f".dot{here}{{stroke:{colour};fill:{_mix(colour, base, 0.15) if quiet else colour}}}"
    )


def _mix(colour: str, base: str, share: float) -> str:
    """Return `share` of one colour on another, both as #rrggbb."""
    pairs = ((int(colour[i : i + 2], 16), int(base[i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{round(c * share + b * (1 - share)):02x}" for c, b in pairs)

"""How the difference of two runs is shown: as text, and as HTML with inline styles that suit light and dark pages."""

from collections.abc import Iterable, Iterator
from html import escape
from typing import Final, NamedTuple

from cloaca_nb.core.duration import duration
from cloaca_nb.core.moment import moment
from cloaca_nb.core.run_id import short
from cloaca_nb.history.changes import Changes, CodeChange, DurationChange, Side, TaskChange, ValueChange

__all__ = ["diff_html", "diff_text"]

ABSENT: Final = "not there"
SAME: Final = "No differences: the same code, values and outcomes."

FONT: Final = "font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif"
MONO: Final = "font-family:ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace;font-size:12px"
QUIET: Final = "opacity:0.65"
CELL: Final = (
    "padding:4px 16px 4px 0;border:none;border-bottom:1px solid rgba(128,136,150,0.2);"
    "text-align:left;vertical-align:top;overflow-wrap:anywhere;white-space:normal"
)
HEAD: Final = "font-size:11px;font-weight:600;letter-spacing:0.04em;text-transform:uppercase;opacity:0.65"
LINES: Final = {"+": ("44,147,85", "#2c9355"), "-": ("221,71,76", "#dd474c"), "@": ("59,124,236", "#3b7cec")}
COLOURS: Final = {"Completed": "#2c9355", "Failed": "#dd474c", "Interrupted": "#b7760f", "Running": "#3b7cec"}
GREY: Final = "#7a828d"


class Pair(NamedTuple):
    """What it is about, before, after, a remark, and in what the two differ."""

    name: str
    before: str
    after: str
    remark: str = ""
    details: tuple[str, ...] = ()


# -- what both say


def _sections(diff: Changes) -> Iterator[tuple[str, list[Pair]]]:
    yield "Initial context", [_value(one) for one in diff.initial]
    yield "Tasks", [_task(one) for one in diff.tasks]
    yield "Durations", [_lasted(one) for one in diff.durations]
    yield "Final context", [_value(one) for one in diff.final]


def _value(change: ValueChange) -> Pair:
    return Pair(change.key, change.before or ABSENT, change.after or ABSENT, details=change.details)


def _task(change: TaskChange) -> Pair:
    return Pair(change.task_id, change.before or ABSENT, change.after or ABSENT)


def _lasted(change: DurationChange) -> Pair:
    usual = "" if change.usual is None else f"usually {duration(change.usual[0])} to {duration(change.usual[1])}"
    return Pair(change.task_id, duration(change.before), duration(change.after), usual)


def _names(diff: Changes) -> str:
    a, b = diff.a.workflow, diff.b.workflow
    return a if a == b else f"{a} → {b}"


# -- text


def diff_text(diff: Changes) -> str:
    """Return the difference as plain text: a heading, then only the sections in which something differs."""
    blocks = [f"{_names(diff)}: {_side_text(diff.a)} → {_side_text(diff.b)}"]
    code = "\n".join(line for change in diff.code for line in _code_lines(change))
    for title, pairs in _sections(diff):
        if title == "Durations" and code:
            blocks.append(f"Code\n{code}")
        if pairs:
            blocks.append("\n".join([title, *_pair_lines(pairs)]))
    return "\n\n".join([*blocks, SAME] if diff.is_empty else blocks)


def _side_text(side: Side) -> str:
    facts = [side.status, duration(side.duration)]
    return f"run {short(side.run_id)} ({', '.join(filter(None, facts))})"


def _pair_lines(pairs: list[Pair]) -> Iterator[str]:
    width = max(len(pair.name) for pair in pairs)
    for pair in pairs:
        remark = f"  ({pair.remark})" if pair.remark else ""
        yield f"  {pair.name:<{width}}  {pair.before} → {pair.after}{remark}"
        yield from (f"  {'':<{width}}    {line}" for line in pair.details)


def _code_lines(change: CodeChange) -> Iterator[str]:
    yield f"  {change.task_id}" + (f": {'; '.join(change.parts)}" if change.parts else "")
    yield from (f"    {line}".rstrip() for line in change.text.splitlines())


# -- HTML


def diff_html(diff: Changes) -> str:
    """Return the difference as HTML that shows in any page, also where scripts and style sheets are taken out."""
    code = "".join(map(_code_html, diff.code))
    ids = escape(f"{diff.a.run_id} {diff.b.run_id}")
    sides = f'{_side_html(diff.a)}<span style="{QUIET};padding:0 10px">→</span>{_side_html(diff.b)}'
    title = f'<strong style="font-size:15px;padding-right:10px">{escape(_names(diff))}</strong>'
    opening = f'<div data-diff="{ids}" style="{FONT};font-size:13px;line-height:1.45;max-width:1100px">'
    parts = [opening, f"<div>{title}{sides}</div>"]
    for heading, pairs in _sections(diff):
        if heading == "Durations" and code:
            parts.append(_section("Code", code))
        if pairs:
            parts.append(_section(heading, _table(pairs)))
    if diff.is_empty:
        parts.append(f'<div style="{QUIET};padding-top:10px">{SAME}</div>')
    return "".join([*parts, "</div>"])


def _side_html(side: Side) -> str:
    pill = (
        f"display:inline-block;padding:0 8px;border-radius:9px;color:#ffffff;font-size:11px;font-weight:600;"
        f"background-color:{COLOURS.get(side.status, GREY)}"
    )
    facts = " · ".join(filter(None, (moment(side.started), duration(side.duration))))
    return (
        f'<span title="{escape(side.run_id)}" style="{MONO}">{escape(short(side.run_id))}</span> '
        f'<span style="{pill}">{escape(side.status)}</span> <span style="{QUIET};font-size:12px">{facts}</span>'
    )


def _section(title: str, content: str) -> str:
    return f'<div style="{HEAD};padding:14px 0 2px 0">{title}</div>{content}'


def _table(pairs: Iterable[Pair]) -> str:
    rows = "".join(f'<tr style="background:none">{_row(pair)}</tr>' for pair in pairs)
    return (
        '<table style="border-collapse:collapse;border:none;margin:0;font-size:13px;width:100%;table-layout:fixed">'
        f'<colgroup><col style="width:20%"><col style="width:40%"><col style="width:40%"></colgroup>{rows}</table>'
    )


def _row(pair: Pair) -> str:
    note = f' <span style="{QUIET};font-size:12px">{escape(pair.remark)}</span>' if pair.remark else ""
    lines = "".join(f'<div style="padding:1px 6px;font-size:12px">{escape(line)}</div>' for line in pair.details)
    return (
        f'<td style="{CELL};font-weight:500">{escape(pair.name)}</td>'
        f'<td style="{CELL}">{_tinted("-", pair.before)}</td>'
        f'<td style="{CELL}">{_tinted("+", pair.after)}{note}{lines}</td>'
    )


def _tinted(sign: str, text: str) -> str:
    if text == ABSENT:
        return f'<span style="{QUIET}">{text}</span>'
    rgb, _ = LINES[sign]
    return f'<span style="background-color:rgba({rgb},0.18);border-radius:4px;padding:1px 6px">{escape(text)}</span>'


def _code_html(change: CodeChange) -> str:
    said = f' <span style="{QUIET}">{escape("; ".join(change.parts))}</span>' if change.parts else ""
    name = f'<div style="padding:4px 0"><span style="font-weight:500">{escape(change.task_id)}</span>{said}</div>'
    if not change.text:
        return name
    lines = "".join(map(_line_html, change.text.splitlines()))
    box = "border:1px solid rgba(128,136,150,0.25);border-radius:6px;padding:4px 0;margin:0 0 6px 0;overflow-x:auto"
    return f'{name}<div style="{box};{MONO};line-height:1.5">{lines}</div>'


def _line_html(line: str) -> str:
    rgb, colour = LINES.get(line[:1], ("", ""))
    if line.startswith("@"):
        return f'<div style="white-space:pre;padding:0 10px;color:{colour}">{escape(line)}</div>'
    tint = f"background-color:rgba({rgb},0.14)" if rgb else ""
    sign = f'<span style="color:{colour or "inherit"};user-select:none">{escape(line[:1]) or " "}</span>'
    return f'<div style="white-space:pre;padding:0 10px;{tint}">{sign}{escape(line[1:])}</div>'

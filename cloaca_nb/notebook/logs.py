"""What tasks have written, as a notebook shows it: a plain frame that looks like a log where a cell shows it."""

import re
import shlex
import time
from collections.abc import Callable, Iterator
from functools import partial
from html import escape
from typing import TYPE_CHECKING, Final, NamedTuple

from cloaca_nb.core.look import LOOKS
from cloaca_nb.core.run_id import short
from cloaca_nb.history.followed import Piece, followed, pieces_of
from cloaca_nb.notebook.dressed import dressed

if TYPE_CHECKING:
    import pandas as pd

    from cloaca_nb.history.history import History
    from cloaca_nb.history.overview import TaskNotes

__all__ = ["follow_logs", "log_below", "logs_of"]

ANSI: Final = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
MONO: Final = "font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace"
BLOCK: Final = (
    f"{MONO};font-size:12px;line-height:1.5;white-space:pre-wrap;overflow-wrap:anywhere;margin:0;padding:8px 14px;"
    "max-height:420px;overflow-y:auto;border:none;border-left:3px solid rgba(128,136,150,0.4);"
    "background-color:rgba(128,136,150,0.08)"
)
WHO: Final = "opacity:0.6"
LINK: Final = f"color:{LOOKS['Running'].either};cursor:pointer;white-space:nowrap"
LONGEST: Final = 200  # characters of a line in a table
COLOURS: Final = {"stderr": "color:#b7760f", "traceback": "color:#dd474c"}  # by stream, but what is as it should be
EMPTY: Final = "nothing was written"
PAUSE: Final = 0.3  # seconds between two looks


class Line(NamedTuple):
    """One line of a log: who wrote it, to which stream, what."""

    who: str
    stream: str
    text: str


def logs_of(history: "History", task: str | None, run: str | None, lines: int, heading: str = "") -> "pd.DataFrame":
    """Return what the tasks of a run wrote as a frame, tracebacks included; see `History.logs`.

    Args:
        history: the history.
        task: one task's id; None: all of them.
        run: the run's id, or a beginning that only it has; None: the last run.
        lines: how many of the last lines are shown where a cell shows the frame; 0: all. The frame has all.
        heading: stands above them there.

    Raises:
        HistoryError: if there is no such run or task.
    """
    return dressed(history.logs(task, run, failures=True), lambda frame: _bundle(frame, lines, heading))


def log_below(task: str, notes: "TaskNotes", most: int) -> str:
    """Return the log of a task as HTML that opens below its number of lines: the last of it, and how to see all.

    Args:
        task: its id; it wrote something.
        notes: what stands beside the tasks of its run.
        most: how many lines are shown.
    """
    log = notes.logs[task]
    lines = [line for piece in log.pieces for line in _lines(piece, several=False)][-most:]
    width = max((len(line.who) for line in lines), default=0)
    shown = "\n".join(_html(line._replace(text=_cut(line.text)), width) for line in lines)
    command = f'<code style="{MONO}">{escape(f"%cloaca_logs {shlex.quote(task)} --run {short(notes.run_id)}")}</code>'
    left_out = log.lines - len(lines)
    more = f"{left_out:,} earlier line{'s' if left_out != 1 else ''}: " if left_out > 0 else ""
    return (
        f'<details><summary style="{LINK}">log · {notes.lines(task)}</summary>'
        f'<pre style="{escape(BLOCK)};margin:4px 0;max-width:900px">{shown}</pre>'
        f'<div style="{WHO};font-size:11px;padding-bottom:4px">{more}{command}</div></details>'
    )


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def follow_logs(
    history: "History",
    task: str | None,
    run: str,
    write: Callable[[str], object],
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Write what the tasks of a run write, until the run is over.

    Args:
        history: the history.
        task: one task's id; None: all of them.
        run: the run's whole id.
        write: takes whole lines.
        pause: waits some seconds before the next look.

    Raises:
        HistoryError: if there is no such run or task.
    """
    for piece in followed(history, task, run, partial(pause, PAUSE)):
        for line in _lines(piece, several=task is None):
            write(f"{_prefix(line)}{line.text}\n")


def _lines(piece: Piece, *, several: bool) -> Iterator[Line]:
    who = (piece.task_id if several else "") + (f" #{piece.attempt}" if piece.attempt > 1 else "")
    for text in piece.text.splitlines():
        yield Line(who.strip(), piece.stream, text)


def _bundle(frame: "pd.DataFrame", most: int, heading: str) -> dict[str, str]:
    log = {"text/html": f"<em>{EMPTY}</em>", "text/plain": EMPTY} if frame.empty else _log(frame, most)
    if not heading:
        return log
    above = f'<div style="{WHO};font-size:12px;padding-bottom:2px">{escape(heading)}</div>'
    return {"text/html": above + log["text/html"], "text/plain": f"{heading}\n{log['text/plain']}"}


def _log(frame: "pd.DataFrame", most: int) -> dict[str, str]:
    several = len(set(frame["task_id"])) > 1
    lines = [line for piece in pieces_of(frame) for line in _lines(piece, several=several)]
    shown = lines[-most:] if most > 0 else lines
    width = max(len(line.who) for line in shown)
    left_out = len(lines) - len(shown)
    head = f"… {left_out:,} earlier line{'s' if left_out != 1 else ''}: --lines 0 shows all" if left_out else ""
    plain = [head] * bool(head) + [f"{_prefix(line, width)}{line.text}" for line in shown]
    rich = [f'<span style="{WHO}">{head}</span>'] * bool(head) + [_html(line, width) for line in shown]
    return {"text/html": f'<pre style="{escape(BLOCK)}">{chr(10).join(rich)}</pre>', "text/plain": "\n".join(plain)}


def _prefix(line: Line, width: int = 0) -> str:
    return f"{line.who:<{width}} │ " if line.who else f"{'':<{width}}   " if width else ""


def _html(line: Line, width: int) -> str:
    text = escape(ANSI.sub("", line.text))
    coloured = f'<span style="{COLOURS[line.stream]}">{text}</span>' if line.stream in COLOURS else text
    prefix = _prefix(line, width)
    return f'<span style="{WHO}">{escape(prefix)}</span>{coloured}' if prefix else coloured

"""History as a notebook shows it: plain pandas frames that, where a cell shows one as it is, look like a calm table."""

from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from cloaca_nb.core.duration import duration
from cloaca_nb.core.moment import moment
from cloaca_nb.core.run_id import short
from cloaca_nb.core.status import Outcome
from cloaca_nb.history.overview import LINES
from cloaca_nb.history.page_table import FAINT, ONE_LINE, RIGHT, Cell, Column, note, state, table_html, table_text
from cloaca_nb.history.runs_page import NO_RUNS, runs_columns
from cloaca_nb.notebook.dressed import dressed
from cloaca_nb.notebook.logs import log_below

if TYPE_CHECKING:
    import pandas as pd

    from cloaca_nb.history.history import History
    from cloaca_nb.history.overview import TaskNotes

__all__ = ["runs_of", "tasks_of"]

REMARK: Final = "font-size:12px;overflow-wrap:anywhere"
LINES_IN_ALL: Final = 1000  # of logs in one table: a saved notebook carries them

Row: TypeAlias = Mapping[str, Any]


def runs_of(history: "History", limit: int) -> "pd.DataFrame":
    """Return the last runs as a frame, newest first; see `History.runs`.

    Args:
        history: the history.
        limit: how many.
    """
    frame = history.runs(limit)
    settings = history.settings(list(frame["run_id"]))
    return _shown(frame, lambda rows: runs_columns(rows, settings), NO_RUNS)


def tasks_of(history: "History", run: str) -> "pd.DataFrame":
    """Return the tasks of a run as a frame; see `History.tasks`.

    Where a cell shows it, each duration stands beside the usual one, and the end of a task's log opens below its number
    of lines.

    Args:
        history: the history.
        run: the run's id, or a beginning that only it has.

    Raises:
        HistoryError: if there is no such run.
    """
    notes = history.task_notes(run)
    return _shown(history.tasks(notes.run_id), lambda tasks: _task_columns(tasks, notes), "no tasks", _hint(notes))


def _shown(
    frame: "pd.DataFrame", columns_of: Callable[[Sequence[Row]], list[Column]], empty: str, hint: str = ""
) -> "pd.DataFrame":
    """Have a frame look like a table of ours; a hint stands below its text."""

    def look(frame: "pd.DataFrame") -> dict[str, str]:
        if frame.empty:
            return {"text/html": f"<em>{escape(empty)}</em>", "text/plain": empty}
        columns = columns_of(_rows(frame))
        return {"text/html": table_html(columns), "text/plain": "\n".join(filter(None, (table_text(columns), hint)))}

    return dressed(frame, look)


def _rows(frame: "pd.DataFrame") -> list[Row]:
    """Return a frame's rows as history gives them: Python's own times, and None for what is missing."""
    whole = frame.astype(object).where(frame.notna(), None)
    times = frame.select_dtypes("datetime").columns
    rows: list[Row] = whole.to_dict("records")  # type: ignore[assignment]  # the columns are called by texts
    return [{**row, **{name: row[name].to_pydatetime() for name in times if row[name] is not None}} for row in rows]


# -- tasks


def _task_columns(tasks: Sequence[Row], notes: "TaskNotes") -> list[Column]:
    most = max(1, min(LINES, LINES_IN_ALL // max(1, len(notes.logs))))
    return [
        Column("task", ONE_LINE, [state(task["outcome"], task["task_id"]) for task in tasks]),
        Column("outcome", ONE_LINE, [Cell(str(task["outcome"])) for task in tasks]),
        Column("began", ONE_LINE, [Cell(moment(task["started"]) if task["started"] else "") for task in tasks]),
        Column("duration", RIGHT, [Cell(duration(task["duration"])) for task in tasks]),
        Column("usually", f"{RIGHT};{FAINT}", [Cell(notes.usually(task)) for task in tasks]),
        Column("attempts", RIGHT, [Cell(_attempts(task)) for task in tasks]),
        Column("log", "", [Cell(notes.lines(task["task_id"])) for task in tasks], is_for_text=True),
        Column("", REMARK, [_remark(task, notes, most) for task in tasks]),
    ]


def _remark(task: Row, notes: "TaskNotes", most: int) -> Cell:
    """Return why a task fared as it did; on a page, where there is room for it, the end of its log opens below."""
    said = note(task["reason"], task["error"], task["location"])
    html = [f'<span style="{FAINT}">{escape(said.text)}</span>'] if said.text else []
    html += [log_below(task["task_id"], notes, most)] if task["task_id"] in notes.logs else []
    return said._replace(html="".join(html))


def _hint(notes: "TaskNotes") -> str:
    return f"%cloaca_logs TASK --run {short(notes.run_id)} shows what a task wrote" if notes.logs else ""


def _attempts(task: Row) -> str:
    return f"{task['attempts']:,}" if task["outcome"] not in {Outcome.SKIPPED, Outcome.WAITING} else ""

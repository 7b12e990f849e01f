"""History as a notebook shows it: plain pandas frames that, where a cell shows one as it is, look like a calm table."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from cloaca_nb.core.duration import duration
from cloaca_nb.core.moment import moment
from cloaca_nb.core.run_id import short
from cloaca_nb.core.status import Outcome, Status
from cloaca_nb.notebook.drawing.look import LOOKS
from cloaca_nb.notebook.dressed import dressed

if TYPE_CHECKING:
    import pandas as pd

    from cloaca_nb.history.history import History

__all__ = ["runs_of", "tasks_of"]

LONGEST_NOTE: Final = 120
LONGEST_VALUE: Final = 24

FONT: Final = "font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif"
TABLE: Final = f"{FONT};font-size:13px;line-height:1.45;border-collapse:collapse;border:none;margin:0;max-width:100%"
HEAD: Final = (
    "padding:4px 16px 4px 0;border:none;font-weight:500;font-size:11px;opacity:0.65;background:none;white-space:nowrap"
)
CELL: Final = "padding:4px 16px 4px 0;border:none;border-bottom:1px solid rgba(128,136,150,0.2);vertical-align:top"
ONE_LINE: Final = "white-space:nowrap"
RIGHT: Final = "white-space:nowrap;text-align:right"
MONO: Final = "white-space:nowrap;font-family:ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace;font-size:12px"
NOTE: Final = "font-size:12px;opacity:0.75;overflow-wrap:anywhere"

Settings: TypeAlias = Mapping[str, Mapping[str, str]]  # by run: what its initial context held, by key


class Cell(NamedTuple):
    """What stands in one cell, and the colour that it has there, if any."""

    text: str
    colour: str = ""


class Column(NamedTuple):
    """One column: its title, the style of its cells, and the cells from top to bottom."""

    title: str
    style: str
    cells: Sequence[Cell]


def runs_of(history: "History", limit: int) -> "pd.DataFrame":
    """Return the last runs as a frame, newest first; see `History.runs`.

    Args:
        history: the history.
        limit: how many.
    """
    frame = history.runs(limit)
    settings = _settings(history, frame)
    return _shown(frame, lambda shown: _run_columns(shown, settings), "no run yet: %cloaca_run makes the first")


def tasks_of(history: "History", run: str) -> "pd.DataFrame":
    """Return the tasks of a run as a frame; see `History.tasks`.

    Args:
        history: the history.
        run: the run's id, or a beginning that only it has.

    Raises:
        HistoryError: if there is no such run.
    """
    return _shown(history.tasks(run), _task_columns, "no tasks")


def _shown(frame: "pd.DataFrame", columns_of: Callable[["pd.DataFrame"], list[Column]], empty: str) -> "pd.DataFrame":
    """Have a frame look like a table of ours."""

    def look(frame: "pd.DataFrame") -> dict[str, str]:
        if frame.empty:
            return {"text/html": f"<em>{escape(empty)}</em>", "text/plain": empty}
        columns = columns_of(frame)
        return {"text/html": _html(columns), "text/plain": _text(columns)}

    return dressed(frame, look)


# -- runs


def _run_columns(frame: "pd.DataFrame", settings: Settings) -> list[Column]:
    runs = _records(frame)
    columns = [
        Column("status", ONE_LINE, [_state(run["status"], run["status"]) for run in runs]),
        Column("workflow", ONE_LINE, [Cell(_workflow(run)) for run in runs]),
        Column("when", ONE_LINE, [Cell(_when(run["started"])) for run in runs]),
        Column("duration", RIGHT, [Cell(_lasted(run["duration"])) for run in runs]),
        Column("tasks", RIGHT, [Cell(_count(run["tasks"])) for run in runs]),
        Column("failed", RIGHT, [_failed(run["failed"]) for run in runs]),
        Column("run", MONO, [Cell(short(run["run_id"])) for run in runs]),
        Column("", NOTE, [Cell(_note(*_differences(run, runs, settings), run["error"])) for run in runs]),
    ]
    return [column for column in columns if any(cell.text for cell in column.cells)]


def _workflow(run: Mapping[str, Any]) -> str:
    return str(run["workflow"]) if run["kind"] == "run" else f"{run['workflow']} ({run['kind']})"


def _records(frame: "pd.DataFrame") -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def _settings(history: "History", frame: "pd.DataFrame") -> Settings:
    """Return what the runs started from, as short texts."""
    if frame.empty:
        return {}
    begin = "SELECT run_id, key, preview FROM artifacts WHERE role IN ('initial', 'parameter') AND run_id IN"
    rows = history.sql(f"{begin} ({_quoted(frame['run_id'])})")
    found: dict[str, dict[str, str]] = {}
    for run_id, key, preview in rows.itertuples(index=False):
        found.setdefault(str(run_id), {})[str(key)] = str(preview)
    return found


def _quoted(ids: Iterable[str]) -> str:
    """Return ids, which history itself has made, as they stand in SQL."""
    return ", ".join(f"'{one}'" for one in dict.fromkeys(ids))


def _differences(run: Mapping[str, Any], runs: Sequence[Mapping[str, Any]], settings: Settings) -> Iterator[str]:
    """Yield those values that a run started from and that not all of the shown runs of its workflow share."""
    alike = [settings.get(other["run_id"], {}) for other in runs if other["workflow"] == run["workflow"]]
    for key, value in settings.get(run["run_id"], {}).items():
        if any(other.get(key) != value for other in alike):
            yield f"{key} = {_cut(value, LONGEST_VALUE)}"


def _failed(count: Any) -> Cell:
    return Cell(_count(count), LOOKS[Status.FAILED.value].either) if _known(count) and count else Cell("")


# -- tasks


def _task_columns(frame: "pd.DataFrame") -> list[Column]:
    tasks = _records(frame)
    columns = [
        Column("task", ONE_LINE, [_state(task["outcome"], task["task_id"]) for task in tasks]),
        Column("outcome", ONE_LINE, [Cell(str(task["outcome"])) for task in tasks]),
        Column("began", ONE_LINE, [Cell(_when(task["started"])) for task in tasks]),
        Column("duration", RIGHT, [Cell(_lasted(task["duration"])) for task in tasks]),
        Column("attempts", RIGHT, [Cell(_attempts(task)) for task in tasks]),
        Column("", NOTE, [Cell(_note(task["reason"], task["error"], task["location"])) for task in tasks]),
    ]
    return [column for column in columns if any(cell.text for cell in column.cells)]


def _attempts(task: Mapping[str, Any]) -> str:
    return _count(task["attempts"]) if task["outcome"] not in {Outcome.SKIPPED, Outcome.WAITING} else ""


# -- words


def _state(state: str, text: str) -> Cell:
    look = LOOKS[state]
    return Cell(f"{look.mark} {text}", look.either)


def _when(time: Any) -> str:
    return moment(time.to_pydatetime()) if _known(time) else ""


def _lasted(seconds: Any) -> str:
    return duration(float(seconds)) if _known(seconds) else ""


def _count(number: Any) -> str:
    return f"{int(number):,}" if _known(number) else ""


def _known(value: Any) -> bool:
    """Say whether there is a value: what pandas has in its place differs from itself."""
    return bool(value is not None and value == value)  # noqa: PLR0124 - so it does


def _note(*texts: Any) -> str:
    return _cut("  ·  ".join(" ".join(text.split()) for text in texts if isinstance(text, str) and text), LONGEST_NOTE)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


# -- the table


def _text(columns: Sequence[Column]) -> str:
    return "\n".join(_lines([_padded(column) for column in columns]))


def _lines(columns: Sequence[Sequence[str]]) -> Iterable[str]:
    return ("  ".join(row).rstrip() for row in zip(*columns, strict=True))


def _padded(column: Column) -> list[str]:
    texts = [column.title, *(cell.text for cell in column.cells)]
    width = max(map(len, texts))
    return [text.rjust(width) if column.style == RIGHT else text.ljust(width) for text in texts]


def _html(columns: Sequence[Column]) -> str:
    heads = "".join(
        f'<th style="{HEAD};text-align:{"right" if one.style == RIGHT else "left"}">{one.title}</th>' for one in columns
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
    text = escape(cell.text)
    mark, _, rest = text.partition(" ")
    if not cell.colour:
        return text
    weight = f"color:{cell.colour};font-weight:600"
    return f'<span style="{weight}">{mark}</span> {rest}'.rstrip()

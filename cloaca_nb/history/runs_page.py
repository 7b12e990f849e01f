"""The runs of a history as a table, and a history as a cell shows it: its latest runs."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any, Final, TypeAlias

from cloaca_nb.core.duration import duration
from cloaca_nb.core.look import LOOKS
from cloaca_nb.core.moment import moment
from cloaca_nb.core.run_id import short
from cloaca_nb.core.status import Status
from cloaca_nb.history.location import Location
from cloaca_nb.history.page_table import (
    FONT,
    MONO,
    NOTE,
    ONE_LINE,
    RIGHT,
    Cell,
    Column,
    note,
    shortened,
    state,
    table_html,
    table_text,
)

__all__ = ["NO_RUNS", "Settings", "counted", "executed", "history_bundle", "runs_columns", "went_on"]

LONGEST_VALUE: Final = 24  # characters
NO_RUNS: Final = "no run yet: %cloaca_run, or execute(), makes the first"

Run: TypeAlias = Mapping[str, Any]
Settings: TypeAlias = Mapping[str, Mapping[str, str]]  # by run: what its initial context held, by key


def history_bundle(location: Location, count: int, runs: Sequence[Run], settings: Settings) -> dict[str, str]:
    """Return a history as display data: where it lies, and its latest runs.

    Args:
        location: where it lies.
        count: how many runs there are.
        runs: the latest; see `runs_columns`.
        settings: see there.
    """
    columns = runs_columns(runs, settings)
    title = f"{location}: {counted(count)}" if count else f"{location}: {NO_RUNS}"
    more = f"the latest {len(runs)}; runs() gives all" if len(runs) < count else ""
    quiet = f"{FONT};font-size:12px;opacity:0.75"
    html = [f'<div style="{quiet};overflow-wrap:anywhere">{escape(title)}</div>', table_html(columns) if runs else ""]
    html += [f'<div style="{quiet};padding-top:4px">{more}</div>'] if more else []
    text = [title, table_text(columns) if runs else "", more]
    return {"text/html": "".join(html), "text/plain": "\n".join(filter(None, text))}


def counted(count: int) -> str:
    """Return a number of runs in words."""
    return f"{count:,} run{'' if count == 1 else 's'}"


def executed(run: Run) -> str:
    """Return how many tasks of a run were executed, and how many were taken: ``5``, ``2 of 5``, ``2 + 3 taken``."""
    taken, skipped = run["taken"] or 0, run["skipped"] or 0
    here = run["tasks"] - taken - skipped
    words = " + ".join([f"{here:,}"] * bool(here or not taken) + [f"{taken:,} taken"] * bool(taken))
    return f"{words} of {run['tasks']:,}" if skipped else words


def went_on(run: Run) -> str:
    """Return with which run one went on, in words; empty for one that began afresh."""
    return f"went on with {short(run['resumed_from'])}" if run["resumed_from"] else ""


def runs_columns(runs: Sequence[Run], settings: Settings) -> list[Column]:
    """Return the columns of a table of runs.

    Args:
        runs: as rows of `History.runs`, missing values being None.
        settings: what they started from; shown where the runs of a workflow differ in it.
    """
    return [
        Column("status", ONE_LINE, [state(run["status"], run["status"]) for run in runs]),
        Column("workflow", ONE_LINE, [Cell(_workflow(run)) for run in runs]),
        Column("when", ONE_LINE, [Cell(moment(run["started"])) for run in runs]),
        Column("duration", RIGHT, [Cell(duration(run["duration"])) for run in runs]),
        Column("tasks", RIGHT, [Cell(executed(run)) for run in runs]),
        Column("failed", RIGHT, [_failed(run["failed"]) for run in runs]),
        Column("run", MONO, [Cell(short(run["run_id"])) for run in runs]),
        Column("", NOTE, [note(went_on(run), *_differences(run, runs, settings), run["error"]) for run in runs]),
    ]


def _workflow(run: Run) -> str:
    return str(run["workflow"]) if run["kind"] == "run" else f"{run['workflow']} ({run['kind']})"


def _failed(count: int | None) -> Cell:
    return Cell(f"{int(count):,}", LOOKS[Status.FAILED.value].either) if count else Cell("")


def _differences(run: Run, runs: Sequence[Run], settings: Settings) -> Iterator[str]:
    """Yield those values that a run started from and that not all of the shown runs of its workflow share."""
    alike = [settings.get(other["run_id"], {}) for other in runs if other["workflow"] == run["workflow"]]
    for key, value in settings.get(run["run_id"], {}).items():
        if any(other.get(key) != value for other in alike):
            yield f"{key} = {shortened(value, LONGEST_VALUE)}"

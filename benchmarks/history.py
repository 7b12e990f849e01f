"""A history of a million tasks: how soon it opens, and how soon each of its usual questions is answered."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import duckdb  # noqa: F401 - loaded before anything is timed
import pandas  # noqa: F401, ICN001 - see above
import pyarrow  # noqa: F401, ICN001 - see above
from figure import Figure
from fresh import Answer, answer, ask
from million import RUNS, TASKS, make, run_id

from cloaca_nb.history.history import History
from cloaca_nb.notebook.history_table import runs_of, tasks_of

__all__ = ["TITLE", "figures"]

TITLE = "A history of a million tasks, ms"
ANSWER, OPENING = 50.0, 300.0  # ms
MILLI = 1e3  # seconds to milliseconds
SHOWN = 20  # runs
DIFF = "diff(), which is ten questions"
MIDDLE = run_id(RUNS // 2)
QUESTIONS: dict[str, Callable[[History], object]] = {
    f"runs({SHOWN})": lambda history: history.runs(SHOWN),
    "tasks()": lambda history: history.tasks(),
    "tasks(run) of one in the middle": lambda history: history.tasks(MIDDLE),
    "attempts(run)": lambda history: history.attempts(MIDDLE),
    "logs(run=run)": lambda history: history.logs(run=MIDDLE),
    "logs(task, run)": lambda history: history.logs("task7", MIDDLE),
    "context(run)": lambda history: history.context(MIDDLE),
    DIFF: lambda history: history.diff(),
    "initial(run)": lambda history: history.initial(MIDDLE),
    "view run_summary": lambda history: history.sql("FROM run_summary ORDER BY started DESC LIMIT 50"),
    "view task_summary of a run": lambda history: history.sql(f"FROM task_summary WHERE run_id = '{MIDDLE}'"),
    "view task_statistics": lambda history: history.sql("FROM task_statistics"),
    "view documentation": lambda history: history.sql("FROM documentation"),
    "%cloaca_history": lambda history: runs_of(history, SHOWN),
    "%cloaca_history RUN": lambda history: tasks_of(history, MIDDLE),
}


def figures(rounds: int, *, quick: bool) -> list[Figure]:
    """Make such a history by SQL, and ask it in processes of their own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "history.duckdb")
        make(path)
        times = 1 if quick else rounds
        rows = [
            Figure(what=f"the file, {TASKS * RUNS:,} tasks", value=path.stat().st_size / 1e6, unit="MB"),
            opening(path, times),
            command(path, times),
        ]
        found = ask(__file__, database=str(path), rounds=times)
        limit = {what: None if what == DIFF else ANSWER for what in found}
        return rows + [Figure(what=what, value=took, unit="ms", at_most=limit[what]) for what, took in found.items()]


def opening(path: Path, rounds: int) -> Figure:
    """Measure from the opening to the first answer, in fresh processes."""
    took = median(ask(__file__, database=str(path), rounds=0)["opening"] for _ in range(rounds))
    return Figure(what="opened, and its first answer", value=took, unit="ms", at_most=OPENING)


def command(path: Path, rounds: int) -> Figure:
    """Measure `cloaca-nb history`, beside a Python that only loads what it needs; both compiled, as pip does it."""
    ours = [sys.executable, "-m", "cloaca_nb", "history", "--history", str(path)]
    bare = [sys.executable, "-c", "import duckdb, pydantic, rich, typer"]  # typer loads pydantic to read the options
    compiled = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    compiled["PYTHONPYCACHEPREFIX"] = str(path.with_name("compiled"))
    took: dict[str, list[float]] = {"ours": [], "bare": []}
    for number in range(rounds + 1):
        for name, run in (("ours", ours), ("bare", bare)):
            began = time.perf_counter()
            subprocess.run(run, check=True, capture_output=True, env=compiled)  # noqa: S603 - this package, and Python
            if number:  # the first one compiles
                took[name].append(time.perf_counter() - began)
    note = f"a Python that loads what it needs takes {median(took['bare']) * MILLI:,.0f} ms"
    limit = median(took["bare"]) * MILLI + OPENING
    return Figure(what="cloaca-nb history", value=median(took["ours"]) * MILLI, unit="ms", at_most=limit, note=note)


def measure(database: str, rounds: int) -> Answer:
    """Return milliseconds: the medians of each question, or without rounds of the opening and its first answer."""
    took: dict[str, list[float]] = {what: [] for what in QUESTIONS}
    opened = time.perf_counter()
    with History.open(database) as history:
        history.runs(SHOWN)
        opening = time.perf_counter() - opened
        for number in range(rounds + 1):
            for what, question in QUESTIONS.items():
                began = time.perf_counter()
                question(history)
                if number:  # the first one warms up
                    took[what].append(time.perf_counter() - began)
    if not rounds:
        return {"opening": opening * MILLI}
    return {what: median(seconds) * MILLI for what, seconds in took.items()}


if __name__ == "__main__":
    answer(measure)

"""A history as a cell shows it, and as a debugger prints it."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cloaca_nb.history.history import History
from cloaca_nb.history.runs_page import executed


def shown(history: History) -> dict[str, str]:
    return history._repr_mimebundle_()


def test_a_history_shows_its_latest_runs(history: History, runs: Any) -> None:
    assert shown(history)["text/plain"] == f"{history.location}: no run yet: %cloaca_run, or execute(), makes the first"
    runs.say(history, runs.failed_run("0199-a-failed"))
    for number in range(11):
        runs.say(history, runs.completed_run(f"0199-b-run{number:02}", start=runs.START + 100 + number))
    title, heads, newest, *_, last, more = shown(history)["text/plain"].splitlines()
    assert title == f"{history.location}: 12 runs"
    assert heads.split() == ["status", "workflow", "when", "duration", "tasks", "run"]
    assert newest.split()[:2] == ["✓", "Completed"]
    assert "-b-run10" in newest
    assert "-b-run01" in last
    assert more == "the latest 10; runs() gives all"
    html = shown(history)["text/html"]
    assert html.count("<tr") == 11
    assert "class=" not in html


def test_its_table_escapes_what_the_user_wrote(history: History, runs: Any) -> None:
    *said, end = runs.failed_run("a")
    runs.say(history, [*said, end._replace(error="rows <b> 1")])
    assert "rows &lt;b&gt; 1" in shown(history)["text/html"]


def test_its_repr_says_where_it_lies_and_opens_nothing(history: History, runs: Any) -> None:
    runs.say(history, runs.completed_run("a"))
    assert repr(history) == f"<History {history.location}>"
    history.runs()
    assert repr(history) == f"<History {history.location}: 1 run>"
    runs.say(history, runs.completed_run("b"))
    assert repr(history) == f"<History {history.location}: 2 runs>"
    history.close()
    assert repr(history) == f"<History {history.location}, closed>"
    assert shown(history)["text/plain"].startswith(f"{history!r}: The history {history.location} is closed")


def test_showing_it_waits_neither_for_pandas_nor_for_arrow(tmp_path: Path, runs: Any) -> None:
    with History.open(tmp_path / "history.duckdb") as history:
        runs.say(history, runs.completed_run("a"))
    code = (
        f"import cloaca_nb, sys; found = cloaca_nb.history({str(tmp_path / 'history.duckdb')!r});"
        "repr(found); print('duckdb' in sys.modules); found._repr_mimebundle_();"
        "print({'pandas', 'pyarrow', 'IPython'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)  # noqa: S603 - ours
    assert done.stdout.splitlines() == ["False", "set()"]


@pytest.mark.parametrize(
    ("tasks", "taken", "skipped", "told"),
    [
        (5, 0, 0, "5"),
        (5, 3, 0, "2 + 3 taken"),
        (5, 5, 0, "5 taken"),
        (3, 0, 2, "1 of 3"),
        (4, 1, 2, "1 + 1 taken of 4"),
        (4, 0, 4, "0 of 4"),
        (12_000, 1_000, 0, "11,000 + 1,000 taken"),
        (3, 0, None, "3"),  # it goes on
    ],
)
def test_tasks_that_ran_are_told_from_those_that_were_taken(tasks, taken, skipped, told) -> None:
    assert executed({"tasks": tasks, "taken": taken, "skipped": skipped}) == told

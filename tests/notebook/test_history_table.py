"""History as a notebook shows it."""

import re
from datetime import UTC, datetime

import pandas as pd
import pytest
from IPython.core.formatters import DisplayFormatter

from cloaca_nb.core.duration import duration
from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.run_id import short
from cloaca_nb.core.task import Task
from cloaca_nb.notebook.history_table import runs_of, tasks_of
from cloaca_nb.runner import DefaultRunner


def fail(_context):
    raise ValueError("rows < 1")


def load(_context):
    print("loading <1>\nloading <2>")


WORKFLOW = Workflow(
    "delays",
    [Task("load", load, ()), Task("clean", fail, ("load",)), Task("report", fail, ("clean",))],
    parameters={"year": 2013, "carrier": "UA"},
)


@pytest.fixture
def runner():
    with DefaultRunner(":memory:", echo_output=lambda _event: None) as made:
        yield made


@pytest.fixture
def history(runner):
    runner.execute(WORKFLOW)
    runner.execute(WORKFLOW, {"year": 2014})
    return runner.history()


def bundle(shown):
    return DisplayFormatter().format(shown)[0]


def test_runs_are_a_calm_table(history):
    frame = runs_of(history, 20)
    newest, oldest = (re.split(r"\s{2,}", line) for line in bundle(frame)["text/plain"].splitlines()[1:])
    assert newest[:2] == ["✕ Failed", "delays"]
    local = frame["started"][0].to_pydatetime().replace(tzinfo=UTC).astimezone()
    assert newest[2] == f"{local:%Y-%m-%d %H:%M:%S}" + f"{local:%z}"[:3] + ":" + f"{local:%z}"[3:]
    assert newest[3].endswith((" ms", " s"))
    assert newest[4:6] == ["2 of 3", "1"]
    assert newest[7] == "year = 2014"
    assert oldest[7] == "year = 2013"
    assert "carrier" not in bundle(frame)["text/plain"]


def test_the_ids_in_it_name_their_runs(history):
    frame = runs_of(history, 1)
    (short,) = re.findall(r"[0-9a-f]{8}[-0-9a-f]*", bundle(frame)["text/plain"])
    assert len(short) >= 8
    assert frame["run_id"][0].endswith(short)
    assert list(history.tasks(short)["task_id"]) == ["load", "clean", "report"]


def test_html_needs_no_style_sheet_escapes_and_keeps_ids_on_one_line(history):
    html = bundle(runs_of(history, 20))["text/html"]
    assert "class=" not in html
    assert "rows &lt; 1" in html
    run_cells = re.findall(r'<td style="([^"]*monospace[^"]*)">', html)
    assert len(run_cells) == 2
    assert all("white-space:nowrap" in style for style in run_cells)


def test_the_tasks_of_a_run(history):
    run_id = runs_of(history, 1)["run_id"][0]
    *lines, hint = bundle(tasks_of(history, run_id))["text/plain"].splitlines()
    load, clean, report = (re.split(r"\s{2,}", line.strip()) for line in lines[1:])
    assert lines[0].split() == ["task", "outcome", "began", "duration", "usually", "attempts", "log"]
    assert load[:2] == ["✓ load", "Completed"]
    assert load[4:] == [duration(history.usual("delays", but_run=run_id)["load"]), "1", "2 lines"]
    assert clean[:2] == ["✕ clean", "Failed"]
    assert clean[4] == "1"  # it has never completed: how long it usually takes isn't known
    assert clean[6] == "ValueError: rows < 1"
    assert report == ["⤼ report", "Skipped", "because clean failed"]
    assert hint == f"%cloaca_logs TASK --run {short(run_id)} shows what a task wrote"


def test_the_log_of_a_task_opens_in_its_row(history):
    run_id = runs_of(history, 1)["run_id"][0]
    html = bundle(tasks_of(history, run_id))["text/html"]
    load, clean = re.findall(r"<details>.*?</details>", html, re.DOTALL)
    assert "log · 2 lines</summary>" in load
    assert "loading &lt;1&gt;\nloading &lt;2&gt;</pre>" in load
    assert f"%cloaca_logs load --run {short(run_id)}</code>" in load
    assert "ValueError: rows &lt; 1" in clean
    assert "<script" not in html
    assert "class=" not in html


def talk(_context):
    for number in range(50):
        print("x" * 1000, number)
    print("no line end", end="")


def test_of_long_logs_the_end_is_shown(runner):
    """Some lines of each, cut to a readable length; with very many tasks fewer, as the notebook is saved with them."""
    flow = Workflow("flow", [Task(f"talk {number}", talk, ()) for number in range(300)])
    run_id = runner.execute(flow).run_id
    html = bundle(tasks_of(runner.history(), run_id))["text/html"]
    logs = re.findall(r"<details>.*?</details>", html, re.DOTALL)
    assert len(logs) == 300
    assert "log · 51 lines" in logs[0]
    assert logs[0].count("xxx…\n") == 2
    assert "…\nno line end</pre>" in logs[0]
    assert "48 earlier lines: " in logs[0]
    assert "%cloaca_logs &#x27;talk 0&#x27; --run" in logs[0]
    assert len(html) < 1_000_000
    one = bundle(tasks_of(runner.history(), runner.execute(Workflow("one", flow.tasks[:1])).run_id))["text/html"]
    assert one.count("xxx…\n") == 19


def test_a_run_whose_tasks_wrote_nothing_has_no_logs(runner):
    flow = Workflow("flow", [Task("calm", lambda _context: None, ())])
    shown = bundle(tasks_of(runner.history(), runner.execute(flow).run_id))
    assert "log" not in shown["text/plain"]
    assert "<details" not in shown["text/html"]


def test_what_a_cell_gets_is_a_plain_frame_and_what_is_made_of_it_looks_like_one(history):
    frame = runs_of(history, 20)
    assert type(frame) is pd.DataFrame
    assert isinstance(frame["started"][0].to_pydatetime(), datetime)
    for made in (frame.head(1), frame.copy(), frame[["run_id", "status"]]):
        assert "dataframe" in bundle(made)["text/html"]
    frame["mine"] = 1
    assert "mine" in bundle(frame)["text/html"]
    assert "mine" in bundle(frame)["text/plain"]


def test_without_a_run_it_says_how_to_get_one(runner):
    assert "%cloaca_run" in bundle(runs_of(runner.history(), 20))["text/plain"]

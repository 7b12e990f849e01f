"""`cloaca-nb history`: the last runs, and the tasks of one."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Final

import pytest

RUN_ID = r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"


def test_looking_at_history_where_there_is_none_makes_none(home: Path, invoke) -> None:
    before = sorted(home.iterdir())
    assert invoke("history") == (
        0,
        "",
        "No history yet at .cloaca/history.duckdb: `cloaca-nb run` or `%cloaca_run` begins one.\n",
    )
    assert invoke("history", "--json")[:2] == (0, "[]\n")
    assert sorted(home.iterdir()) == before


def test_history_shows_runs_and_the_tasks_of_one(invoke) -> None:
    for script in ("flights.py", "broken.py", "flights.py"):
        invoke("run", script)
    code, stdout, stderr = invoke("history", "--runs", "2")
    assert (code, stderr) == (0, "")
    assert "✓ Completed" in stdout
    assert "✕ Failed" in stdout
    titles, newest, older = stdout.splitlines()
    assert titles.split() == ["run", "workflow", "started", "duration", "tasks"]
    assert newest.split()[1:4] == ["flights", "✓", "Completed"]
    code, stdout, stderr = invoke("history", "--run", older.split()[0])
    assert (code, stderr) == (0, f"What a task wrote: cloaca-nb history logs TASK --run {older.split()[0]}\n")
    assert stdout.splitlines()[0].split() == ["task", "duration", "usually", "attempts", "log"]
    assert [line.split()[:3] for line in stdout.splitlines()[1:]] == [
        ["load", "✕", "Failed"],
        ["report", "⤼", "Skipped"],
    ]
    assert "ValueError: no rows (broken.py, line 6, in load)" in stdout
    code, stdout, _ = invoke("history", "--run", newest.split()[0])
    load, total = (re.split(r"\s{2,}", line.strip()) for line in stdout.splitlines()[1:])
    assert (load[4:], total[4:]) == (["1", "1 line"], ["1"])
    assert re.fullmatch(r"(< )?\d+(\.\d+)? m?s", load[3])  # as in the first of the three runs


def test_history_as_json_is_for_programs(invoke) -> None:
    invoke("run", "flights.py")
    [run] = json.loads(invoke("history", "--json")[1])
    assert re.fullmatch(RUN_ID, run["run_id"])
    assert run["started"].endswith("Z")
    assert {"workflow": "flights", "status": "Completed", "tasks": 2}.items() <= run.items()
    tasks = json.loads(invoke("history", "--json", "--run", run["run_id"])[1])
    assert [(task["task_id"], task["outcome"]) for task in tasks] == [("load", "Completed"), ("total", "Completed")]


def test_people_read_the_time_of_the_clocks_here_and_programs_utc(
    monkeypatch: pytest.MonkeyPatch, invoke, python
) -> None:
    invoke("run", "flights.py")
    [run] = json.loads(invoke("history", "--json")[1])
    monkeypatch.setenv("TZ", "XST-05:30")
    here = datetime.fromisoformat(run["started"]).astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert f" {here:%Y-%m-%d %H:%M:%S}+05:30 " in python("-m", "cloaca_nb", "history").stdout


def test_history_shows_what_it_can_where_characters_are_missing(
    home: Path, monkeypatch: pytest.MonkeyPatch, invoke, python
) -> None:
    (home / "umlaut.py").write_text((home / "flights.py").read_text().replace('"flights"', '"flüge"'), encoding="utf-8")
    assert invoke("run", "umlaut.py")[0] == 0
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    shown = python("-m", "cloaca_nb", "history")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert re.search(r"fl\\xfcge +\+ Completed", shown.stdout)


SLOW: Final = ("Other processes take much", "The history takes in")  # said after some seconds on a loaded machine

# Runs a workflow again and again, and says which runs are on disk.
BUSY = """
import cloaca_nb as cloaca
import flights

with cloaca.DefaultRunner("history.duckdb") as runner:
    while True:
        print("on disk:", runner.execute("flights").run_id, flush=True)
"""


@contextmanager
def busy(folder: Path) -> Iterator["subprocess.Popen[str]"]:
    (folder / "busy.py").write_text(BUSY)
    command = [sys.executable, "busy.py"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:  # noqa: S603 - ours
        try:
            yield process
        finally:
            process.kill()


def on_disk_of(writer: "subprocess.Popen[str]") -> Iterator[str]:
    assert writer.stdout is not None
    for line in writer.stdout:
        if line.startswith("on disk: "):
            yield line.split()[-1]


def test_it_answers_while_other_processes_write(home: Path, python) -> None:
    listed = ("-m", "cloaca_nb", "history", "--history", "history.duckdb", "--runs", "1000000")
    on_disk: set[str] = set()
    with ExitStack() as stack:
        writers = [stack.enter_context(busy(home)) for _ in range(2)]
        said = [on_disk_of(writer) for writer in writers]
        for _ in range(2):
            on_disk |= {next(reported) for reported in said for _ in range(5)}
            told = python(*listed, "--json")
            shown = python(*listed)
            assert (told.returncode, shown.returncode) == (0, 0)
            said_besides = (told.stderr + shown.stderr).splitlines()
            assert [line for line in said_besides if not line.startswith(SLOW)] == []
            status = {run["run_id"]: run["status"] for run in json.loads(told.stdout)}
            assert {status.get(run_id) for run_id in on_disk} == {"Completed"}
            assert set(status.values()) <= {"Completed", "Running"}
            assert len(shown.stdout.splitlines()) > len(on_disk)
        assert [writer.poll() for writer in writers] == [None, None]

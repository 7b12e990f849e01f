"""`cloaca-nb run` and what all commands share: usage errors, parameters, interrupts, the live view."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import pytest
from hypothesis import given, strategies as st

from cloaca_nb.cli.run import execute
from cloaca_nb.cli.settings import settings
from cloaca_nb.core.status import Status
from cloaca_nb.engine.run import Run
from cloaca_nb.packaging.loading.load import load
from cloaca_nb.runner import DefaultRunner

PATIENCE = 60  # seconds
DURATION = r"(?:< )?\d+(?:\.\d+)? m?s"
SHORT = r"[0-9a-f]{8}"
RUN_ID = r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"


@contextmanager
def ended(process: subprocess.Popen[Any]) -> Iterator[None]:
    """A process that is over when the block is, whatever happens in it."""
    with process:
        try:
            yield
        finally:
            process.kill()


# -- run


def test_a_script_runs_with_progress_on_stderr_and_nothing_but_the_tasks_output_on_stdout(python) -> None:
    done = python("-m", "cloaca_nb", "run", "flights.py", "--param", "year=2020", "--param", "carrier=007")
    assert done.returncode == 0
    assert done.stdout == "loading 2020 007\n"
    expected = (
        rf"✓ load  {DURATION}\n✓ total  {DURATION}\n✓ flights  Completed in {DURATION} · 2 completed\n"
        rf"  run {SHORT} in \.cloaca/history\.duckdb\n"
    )
    assert re.fullmatch(expected, done.stderr)


def test_a_failed_run_ends_with_1_and_the_users_own_traceback(invoke) -> None:
    code, stdout, stderr = invoke("run", "broken.py", "--history", ":memory:")
    assert (code, stdout) == (1, "")
    expected = (
        r"✕ load  ValueError: no rows \(broken\.py, line 6\)\n⤼ report  because load failed\n\n"
        r"load\nTraceback \(most recent call last\):\n  broken\.py, line 6, in load\n"
        r"    raise ValueError\(\"no rows\"\)\nValueError: no rows\n\n"
        rf"✕ broken  Failed in {DURATION} · 1 failed · 1 skipped\n  run {SHORT} kept in memory only\n"
    )
    assert re.fullmatch(expected, stderr)


def test_of_a_notebook_nothing_but_its_tasks_and_what_they_need_is_run(home: Path, invoke, notebook) -> None:
    code, stdout, _ = invoke("run", "01_demo.ipynb", "--history", ":memory:", "--param", "year=7")
    assert (code, stdout) == (0, "7 UA\n")
    assert not (home / "ran").exists()


KILLED = """
import os, signal
import cloaca_nb as cloaca

@cloaca.task()
def first(context):
    context["x"] = 1

@cloaca.task(dependencies=["first"])
def second(context):
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_with_durability_task_a_task_outlives_a_kill_by_the_next_one(home: Path, python, invoke) -> None:
    (home / "killed.py").write_text(KILLED)
    assert python("-m", "cloaca_nb", "run", "killed.py", "--durability", "task").returncode == -signal.SIGKILL
    [run] = json.loads(invoke("history", "--json")[1])
    assert run["status"] == "Interrupted"
    tasks = json.loads(invoke("history", "--run", run["run_id"], "--json")[1])
    assert {task["task_id"]: task["outcome"] for task in tasks}["first"] == "Completed"


WRONG = [
    # name, arguments, exit code, what stderr says
    ("nothing to run", ["run"], 2, r"Missing argument 'PATH'"),
    ("another kind of file", ["run", "both.ipynb"], 2, r"There is no 'both\.ipynb'\.$"),
    ("a name without its suffix", ["run", "both"], 2, r"There is no 'both'\. Did you mean 'both\.py'\?"),
    ("no such file", ["run", "flihgts.py"], 2, r"There is no 'flihgts\.py'\. Did you mean 'flights\.py'\?"),
    ("no kind of file", ["run", "pyproject.toml"], 2, r"There is no 'pyproject\.toml'"),
    ("not a parameter", ["run", "flights.py", "--param", "yaer=1"], 2, r"No parameter 'yaer'\. Did you mean 'year'\?"),
    ("not KEY=VALUE", ["run", "flights.py", "--param", "year"], 2, r"given as NAME=VALUE, not 'year'"),
    ("another type", ["run", "flights.py", "--param", "year=old"], 2, r"'year' is of type int, like 2013"),
    ("unknown option", ["run", "flights.py", "--prm", "x"], 2, r"No such option: --prm"),
    ("unknown command", ["rnu"], 2, r"No such command 'rnu'\. Did you mean 'run'\?"),
    ("no such workflow", ["run", "both.py", "--workflow", "flihgts"], 2, r"Did you mean 'flights'\? Known workflows: "),
    (
        "no such durability",
        ["run", "flights.py", "--durability", "tasks"],
        2,
        r"'--durability': 'tasks' is not one of run, task\. Did you mean 'task'\?$",
    ),
    ("no durability at all", ["run", "flights.py", "--durability", "x"], 2, r"'x' is not one of run, task\.$"),
    (
        "no such engine",
        ["export", "flights.py", "-o", "out", "--import-name", "claoca"],
        2,
        r"'claoca' is not one of cloaca_nb, cloaca\. Did you mean 'cloaca'\?$",
    ),
    ("other database", ["run", "flights.py", "--history", "postgres://x"], 2, r"Unsupported database URL"),
    (
        "wrong number",
        ["history", "--runs", "0"],
        2,
        r"'--runs': '0' is no whole number of 1 or more: give one, like 3\.$",
    ),
    ("no number", ["history", "--runs", "x"], 2, r"'--runs': 'x' is no whole number of 1 or more"),
    ("no such history", ["history", "--history", "nope.duckdb"], 1, r"^Error: There is no history at nope\.duckdb\.$"),
    ("no run yet", ["history", "--run", "0189"], 1, r"^Error: There is no history at \.cloaca/history\.duckdb\.$"),
    ("nothing to export", ["export", "nope.ipynb", "-o", "out"], 2, r"There is no 'nope\.ipynb'"),
]


@pytest.mark.parametrize(("args", "code", "message"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG])
def test_a_mistake_is_answered_in_one_message_without_a_traceback(
    args: list[str], code: int, message: str, invoke
) -> None:
    exit_code, stdout, stderr = invoke(*args)
    assert (exit_code, stdout) == (code, "")
    assert re.search(message, stderr.strip(), re.MULTILINE)
    assert "Traceback" not in stderr
    assert not Path(".cloaca").exists()


def test_an_error_in_the_users_script_is_shown_as_python_shows_it(home: Path, invoke) -> None:
    (home / "wrong.py").write_text("def f():\n    return {}['boom']\nf()\n")
    code, stdout, stderr = invoke("run", "wrong.py")
    assert (code, stdout) == (1, "")
    assert stderr.startswith("wrong.py can't be loaded.\n\nTraceback (most recent call last):\n")
    assert "  wrong.py, line 2, in f\n    return {}['boom']\nKeyError: 'boom'\n" in stderr


# -- parameters

SETTINGS = [
    # text, defaults of the workflow's parameters, expected
    ("n=3", {}, 3),
    ("n=UA", {}, "UA"),
    ("n=", {}, ""),
    ("n=a=b", {}, "a=b"),
    ('n={"a": [1, null]}', {}, {"a": [1, None]}),
    ("n=007", {"n": "x"}, "007"),
    ("n=7", {"n": "x"}, "7"),
    ('n="7"', {"n": "x"}, '"7"'),
    ("n=3", {"n": 1.5}, 3.0),
    ("n=true", {"n": False}, True),
    ("n=[1, 2]", {"n": (3,)}, (1, 2)),
    ("n=out.csv", {"n": Path("in.csv")}, Path("out.csv")),
    ("n=anything", {"n": None}, "anything"),
]


@pytest.mark.parametrize(("text", "defaults", "expected"), SETTINGS)
def test_a_parameter_is_json_or_text_in_the_type_of_its_default(
    text: str, defaults: dict[str, Any], expected: object
) -> None:
    found = settings([text], defaults)["n"]
    assert found == expected
    assert type(found) is type(expected)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=5))
def test_any_json_comes_through_unchanged(value: object) -> None:
    assert settings([f"n={json.dumps(value)}"], {}) == {"n": value}


# -- interrupt and live view


class Terminal:
    """A pseudo-terminal with a command running in it, for the length of a block."""

    def __init__(self, *command: str) -> None:
        self._end, inner = pty.openpty()
        self.process = subprocess.Popen(  # noqa: S603 - our own
            command, stdin=inner, stdout=inner, stderr=inner, start_new_session=True
        )
        os.close(inner)
        self.text = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with ended(self.process):
            os.close(self._end)

    def read_until(self, pattern: str) -> None:
        while not re.search(pattern, self.text):
            assert self._read(), f"The command ended before {pattern!r}: {self.text}"

    def finish(self) -> int:
        while self._read():
            pass
        return self.process.wait(PATIENCE)

    def _read(self) -> bool:
        try:
            chunk = os.read(self._end, 65536)
        except OSError:  # Linux's way to say that the other end is closed
            return False
        self.text += chunk.decode(errors="replace")
        return bool(chunk)


def feed(home: Path, text: str) -> None:
    """Write to the FIFO that the task waits for, once it does."""
    threading.Thread(target=(home / "fifo").write_text, args=(text,), daemon=True).start()


def test_on_a_terminal_the_running_task_is_shown_live(home: Path) -> None:
    os.mkfifo(home / "fifo")
    with Terminal(sys.executable, "-m", "cloaca_nb", "run", "patient.py", "--history", ":memory:") as terminal:
        terminal.read_until(r"wait  .*\d s")
        terminal.read_until(r"0/1 done · 1 running")
        feed(home, "bread")
        assert terminal.finish() == 0
    assert "got bread" in terminal.text
    assert "\x1b[1A" in terminal.text  # it was repainted
    assert terminal.text.count("got bread") == 1
    assert re.search(rf"✓\S* wait  \S*{DURATION}", terminal.text)


DEGRADED = [
    # environment, what must not be in the text, what must be
    ({"NO_COLOR": "1"}, r"\x1b\[[0-9;]*3[0-9]m", r"✓\S* \S*patient"),
    ({"TERM": "dumb"}, r"\x1b|✓", r"\+ patient"),
]


@pytest.mark.parametrize(("environment", "absent", "present"), DEGRADED)
def test_a_terminal_gets_only_what_it_can_show(
    environment: dict[str, str], absent: str, present: str, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    os.mkfifo(home / "fifo")
    feed(home, "bread")
    with Terminal(sys.executable, "-m", "cloaca_nb", "run", "patient.py", "--history", ":memory:") as terminal:
        assert terminal.finish() == 0
    assert re.search(present, terminal.text)
    assert not re.search(absent, terminal.text)


def test_an_interrupt_cancels_the_run_and_ends_with_130(home: Path, invoke) -> None:
    os.mkfifo(home / "fifo")
    # A test run in the background ignores interrupts, and its children would too.
    heed = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    command = [sys.executable, "-c", f"{heed}; from cloaca_nb.cli.app import main; main()", "run", "patient.py"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # noqa: S603 - our own
    with ended(process):
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n"
        process.send_signal(signal.SIGINT)
        assert "⊘ patient  Cancelled in" in process.communicate(timeout=PATIENCE)[1]
    assert process.returncode == 130
    code, stdout, _ = invoke("history", "--json")
    assert code == 0
    assert [run["status"] for run in json.loads(stdout)] == ["Cancelled"]


def test_an_interrupt_that_comes_while_a_run_is_being_started_cancels_it(home: Path) -> None:
    os.mkfifo(home / "fifo")
    workflow = load("patient.py")
    with DefaultRunner(":memory:") as runner:

        def start() -> Run:
            run = runner.start(workflow)
            signal.raise_signal(signal.SIGINT)
            return run

        assert execute(start).record.status is Status.CANCELLED

"""A shell to try commands in: a folder of its own with scripts, and commands called here or in a fresh Python."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest
from nbformat import v4
from typer.testing import CliRunner

import cloaca_nb
from cloaca_nb.cli.app import app

FLIGHTS = """
import cloaca_nb as cloaca

with cloaca.WorkflowBuilder("flights") as builder:
    builder.description("Delays of flights from New York.")
    builder.parameters(year=2013, carrier="UA", fast=False)

    @cloaca.task()
    def load(context):
        print("loading", context["year"], context["carrier"])
        context["rows"] = [3, 4]

    @cloaca.task()
    def total(context):
        context["total"] = sum(context["rows"])
"""
BROKEN = """
import cloaca_nb as cloaca

@cloaca.task()
def load(context):
    raise ValueError("no rows")

@cloaca.task(dependencies=["load"])
def report(context):
    print("never")
"""
# Runs until somebody writes to the FIFO.
PATIENT = """
import cloaca_nb as cloaca

@cloaca.task()
def wait(context):
    print("waiting", flush=True)
    with open("fifo") as fifo:
        print("got", fifo.read())
"""
CELLS = [
    "%load_ext cloaca_nb",
    "import math\nopen('ran', 'w').close()",
    "%%cloaca_params\nyear = 2013\ncarrier = 'UA'",
    "%%cloaca_task load\nrows = [year, math.floor(0.5)]",
    "%%cloaca_task total\ntotal = sum(rows)\nprint(total, carrier)",
    "%cloaca_run",
]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working directory of its own, with nothing of this machine in the environment."""
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "CLOACA_HISTORY", "COLUMNS", "LINES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("PYTHONIOENCODING", "utf-8")
    monkeypatch.setenv("PYTHONPATH", str(Path(cloaca_nb.__file__).parent.parent))
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.chdir(tmp_path)
    files = {"flights.py": FLIGHTS, "broken.py": BROKEN, "patient.py": PATIENT, "both.py": FLIGHTS + BROKEN}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    before = dict(sys.modules)
    yield tmp_path
    for name in sys.modules.keys() - before.keys():  # each test has files of the same names elsewhere
        if str(getattr(sys.modules[name], "__file__", None)).startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def invoke() -> Callable[..., tuple[int, str, str]]:
    """Call the command line in this process: exit code, stdout, stderr."""

    def invoke(*args: str) -> tuple[int, str, str]:
        result = CliRunner().invoke(app, list(args), prog_name="cloaca-nb")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.stdout, result.stderr

    return invoke


@pytest.fixture
def python() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a fresh Python."""

    def python(*args: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, *args], capture_output=True, text=True, check=False)  # noqa: S603 - our own

    return python


@pytest.fixture
def notebook(home: Path) -> Path:
    """The notebook ``01_demo.ipynb`` in the working directory."""
    path = home / "01_demo.ipynb"
    nbformat.write(v4.new_notebook(cells=[v4.new_code_cell(text) for text in CELLS]), path)
    return path

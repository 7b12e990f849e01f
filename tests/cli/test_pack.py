"""`cloaca-nb pack`, `inspect`, and `run` of an archive: from a project to a run, without leaving anything behind."""

import json
import os
import re
import signal
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import pytest

PATIENCE = 60  # seconds
FLIGHTS = """
import cloaca_nb as cloaca

with cloaca.WorkflowBuilder("flights") as builder:
    builder.parameters(year=2013)

    @cloaca.task()
    def load(context):
        "Load a year's flights."
        print("loading", context["year"], cloaca.var_or("SOURCE", "nowhere"))
        context["rows"] = [3, 4]

    @cloaca.task(timeout=90)
    def total(context):
        print(sum(context["rows"]), flush=True)
"""
WAITING = "    @cloaca.task()\n    def wait(context):\n        context['rows']\n        open('fifo').read()\n"
PYPROJECT = '[project]\nname = "flights"\nversion = "2.1"\n[tool.cloaca]\nentry_module = "flights"\n'


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files of this process, and of those that it starts, go."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


@pytest.fixture
def project(home: Path) -> Path:
    folder = home / "project"
    (folder / "flights").mkdir(parents=True)
    (folder / "flights/__init__.py").write_text(FLIGHTS)
    (folder / "pyproject.toml").write_text(PYPROJECT)
    return folder


def test_from_a_project_to_a_run(project, invoke, python, scratch) -> None:
    code, stdout, stderr = invoke("pack", "project")
    assert (code, stderr) == (0, "")
    expected = r"✓ flights-2\.1\.cloacina\n    2 files, 2 tasks, [\d,]+ bytes\n    sha256:[0-9a-f]{64}\n"
    assert re.fullmatch(expected, stdout)

    arguments = ["run", "flights-2.1.cloacina", "--param", "year=2020", "--var", "SOURCE=a=b", "--history", "h.duckdb"]
    done = python("-m", "cloaca_nb", *arguments)
    assert (done.returncode, done.stdout) == (0, "loading 2020 a=b\n7\n")
    assert "✓ flights  Completed in" in done.stderr
    [run] = json.loads(invoke("history", "--history", "h.duckdb", "--json")[1])
    assert (run["workflow"], run["status"]) == ("flights", "Completed")
    assert list(scratch.iterdir()) == []


def test_a_run_of_an_archive_takes_tasks_from_history_as_well(project, invoke, python) -> None:
    invoke("pack", "project")
    command = ["-m", "cloaca_nb", "run", "flights-2.1.cloacina"]
    python(*command)
    done = python(*command, "--only", "total", "-v")
    assert (done.returncode, done.stdout) == (0, "7\n")
    assert re.search(r"↶ load  taken from run ([0-9a-f]{8}): taken as it was in run \1\n", done.stderr)
    done = python(*command, "--from", "totl")
    assert done.returncode == 2
    assert "Did you mean 'total'?" in done.stderr


def test_an_archive_is_shown(project, invoke, monkeypatch) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    invoke("pack", "project", "-o", "made.cloacina")
    code, stdout, stderr = invoke("inspect", "made.cloacina")
    assert (code, stderr) == (0, "")
    for line in (r"package +flights 2\.1", r"entry module +flights", r"vendor +nothing", r"fingerprint +sha256:\w{64}"):
        assert re.search(rf"^{line} *$", stdout, re.MULTILINE)
    assert re.search(r"^load +0 +flights:load +Load a year's flights\. *$", stdout, re.MULTILINE)
    assert re.search(r"^total +load +0 +1 m 30 s +flights:total *$", stdout, re.MULTILINE)
    assert re.search(r"^created +left out, so that equal archives have equal bytes *$", stdout, re.MULTILINE)
    found = json.loads(invoke("inspect", "made.cloacina", "--json")[1])
    assert found["manifest"]["created_at"] == "1980-01-01T00:00:00Z"
    assert found["problems"] == []
    assert found["manifest"]["package"]["fingerprint"] == found["fingerprint"]
    assert list(found["files"]) == ["manifest.json", "flights/__init__.py"]


def test_an_archive_that_is_refused_is_shown_with_every_reason(project, invoke, python) -> None:
    (project / "manifest.json").write_text('{"package": {"name": "flights", "version": "2.1"}}')
    (project / "os.py").write_text("")
    with tarfile.open("bad.cloacina", "w:bz2") as tar:
        tar.add("project", ".")
    code, stdout, stderr = invoke("inspect", "bad.cloacina")
    assert code == 1
    assert "flights 2.1" in stdout
    assert stderr.startswith("Error: bad.cloacina is refused:\n  - 'os.py' would hide Python's module 'os'.")
    assert "tasks is missing" in stderr
    assert json.loads(invoke("inspect", "bad.cloacina", "--json")[1])["problems"]
    done = python("-m", "cloaca_nb", "run", "bad.cloacina")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == stderr


WRONG = [
    # name, arguments, exit code, what stderr says
    ("nothing to pack", ["pack", "projcet"], 2, r"There is no 'projcet'\. Did you mean 'project'\?"),
    ("no project", ["pack", "."], 2, r"^Error: .* holds no project to pack: its pyproject\.toml has to say"),
    ("nothing to inspect", ["inspect", "made.cloacin"], 2, r"There is no 'made\.cloacin'"),
    ("no archive", ["inspect", "flights.py"], 1, r"^Error: flights\.py is no bzip2 tar: it is something else"),
    ("not installed", ["pack", "project", "--vendor", "nowhere-to-be-found"], 1, "is not installed here"),
    ("vendor without archive", ["export", "a.ipynb", "-o", "x", "--vendor", "y"], 2, "There is no 'a.ipynb'"),
    ("a variable without value", ["run", "flights.py", "--var", "X"], 2, "given as NAME=VALUE, not 'X'"),
    ("a variable twice", ["run", "flights.py", "--var", "X=1", "--var", "X=2"], 2, "given twice"),
]


@pytest.mark.parametrize(("args", "code", "message"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG])
def test_a_mistake_is_answered_in_one_message(args: list[str], code: int, message: str, project, invoke) -> None:
    exit_code, stdout, stderr = invoke(*args)
    assert (exit_code, stdout) == (code, "")
    assert re.search(message, stderr.strip(), re.MULTILINE)
    assert "Traceback" not in stderr


ARCHIVED = [
    # arguments after the file, exit code, what stderr says
    (["--param", "yaer=1"], 2, r"Error: Invalid value for --param: No parameter 'yaer'\. Did you mean 'year'\?"),
    (["--workflow", "fligths"], 2, r"Error: .*cloacina: There is no workflow 'fligths'\. Did you mean 'flights'\?"),
    (["--history", "postgres://x"], 2, "Unsupported database URL"),
]


@pytest.mark.parametrize(("args", "code", "message"), ARCHIVED)
def test_a_mistake_with_an_archive_is_told_likewise(args, code, message, project, invoke, python) -> None:
    invoke("pack", "project")
    done = python("-m", "cloaca_nb", "run", "flights-2.1.cloacina", *args)
    assert (done.returncode, done.stdout) == (code, "")
    assert re.search(message, done.stderr)
    assert "Traceback" not in done.stderr


def test_an_error_in_an_archive_names_the_file_as_it_is_there(project, invoke, python) -> None:
    (project / "flights/__init__.py").write_text(FLIGHTS.replace("[3, 4]", "{}['boom']"))
    invoke("pack", "project")
    done = python("-m", "cloaca_nb", "run", "flights-2.1.cloacina", "--history", ":memory:")
    assert done.returncode == 1
    assert "✕ load  KeyError: 'boom' (flights/__init__.py, line 11)" in done.stderr


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_an_archive_ends_with_its_caller(number, code, project, invoke, home, scratch) -> None:
    (project / "flights/__init__.py").write_text(FLIGHTS + WAITING)
    invoke("pack", "project")
    os.mkfifo(home / "fifo")
    heed = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    start = f"{heed}; from cloaca_nb.cli.app import main; main()"
    command = [sys.executable, "-c", start, "run", "flights-2.1.cloacina", "--history", "h.duckdb"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own
        assert process.stdout is not None
        while process.stdout.readline() != "7\n":
            pass
        process.send_signal(number)
        # Both streams end only when the process that runs the package is gone as well.
        stderr = process.communicate(timeout=PATIENCE)[1]
    assert process.returncode == code
    assert ("⊘ flights  Cancelled in" in stderr) == (number == signal.SIGINT)
    assert list(scratch.iterdir()) == []


def test_an_export_with_its_archive(notebook, invoke, python) -> None:
    code, stdout, stderr = invoke("export", notebook.name, "-o", "out", "--archive")
    assert (code, stderr) == (0, "")
    assert "✓ out/demo-0.1.0.cloacina\n" in stdout
    done = python("-m", "cloaca_nb", "run", "out/demo-0.1.0.cloacina", "--history", ":memory:")
    assert (done.returncode, done.stdout) == (0, "2013 UA\n")


def test_what_an_archive_says_does_nothing_to_a_terminal(project, invoke) -> None:
    # Set, not written: Python 3.13 compiles no docstring with a lone surrogate.
    odd = "\n    def odd(context): ...\n    odd.__doc__ = '\\x1b[2Jgone \\udcff'\n    cloaca.task()(odd)\n"
    (project / "flights/__init__.py").write_text(FLIGHTS + odd)
    invoke("pack", "project")
    code, stdout, _ = invoke("inspect", "flights-2.1.cloacina")
    assert code == 0
    assert r"\x1b[2Jgone \udcff" in stdout
    assert invoke("inspect", "flights-2.1.cloacina", "--json")[0] == 0

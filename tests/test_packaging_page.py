"""The packaging page followed from its first block to the finished archive, its lines unchanged, and our own example.

The page lost the indentation of its Python, so each line's depth is given here; its helpers are the reader's own.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[2] / "shared" / "reference" / "packaging.txt"
needs_page = pytest.mark.skipif(not PAGE.is_file(), reason=f"the reference page is not at {PAGE}")
DEPTHS = "001" + "1122222" + "11222" + "11222"
VERIFY_DEPTHS = "0001101"
HELPERS = """
from my_lib import place

def fetch_from(source):
    return source.split(":")[0]

def clean(data):
    return data.upper()

def write_to(where, data):
    place(where, data)
"""
FILES = {
    "data_pipeline/helpers.py": HELPERS,
    "vendor/my_lib/__init__.py": "def place(where, data):\n    print(f'{data} -> {where}')\n",
}
IMPORTS = "from data_pipeline.helpers import clean, fetch_from, write_to\n"
OUTPUT = "POSTGRES -> http://warehouse\n"
OURS = """\
[project]
name = "data-pipeline"
version = "1.0.0"
requires-python = ">=3.10"
[tool.cloaca]
entry_module = "data_pipeline"
"""
OUR_ENTRY = '''
import cloaca

with cloaca.WorkflowBuilder("data_pipeline") as builder:
    @cloaca.task(id="extract")
    def extract(context):
        """Fetch the data."""
        context.set("raw_data", fetch_from(cloaca.var("DATA_SOURCE")))
        return context

    @cloaca.task(id="load", dependencies=["extract"])
    def load(context):
        write_to(cloaca.var("WAREHOUSE_URL"), clean(context.get("raw_data")))
        return context
'''
VERIFY = """
import sys, cloaca
with cloaca.DefaultRunner(":memory:") as runner:
    print(runner.execute((sys.argv + ["data_pipeline"])[1]).status)
"""


class Shell:
    """A reader's shell, in the folder of the project."""

    def __init__(self, folder: Path, exports: list[str]) -> None:
        self.folder = folder
        self._exports = [line for line in exports if line.startswith("export ")]

    def __call__(self, *lines: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        """Run lines as bash does, after the page's exports."""
        script = "\n".join(["set -e", *self._exports, *lines])
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        variables = {**os.environ, "PATH": path, "CLOACA_HISTORY": str(self.folder / "history.duckdb")}
        done = subprocess.run(  # noqa: S603 - the page's lines
            [str(shutil.which("bash")), "-c", script],
            cwd=self.folder,
            env=variables,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done

    def python(self, *args: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        """Run Python with arguments that need no quotes."""
        return self(f"{sys.executable} {' '.join(args)}", code=code)


def written(folder: Path, files: dict[str, str]) -> Path:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


def section(text: str, first: str, last: str) -> list[str]:
    """Return the page's lines from one that begins with `first` to the next that begins with `last`."""
    lines = text[text.index(first) :].splitlines()
    end = next(number for number, line in enumerate(lines) if line.startswith(last))
    return lines[: end + 1]


def indented(lines: list[str], depths: str) -> str:
    return "\n".join("    " * int(depth) + line for depth, line in zip(depths, lines, strict=True)) + "\n"


@pytest.fixture
def page_shell(tmp_path: Path) -> Shell:
    """The project as the page has its reader write it."""
    text = PAGE.read_text("utf-8")
    entry = text[text.index("import cloaca\nwith ") :].splitlines()[: len(DEPTHS)]
    check = text[text.index("import cloaca\nrunner = ") :].splitlines()[: len(VERIFY_DEPTHS)]
    files = {
        "pyproject.toml": "\n".join(section(text, "[project]\n", "entry_module")) + "\n",
        "data_pipeline/__init__.py": IMPORTS + indented(entry, DEPTHS),
        "verify.py": indented(check, VERIFY_DEPTHS),
        **FILES,
    }
    exports = section(text, "export CLOACINA_VAR_DATA_SOURCE", "export CLOACINA_VAR_FETCH")
    return Shell(
        written(tmp_path / "my-workflow", files), [*exports, "export CLOACINA_VAR_WAREHOUSE_URL=http://warehouse"]
    )


@pytest.fixture
def our_shell(tmp_path: Path) -> Shell:
    """A project of our own in the same shape."""
    files = {"pyproject.toml": OURS, "data_pipeline/__init__.py": IMPORTS + OUR_ENTRY, **FILES}
    exports = ["DATA_SOURCE=postgres:x", "WAREHOUSE_URL=http://warehouse"]
    return Shell(written(tmp_path / "my-workflow", files), [f"export CLOACINA_VAR_{one}" for one in exports])


@needs_page
def test_the_page_leads_from_a_project_to_an_archive_that_runs(page_shell) -> None:
    text = PAGE.read_text("utf-8")
    assert page_shell.python("verify.py").stdout == OUTPUT

    page_shell(*section(text, "mkdir -p build/", "cd build && tar"))
    inspected = page_shell.python("-m", "cloaca_nb", "inspect", "data-pipeline-1.0.0.cloacina")
    assert "data-pipeline 1.0.0" in inspected.stdout
    assert "'sha256:placeholder', which stands in for one" in inspected.stderr
    ran = page_shell.python("-m", "cloaca_nb", "run", "data-pipeline-1.0.0.cloacina")
    assert ran.stdout == OUTPUT
    assert "✓ data_pipeline  Completed" in ran.stderr


@needs_page
def test_pack_makes_of_the_pages_project_what_the_page_writes_by_hand(page_shell) -> None:
    text = PAGE.read_text("utf-8")
    by_hand = json.loads("\n".join(section(text, "{\n", "EOF")[:-1]))
    page_shell.python("-m", "cloaca_nb", "pack", ".", "-o", "ours.cloacina")
    shown = json.loads(page_shell.python("-m", "cloaca_nb", "inspect", "ours.cloacina", "--json").stdout)
    manifest = shown["manifest"]
    assert [{key: task[key] for key in ("id", "function", "dependencies")} for task in manifest["tasks"]] == by_hand[
        "tasks"
    ]
    for name in ("name", "version", "targets"):
        assert manifest["package"][name] == by_hand["package"][name]
    assert (manifest["language"], manifest["python"]) == (by_hand["language"], by_hand["python"])
    assert manifest["package"]["fingerprint"] == shown["fingerprint"]
    assert page_shell.python("-m", "cloaca_nb", "run", "ours.cloacina").stdout == OUTPUT


def test_a_project_of_that_shape_is_packed_and_runs_away_from_its_folder(our_shell, tmp_path) -> None:
    our_shell.python("-m", "cloaca_nb", "pack", ".", "-o", str(tmp_path / "ours.cloacina"))
    shutil.rmtree(our_shell.folder / "data_pipeline")
    shutil.rmtree(our_shell.folder / "vendor")
    assert our_shell.python("-m", "cloaca_nb", "run", str(tmp_path / "ours.cloacina")).stdout == OUTPUT


def test_an_archive_made_with_tar_alone_is_loaded(our_shell, tmp_path) -> None:
    tasks = [
        {"id": "extract", "function": "data_pipeline:extract", "dependencies": []},
        {"id": "load", "function": "data_pipeline:load", "dependencies": ["extract"]},
    ]
    package = {"name": "data-pipeline", "version": "1.0.0", "fingerprint": "sha256:placeholder", "targets": []}
    manifest = {
        "format_version": "2",
        "package": package,
        "language": "python",
        "python": {"requires_python": ">=3.10", "entry_module": "data_pipeline"},
        "tasks": tasks,
        "created_at": "2026-01-15T10:30:00Z",
    }
    written(our_shell.folder, {"build/manifest.json": json.dumps(manifest)})
    our_shell("cp -r data_pipeline vendor build/", "cd build", f"tar -cjf {tmp_path}/made.cloacina .")
    ran = our_shell.python("-m", "cloaca_nb", "run", str(tmp_path / "made.cloacina"))
    assert (ran.stdout, "stands in for one" in ran.stderr) == (OUTPUT, True)


def test_a_workflow_is_found_by_the_pyproject_of_the_working_directory(our_shell) -> None:
    written(our_shell.folder, {"verify.py": VERIFY})
    assert our_shell.python("verify.py").stdout == OUTPUT + "Completed\n"
    assert "No workflow 'pipelines'" in our_shell.python("verify.py", "pipelines", code=1).stderr

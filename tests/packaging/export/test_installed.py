"""An exported package installed into a fresh environment: its command, its module, and what it brings along."""

import os
import re
import site
import subprocess
import sys
import venv
from pathlib import Path

import pytest

import cloaca_nb
from cloaca_nb.packaging.analysis.notebook import Cell, Notebook
from cloaca_nb.packaging.export.export import export
from cloaca_nb.packaging.export.write import write_package

CELLS = [
    "import rates",
    "%%cloaca_params\nyear = 2013\ntitle = f'Sales of {year}'",
    "%%cloaca_task load\nrows = [year, rates.FIRST]",
    "%%cloaca_task total\ntotal = sum(rows)\nhead = title.upper()\nprint(head, total)",
]
RATES = "from importlib.resources import files\nFIRST = int(files(__name__).joinpath('first.txt').read_text())\n"
PATIENCE_S = 240


class Environment:
    """A fresh environment that sees what is installed here, so that nothing has to be fetched."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.home.mkdir()
        venv.create(folder / "venv", with_pip=False)
        self.programs = folder / "venv" / ("Scripts" if os.name == "nt" else "bin")
        (libraries,) = (folder / "venv").rglob("site-packages")
        here = [str(Path(cloaca_nb.__file__).parents[1]), *site.getsitepackages(), *sys.path]
        (libraries / "here.pth").write_text("".join(f"{path}\n" for path in here if Path(path).is_dir()))

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one of its programs, away from the package's folder."""
        environment = {
            "HOME": str(self.home),
            "PATH": os.environ["PATH"],
            "CLOACA_HISTORY": ":memory:",
            "COLUMNS": "120",
        }
        command = [str(self.programs / program), *arguments]
        return subprocess.run(  # noqa: S603 - what was just installed
            command, cwd=self.home, env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE_S
        )


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    folder = tmp_path_factory.mktemp("installed")
    (folder / "rates").mkdir()
    (folder / "rates/__init__.py").write_text(RATES)
    (folder / "rates/first.txt").write_text("7")
    cells = tuple(Cell(number, str(number), text) for number, text in enumerate(CELLS, 1))
    package = export(Notebook("01_weekly_sales", cells, folder))
    project = write_package(package, folder / "project")
    made = Environment(folder)
    options = ["--no-index", "--no-deps", "--no-build-isolation", "--disable-pip-version-check"]
    done = made.run("python", "-m", "pip", "install", *options, str(project))
    assert done.returncode == 0, done.stdout + done.stderr
    return made


RUNS: dict[str, tuple[list[str], int, str]] = {
    # name: program and arguments, exit code, what it says
    "the command": (["weekly-sales", "--param", "year=2014"], 0, "SALES OF 2014 2021"),
    "the command's help": (["weekly-sales", "--help"], 0, r"year=2013 +int(.|\n)*--param KEY=VALUE"),
    "the module": (["python", "-m", "weekly_sales", "--param", "year=2014"], 0, "SALES OF 2014 2021"),
    "the module's help": (["python", "-m", "weekly_sales", "--help"], 0, r"year=2013 +int(.|\n)*--param KEY=VALUE"),
    "an unknown option": (["weekly-sales", "--parm", "year=2014"], 2, "--parm"),
}


@pytest.mark.parametrize("case", RUNS)
@pytest.mark.timeout(PATIENCE_S)
def test_what_was_installed_runs(case: str, environment: Environment) -> None:
    command, code, said = RUNS[case]
    done = environment.run(*command)
    assert done.returncode == code, done.stdout + done.stderr
    assert re.search(said, done.stdout + done.stderr), done.stdout + done.stderr


def test_it_is_installed_with_what_it_brings_along(environment: Environment) -> None:
    code = "import rates, weekly_sales; print(rates.__file__, weekly_sales.__file__)"
    done = environment.run("python", "-c", code)
    assert [str(environment.programs.parent) in one for one in done.stdout.split()] == [True, True], done.stderr

"""A corpus of notebooks: each folder under `cases` is one, with what becomes of it.

- `cells.txt`: its cells, parted by `# %%` lines, or `# %% [markdown]` above prose.
- `module.txt`: the entry module of its package, or `error.txt`: why it can't be exported.
- `outcome.txt`: its DAG and the final context, which the live notebook and the imported package must both come to.

`CLOACA_UPDATE_CASES=1 pytest tests/corpus` writes the expectations anew; read the difference before you keep it.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
import pytest

from cloaca_nb.errors import CloacaError
from cloaca_nb.packaging.analysis.notebook import Cell, Notebook
from cloaca_nb.packaging.export.export import export
from cloaca_nb.packaging.export.imported import import_package
from cloaca_nb.packaging.export.package import Package
from cloaca_nb.packaging.export.write import write_notebook, write_package

collect_ignore = ["shells.py"]  # a program, which finds its neighbour where it is started
CASES = Path(__file__).parent / "cases"
# What executes them, by how.
PROGRAMS = {"live": "shells.py", "imported": "batch.py", "back": "shells.py"}
SEPARATOR = re.compile(r"^# %%( \[markdown\])?\n", re.MULTILINE)
# Which workflow of a notebook that has several.
SELECTED = {"two_workflows": "second", "with_block_of_another_workflow": "chain"}
PATIENCE_S = 250
# What an export doesn't carry, and who runs it gives.
SECRETS = {"CLOACINA_VAR_api_token": "s3cr3t", "CLOACINA_VAR_station": "KJFK"}


@dataclass(frozen=True)
class Case:
    """One notebook."""

    folder: Path = field(repr=False)

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def workflow(self) -> str | None:
        return SELECTED.get(self.name)

    @property
    def package_name(self) -> str:
        return f"exported_{self.name}"

    @property
    def notebook_name(self) -> str:
        return f"01_{self.name}"

    def cells(self) -> list[tuple[str, str]]:
        """Return kind and text of each cell."""
        first, *others = SEPARATOR.split((self.folder / "cells.txt").read_text("utf-8"))
        kinds = ["code", *("markdown" if one else "code" for one in others[::2])]
        found = zip(kinds, [first, *others[1::2]], strict=True)
        return [(kind, text.rstrip("\n")) for kind, text in found if text or kind == "markdown"]

    def notebook(self, text_of: Callable[[str], str] = lambda text: text) -> Notebook:
        """Return it as the exporter sees it; its cells' ids are their numbers."""
        cells: list[Cell] = []
        above = ""
        for kind, text in self.cells():
            if kind == "code":
                cells.append(Cell(len(cells) + 1, str(len(cells) + 1), text_of(text), text_of(above)))
            above = text if kind == "markdown" else ""
        return Notebook(self.notebook_name, tuple(cells))

    def write_notebook(self, folder: Path) -> Path:
        """Write it as a notebook file."""
        content = nbformat.v4.new_notebook()
        for kind, text in self.cells():
            number = 1 + sum(one.cell_type == "code" for one in content.cells)
            make = nbformat.v4.new_code_cell if kind == "code" else nbformat.v4.new_markdown_cell
            content.cells.append(make(text, id=str(number) if kind == "code" else f"above-{number}"))
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.notebook_name}.ipynb"
        nbformat.write(content, path)
        return path

    def export(self, text_of: Callable[[str], str] = lambda text: text) -> Package | str:
        """Return its package, or the error."""
        try:
            return export(self.notebook(text_of), self.workflow, name=self.package_name)
        except CloacaError as error:
            return str(error)

    def expected(self, name: str) -> str | None:
        path = self.folder / name
        return path.read_text("utf-8") if path.exists() else None

    def check(self, name: str, found: str | None) -> None:
        """Compare with what is expected, or write that anew."""
        if os.environ.get("CLOACA_UPDATE_CASES"):
            (self.folder / name).unlink(missing_ok=True)
            if found is not None:
                (self.folder / name).write_text(found, "utf-8")
        assert found == self.expected(name)


EVERY = [Case(folder) for folder in sorted(CASES.iterdir())]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that takes a `case` with each; one that takes `exported_case` with those that can be exported."""
    if "case" in metafunc.fixturenames:
        metafunc.parametrize("case", EVERY, ids=[one.name for one in EVERY])
    if "exported_case" in metafunc.fixturenames:
        found = [one for one in EVERY if (one.folder / "module.txt").exists()]
        metafunc.parametrize("exported_case", found, ids=[one.name for one in found])


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every notebook and its package, each in a folder of its case's name."""
    folder = tmp_path_factory.mktemp("corpus")
    for case in EVERY:
        case.write_notebook(folder / case.name)
        package = case.export()
        if isinstance(package, Package):
            write_package(package, folder / case.name / "package")
            made = import_package(folder / case.name / "package")
            write_notebook(made.notebook, made.files, folder / case.name / "back" / f"{made.notebook.name}.ipynb")
    return folder


@pytest.fixture(scope="session")
def batches(written: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[Any]]]:
    """Three processes, two at once: every notebook executed live, every package, and every notebook made of one."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        home = tmp_path_factory.mktemp("home")
        yield {kind: pool.submit(run_batch, kind, written, home) for kind in ("live", "imported", "back")}


@pytest.fixture(scope="session")
def live(batches: dict[str, Future[Any]]) -> dict[str, Any]:
    return batches["live"].result()


@pytest.fixture(scope="session")
def imported(batches: dict[str, Future[Any]]) -> dict[str, Any]:
    return batches["imported"].result()


@pytest.fixture(scope="session")
def back(batches: dict[str, Future[Any]]) -> dict[str, Any]:
    return batches["back"].result()


def run_batch(kind: str, folder: Path, home: Path) -> dict[str, Any]:
    answer = home / f"{kind}.json"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("CLOACA", "JPY"))}
    environment |= {"IPYTHONDIR": str(home), "CLOACA_HISTORY": ":memory:", "MPLBACKEND": "agg", **SECRETS}
    environment |= {"PATH": "/usr/bin:/bin", "PIP_NO_INDEX": "1"}  # where a cell installs something, it can't
    jobs = [[one.name, one.notebook_name, one.package_name, one.workflow] for one in EVERY]
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, Path(__file__).parent / PROGRAMS[kind], kind, folder, answer],
        input=json.dumps(jobs),
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(answer.read_text("utf-8"))
    return found

"""What the README, the Makefile and mybinder.org install is all that the tutorials need."""

import ast
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Final

import nbformat
import pytest
from IPython.core.inputtransformer2 import TransformerManager
from packaging.requirements import Requirement

from cloaca_nb.packaging.analysis.notebook import notebook_from_texts
from cloaca_nb.packaging.export.export import export

TOP: Final = Path(__file__).resolve().parents[1]
PROJECT: Final = tomllib.loads((TOP / "pyproject.toml").read_text())["project"]
DEMO: Final = "01_flight_delays.ipynb"
INSTALLED: Final = {
    # name: the extra, and the notebooks that are executed with it
    "lab": sorted(path.name for path in (TOP / "notebooks").glob("*.ipynb") if path.name != DEMO),
    "demo": sorted(path.name for path in (TOP / "notebooks").glob("*.ipynb")),
}
PROCESS: Final = ('executor="process"', "--executor process")


@pytest.mark.parametrize("extra", INSTALLED)
def test_the_notebooks_need_nothing_else(extra: str) -> None:
    there = set(distributions([*PROJECT["dependencies"], *PROJECT["optional-dependencies"][extra]]))
    needed = {name: set(needs(name)) for name in INSTALLED[extra]}
    assert {name: some - there for name, some in needed.items() if some - there} == {}


def test_what_they_need_is_found() -> None:
    assert set(needs("05_processes.ipynb")) >= {"loky"}
    assert set(needs("07_from_notebook_to_package.ipynb")) >= {"hatchling"}
    assert set(needs(DEMO)) >= {"pandas", "matplotlib"}


def test_every_extra_has_lower_bounds() -> None:
    requirements = [Requirement(one) for some in PROJECT["optional-dependencies"].values() for one in some]
    assert [str(one) for one in requirements if one.name != PROJECT["name"] and ">=" not in str(one.specifier)] == []


def distributions(requirements: list[str]) -> Iterator[str]:
    """Yield the names of distributions, those of our own extras included."""
    for one in map(Requirement, requirements):
        if one.name == PROJECT["name"]:
            for extra in one.extras:
                yield from distributions(PROJECT["optional-dependencies"][extra])
        yield one.name


def needs(name: str) -> Iterator[str]:
    """Yield which distributions a notebook's code cells need."""
    cells = nbformat.read(TOP / "notebooks" / name, as_version=4).cells
    texts = [cell.source for cell in cells if cell.cell_type == "code" and not cell.source.startswith("%%cloaca_sql")]
    known = packages_distributions()
    for text in texts:
        if any(one in text for one in PROCESS):
            yield "loky"
        if "--no-build-isolation" in text:
            yield from builders()
        python = TransformerManager().transform_cell(text.partition("\n")[2] if text.startswith("%%") else text)
        for module in imported(ast.parse(python)):
            yield from known.get(module, [module])


def imported(tree: ast.Module) -> Iterator[str]:
    """Yield the modules outside the standard library that code imports."""
    for node in ast.walk(tree):
        names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
        names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
        yield from {one.partition(".")[0] for one in names} - {*sys.stdlib_module_names, "IPython", "cloaca_nb"}


def builders() -> list[str]:
    """Return what builds an exported package."""
    package = export(notebook_from_texts("sample", ["%%cloaca_task one\nx = 1"]))
    wanted = tomllib.loads(package.files["pyproject.toml"])["build-system"]["requires"]
    return [Requirement(one).name for one in wanted]

"""Tests and directives of a notebook, in its package."""

import subprocess
import sys

import pytest

from cloaca_nb.errors import ExportError
from cloaca_nb.packaging.analysis.notebook import notebook_from_texts
from cloaca_nb.packaging.export.export import export
from cloaca_nb.packaging.export.write import write_package

CELLS = [
    "import json, math\nimport cloaca_nb as cloaca\nRATE = 3\ndef scaled(n):\n    return RATE * math.floor(n)",
    "%%cloaca_params\nyear = 2013",
    "%%cloaca_task load\nrows = [year, 1]",
    "%%cloaca_task total\ntotal = sum(map(scaled, rows))",
]
TESTS = [
    "%%cloaca_test totals\nassert total == RATE * sum(rows)\nassert json.loads('[1]') == [1]",
    "def twice(n):\n    return 2 * n",
    "%%cloaca_test load_alone\nassert load(cloaca.Context({'year': twice(3)}))['rows'] == [6, 1]",
    "#| cloaca: test\nassert scaled(2) == 6",
]
MODULE = '''\
"""What the notebook says of the workflow sample."""

import json

import cloaca_nb as cloaca

from sample import RATE, load, scaled


# 01_sample.ipynb, cell 6
def twice(n):
    return 2 * n


# 01_sample.ipynb, cell 5
def test_totals(context):
    total = context["total"]
    rows = context["rows"]
    assert total == RATE * sum(rows)
    assert json.loads('[1]') == [1]


# 01_sample.ipynb, cell 7
def test_load_alone():
    assert load(cloaca.Context({'year': twice(3)}))['rows'] == [6, 1]


# 01_sample.ipynb, cell 8
def test_cell_8():
    assert scaled(2) == 6
'''


def exported(*texts: str):
    return export(notebook_from_texts("01_sample", [*CELLS, *texts]))


def test_the_notebooks_tests_are_a_module_of_the_package() -> None:
    package = exported(*TESTS)
    assert package.files["tests/test_sample_notebook.py"] == MODULE
    assert "json" not in package.files[package.entry]
    assert "twice" not in package.files[package.entry]
    assert sorted(path for path in exported().files if path.startswith("tests/")) == ["tests/test_sample.py"]


@pytest.mark.parametrize(
    ("cells", "code", "said"),
    [(TESTS, 0, "4 passed"), (["%%cloaca_test wrong\nrows.clear()\nassert total == 1"], 1, "assert 6042 == 1")],
    ids=["pass", "fail"],
)
def test_pytest_runs_them_where_the_package_lies(tmp_path, cells, code, said) -> None:
    folder = write_package(exported(*cells), tmp_path / "out")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 - our own Python
    assert (done.returncode, said in done.stdout) == (code, True), done.stdout


def test_a_skipped_cell_is_as_if_it_were_not_there() -> None:
    package = exported("#| cloaca: skip\nRATE = open('x')\n!rm x")
    assert "RATE = 3" in package.files[package.entry]
    assert "cell 5, line 1: `#| cloaca: skip`" in package.left_out
    with pytest.raises(ExportError, match="'offset'"):
        exported("#| cloaca: skip\noffset = 1", "%%cloaca_task more\nm = offset")


def test_a_cell_to_export_is_carried_whole_and_one_of_setup_may_act() -> None:
    package = exported("#| cloaca: export\nimport zlib\ndef public(n):\n    return scaled(n)")
    assert "import zlib\n" in package.files[package.entry]
    assert "def public(n):" in package.files[package.entry]
    assert "#|" not in package.files[package.entry]
    acting = "from pathlib import Path\nPath('cache').mkdir(exist_ok=True)"
    assert "mkdir" in exported(f"#| cloaca: setup\n{acting}").files["sample/__init__.py"]
    with pytest.raises(ExportError, match=r"cell 5, line 3: `Path\('cache'\).*its cell says so, but it does more"):
        exported(f"#| cloaca: export\n{acting}")
    with pytest.raises(ExportError, match="only IPython can run"):
        exported("#| cloaca: setup\n!mkdir cache")


REFUSED = {
    "a wrong word": (["#| cloaca: exprot\nx = 1"], "cell 5, line 1: Cell line 1: .*Did you mean 'export'"),
    "in a parameters cell": (
        ["%%cloaca_params\n#| cloaca: skip\nx = 1"],
        "is for plain cells, and this",
    ),
    "two tests of one name": (
        ["%%cloaca_test a\nassert 1"] * 2,
        "cell 5, line 1 and cell 6, line 1: both are",
    ),
    "what a test can't have": (["r = %cloaca_run", "%%cloaca_test a\nassert r"], "cell 5, line 1: .*only IPython"),
    "what nobody has": (["%%cloaca_test a\nassert totl"], "totl"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_can_not_be_is_refused_with_its_place(case) -> None:
    cells, message = REFUSED[case]
    with pytest.raises(ExportError, match=message):
        exported(*cells)

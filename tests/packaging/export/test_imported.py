"""What a package becomes as a notebook; that exports of those are the packages is tested with the corpus."""

from dataclasses import replace
from pathlib import Path

import pytest

from cloaca_nb.errors import ExportError, PackageError
from cloaca_nb.packaging.analysis.notebook import notebook_from_texts, read_notebook
from cloaca_nb.packaging.export.export import export
from cloaca_nb.packaging.export.imported import import_package
from cloaca_nb.packaging.export.write import write_notebook, write_package
from cloaca_nb.packaging.pack import pack

BY_HAND = '''\
"""Prices, by hand."""

import json
import cloaca_nb as cloaca

RATE = 2
TABLE = {"a": RATE}  # one

# what it costs
def cost(x):
    text = """
    left as it is
"""
    return x * RATE + len(text)


with cloaca.WorkflowBuilder("prices") as builder:
    @cloaca.task()
    def load(context):
        """Load."""
        context["n"] = len(json.dumps(TABLE))

    @cloaca.task(dependencies=["load"])
    def price(context):
        context["price"] = cost(context["n"])


if __name__ == "__main__":
    print("not in a notebook")
'''


def project(folder: Path, text: str, **files: str) -> Path:
    """Write a project whose entry module has that text."""
    (folder / "prices").mkdir(parents=True)
    (folder / "pyproject.toml").write_text('[tool.cloaca]\nentry_module = "prices"\n')
    (folder / "prices/__init__.py").write_text(text)
    for name, content in files.items():
        (folder / f"{name}.py").write_text(content)
    return folder


def cells_of(path: Path) -> list[tuple[str, str]]:
    return [(one.id, one.text) for one in import_package(path).notebook.cells]


def test_a_package_by_hand_has_a_cell_for_each_task_and_definition(tmp_path: Path) -> None:
    found = dict(cells_of(project(tmp_path / "a", BY_HAND)))
    assert list(found) == ["setup", "imports", "constants", "cost", "load", "price", "run"]
    assert found["setup"] == "%load_ext cloaca_nb"
    assert found["constants"] == 'RATE = 2\nTABLE = {"a": RATE}  # one'
    assert found["cost"].startswith('# what it costs\ndef cost(x):\n    text = """\n    left as it is\n')
    assert found["load"].startswith("@cloaca.task()\ndef load(context):\n")


def test_a_package_by_hand_can_be_exported_once_it_is_a_notebook(tmp_path: Path) -> None:
    made = import_package(project(tmp_path / "a", BY_HAND))
    package = export(read_notebook(write_notebook(made.notebook, made.files, tmp_path / "b/prices.ipynb")))
    assert package.dependencies == {"load": (), "price": ("load",)}


def test_a_module_alone_will_do(tmp_path: Path) -> None:
    file = tmp_path / "prices.py"
    file.write_text(BY_HAND)
    assert import_package(file).notebook.name == "prices"


def test_task_cells_and_hints_come_back(tmp_path: Path) -> None:
    texts = [
        "!pip install 'nosuchthing>=2'",
        "%%cloaca_task one --timeout 3\nx = 1",
        "%%cloaca_task two\n# twice\ny = x * 2",
    ]
    write_package(export(notebook_from_texts("01_sample", texts)), tmp_path / "a")
    found = dict(cells_of(tmp_path / "a"))
    assert found["setup"] == "%load_ext cloaca_nb\n%pip install --quiet 'nosuchthing>=2'"
    assert found["2"] == "%%cloaca_task one --timeout 3\nx = 1"
    assert found["3"] == "%%cloaca_task two\n# twice\ny = x * 2"


def test_modules_beside_a_package_come_along(tmp_path: Path) -> None:
    text = BY_HAND.replace("import json\n", "import json\nimport rates\n").replace("RATE = 2", "RATE = rates.RATE")
    made = import_package(project(tmp_path / "a", text, rates="RATE = 3\n"))
    assert made.files == {"rates.py": "RATE = 3\n"}
    path = write_notebook(made.notebook, made.files, tmp_path / "b/prices.ipynb")
    assert (path.parent / "rates.py").read_text() == "RATE = 3\n"
    with pytest.raises(ExportError, match="is there already, so nothing was written"):
        write_notebook(made.notebook, made.files, path)
    (path.parent / "rates.py").write_text("RATE = 4\n")
    with pytest.raises(ExportError, match=r"rates.py is there already and differs"):
        write_notebook(made.notebook, made.files, path.with_name("other.ipynb"))


def test_what_a_package_beside_it_holds_comes_along_byte_for_byte(tmp_path: Path) -> None:
    (tmp_path / "a/rates").mkdir(parents=True)
    (tmp_path / "a/rates/__init__.py").write_text("RATE = 3\n")
    (tmp_path / "a/rates/table.bin").write_bytes(b"\xff\r\n\0")
    texts = ["import rates", "%%cloaca_task one\nx = rates.RATE"]
    package = export(notebook_from_texts("01_sample", texts, tmp_path / "a"))
    assert package.data == {"rates/table.bin": b"\xff\r\n\0"}
    made = import_package(write_package(package, tmp_path / "b"))
    assert (made.files, made.note) == ({"rates/__init__.py": "RATE = 3\n", **package.data}, "")
    again = export(read_notebook(write_notebook(made.notebook, made.files, tmp_path / "c/01_sample.ipynb")))
    assert (again.files, again.data) == (package.files, package.data)


TESTED = [
    "import json, math\nimport cloaca_nb as cloaca\nRATE = 3\ndef scaled(n):\n    return RATE * math.floor(n)",
    "%%cloaca_task load\nrows = [2013, 1]",
    "%%cloaca_test totals\n# first\nassert sum(rows) > RATE\nassert json.loads('[1]') == [1]\n# last",
    "from fractions import Fraction\ndef half(n):\n    return Fraction(n, 2)\nLIMIT = 2",
    "%%cloaca_test test_1\n'''Whole.'''\nassert half(LIMIT) == 1 and load(cloaca.Context())['rows'][1] == 1",
    "#| cloaca: test\ncontext['n'] = n = scaled(2)\nassert n == 6",
]


def test_tests_come_back_as_cells_below_the_run_that_they_look_at(tmp_path: Path) -> None:
    package = export(notebook_from_texts("01_sample", TESTED))
    made = import_package(write_package(package, tmp_path / "a"))
    assert made.note == ""
    assert export(made.notebook).files == package.files
    found = {one.id: one.text for one in made.notebook.cells}
    assert list(found) == ["setup", "imports", "1", "4", "2", "run", "3", "5", "6"]
    assert found["3"] == TESTED[2]
    assert found["4"].startswith("def half(n):")
    assert found["5"].startswith("%%cloaca_test test_1\n'''Whole.'''\nassert half")
    assert found["6"].startswith("%%cloaca_test cell_6\ncontext['n'] = n = scaled(2)\n")


def test_a_test_that_no_cell_can_be_is_named(tmp_path: Path) -> None:
    folder = write_package(export(notebook_from_texts("01_sample", TESTED)), tmp_path / "a")
    with (folder / "tests/test_sample_notebook.py").open("a") as file:
        file.write("\n\ndef test_more(tmp_path):\n    assert tmp_path\n\n\ndef test_own():\n    assert RATE\n")
    made = import_package(folder)
    assert "differs from the package, in tests/test_sample_notebook.py. test_more has decorators or" in made.note
    assert [one.text for one in made.notebook.cells if one.id == "test_own"] == ["%%cloaca_test own\nassert RATE"]


GOLDEN = {"tests/golden/load.json": "{}\n", "tests/test_sample_golden.py": "# of a run\n"}


def test_golden_files_which_no_notebook_holds_are_named(tmp_path: Path) -> None:
    package = export(notebook_from_texts("01_sample", TESTED))
    folder = write_package(replace(package, files={**package.files, **GOLDEN}), tmp_path / "a")
    note = import_package(folder).note
    assert note.startswith("A notebook doesn't hold tests/golden/load.json, tests/test_sample_golden.py. Golden tests ")
    (folder / "tests/golden/load.json").unlink()
    (folder / "tests/test_sample_golden.py").unlink()
    assert import_package(folder).note == ""


# name: what it is exported with, and what has to be given to have it again
OPTIONS: dict[str, tuple[dict[str, str], str]] = {
    "nothing": ({}, ""),
    "the other engine": ({"import_name": "cloaca"}, "--import-name cloaca"),
    "a name": ({"name": "prices"}, "--name prices"),
    "both": ({"import_name": "cloaca", "name": "prices"}, "--name prices --import-name cloaca"),
}


@pytest.mark.parametrize("case", OPTIONS)
def test_the_options_of_an_export_are_told_and_give_the_package_again(case: str, tmp_path: Path) -> None:
    options, told = OPTIONS[case]
    package = export(notebook_from_texts("01_sample", [PLAIN, *TESTED[1:2]]), **options)
    made = import_package(write_package(package, tmp_path / "a"))
    assert made.note == (f"To get the same package, export it with {told}." if told else "")
    assert export(made.notebook, **options).files == package.files
    assert not any("%pip" in one.text for one in made.notebook.cells)


PLAIN = "import math\nimport cloaca_nb as cloaca\n@cloaca.task(id='one', dependencies=[])\ndef one(context): pass"


def test_a_package_by_hand_for_cloaca_installs_no_other_engine(tmp_path: Path) -> None:
    folder = project(tmp_path / "a", BY_HAND.replace("import cloaca_nb as cloaca", "import cloaca"))
    with (folder / "pyproject.toml").open("a") as file:
        file.write('[project]\nname = "prices"\ndependencies = ["cloaca", "nosuchthing"]\n')
    assert dict(cells_of(folder))["setup"] == "%load_ext cloaca_nb\n%pip install --quiet nosuchthing"


def test_under_another_name_the_workflow_keeps_its_own(tmp_path: Path) -> None:
    folder = write_package(export(notebook_from_texts("01_sample", TESTED[:2])), tmp_path / "a")
    for name, setup in {
        "other": "%load_ext cloaca_nb\n%cloaca_workflow sample",
        "2_sample": "%load_ext cloaca_nb",
    }.items():
        made = import_package(folder, name)
        assert (made.notebook.name, made.notebook.cells[0].text, made.note) == (name, setup, "")
        assert export(made.notebook).workflow_name == "sample"


def test_an_archive_is_a_package_as_well(tmp_path: Path) -> None:
    texts = ["%%cloaca_task one --timeout 3\nx = 1", "%%cloaca_task two\ny = x * 2"]
    archive = pack(write_package(export(notebook_from_texts("01_sample", texts)), tmp_path / "a"), tmp_path)
    made = import_package(archive.path)
    assert (made.notebook.name, made.note) == ("01_sample", "")
    assert [one.text for one in made.notebook.cells if one.id in "12"] == texts
    archive.path.write_bytes(archive.path.read_bytes()[:-9])
    with pytest.raises(PackageError, match="is cut off"):
        import_package(archive.path)


def test_comments_below_the_last_statement_are_kept(tmp_path: Path) -> None:
    found = dict(cells_of(project(tmp_path / "a", BY_HAND.partition("\n\nif __name__")[0] + "\n        # the end\n")))
    assert found["price"].endswith("\n    # the end")


REFUSED = {
    "no project": ({}, "", "holds no package"),
    "no Python": ({"prices/__init__.py": "x = = 1"}, "prices", "no Python: line 1"),
    "a part of its own": (
        {"prices/__init__.py": "from .a import b"},
        "prices",
        r"line 1: `from \.a import b` imports a part",
    ),
    "no such module": ({}, "prices", "has neither prices/ nor prices.py"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refuses(case: str, tmp_path: Path) -> None:
    files, entry, message = REFUSED[case]
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "pyproject.toml").write_text(f'[tool.cloaca]\nentry_module = "{entry}"\n' if entry else "")
    with pytest.raises(PackageError, match=message):
        import_package(tmp_path)


def test_refuses_a_module_in_another_encoding(tmp_path: Path) -> None:
    (tmp_path / "prices.py").write_bytes("# coding: latin-1\nNAME = 'é'\n".encode("latin-1"))
    with pytest.raises(PackageError, match=r"prices\.py is not in UTF-8"):
        import_package(tmp_path / "prices.py")

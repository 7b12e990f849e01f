"""What an export refuses, and that it gives the same package for the same cells."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import nbformat
import pytest

from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.task import Task
from cloaca_nb.errors import ExportError, WorkflowValidationError
from cloaca_nb.packaging.analysis.notebook import Cell, Notebook, notebook_from_texts, read_notebook
from cloaca_nb.packaging.export.export import export
from cloaca_nb.packaging.export.imported import import_package
from cloaca_nb.packaging.export.package import Package
from cloaca_nb.packaging.export.write import write_package

TASK = "%%cloaca_task one\nx = 1"
READS = "%%cloaca_task reads\nwith open('data.csv') as file:\n    text = file.read()"
SEVERAL = ("%cloaca_workflow first", TASK, "%cloaca_workflow second", TASK)
BLOCK = "import cloaca_nb as cloaca\nwith cloaca.WorkflowBuilder('block'):\n    @cloaca.task()\n    def f(c): pass"


def exported(*texts: str, name: str = "01_sample") -> Package:
    return export(notebook_from_texts(name, list(texts)))


ACTING = [
    "!pip install duckdb\nimport os\n!wget https://x.org/a.csv\nfiles = !ls\n%env X=1\nunused = 1",
    "%%bash\necho a",
    "%matplotlib inline\n%%cloaca_task?",
    "%%html\n<b>x</b>",
    TASK,
    "#| cloaca: skip\n%cd a",
]


def test_what_acts_when_the_notebook_runs_is_listed_apart_and_is_nowhere_in_the_package(tmp_path: Path) -> None:
    package = exported(*ACTING)
    assert package.acts == (
        "cell 1, line 3: !wget https://x.org/a.csv",
        "cell 1, line 4: files = !ls",
        "cell 1, line 5: %env X=1",
        "cell 2, line 1: %%bash",
    )
    assert package.left_out == (
        "cell 1, line 1: !pip install duckdb",
        "cell 1, line 2: import os",
        "cell 1, line 6: unused = 1",
        "cell 3, line 1: %matplotlib inline",
        "cell 3, line 2: %%cloaca_task?",
        "cell 4, line 1: %%html",
        "cell 6, line 1: `#| cloaca: skip`",
    )
    without = exported("!pip install duckdb", "", "", "", TASK)
    assert package.files == without.files
    made = import_package(write_package(package, tmp_path / "out"))
    assert made.note == ""
    assert export(made.notebook).files == package.files


# Cells that act with a secret, and what the export lists of them.
SECRETIVE = {
    "%env API_TOKEN=s3cr3t\n%set_env PASSWORD s3cr3t": [
        "cell 1, line 1: %env API_TOKEN=••••",
        "cell 1, line 2: %set_env PASSWORD ••••",
    ],
    "for path in PATHS:\n    !curl -H 'Authorization: Bearer s3cr3t' https://me:s3cr3t@x.org/{path}": [
        "cell 1, line 1: for path in PATHS:"
    ],
    "\n%%bash\nexport TOKEN=s3cr3t": ["cell 1, line 2: %%bash"],
    "!curl \\\n  -u me:s3cr3t x.org": ["cell 1, line 1: !curl \\"],
}


@pytest.mark.parametrize("cell", SECRETIVE)
def test_no_secret_of_what_acts_travels(cell: str, tmp_path: Path) -> None:
    package = exported(cell, "PATHS = ['a']", TASK)
    assert list(package.acts) == SECRETIVE[cell]
    made = import_package(write_package(package, tmp_path / "out")).notebook
    assert "s3cr3t" not in f"{package}{made}"


# Notebooks whose working directory changes where no task minds, and what the export lists of that.
MOVES = {
    "below the last task and run": ([READS, "%cloaca_run", "%cd data"], ["cell 3, line 1: %cd data"]),
    "by os, below the last task": (["import os", READS, "os.chdir('data')"], ["cell 3, line 1: os.chdir('data')"]),
    "in another place": (
        ["import os, sys\nif 'google.colab' in sys.modules:\n    os.chdir('data')", READS],
        ["cell 1, line 2: if 'google.colab' in sys.modules:"],
    ),
    "in another place that has a name": (
        ["import sys\nIN_COLAB = 'google.colab' in sys.modules", "if IN_COLAB:\n    %cd data", READS],
        ["cell 2, line 1: if IN_COLAB:"],
    ),
    "in a place that is looked for": (
        [
            "import os\nfrom importlib.util import find_spec\nif find_spec('nosuch') is not None:\n    os.chdir('a')",
            READS,
        ],
        ["cell 1, line 3: if find_spec('nosuch') is not None:"],
    ),
    "carried": (["#| cloaca: setup\nimport os\nos.chdir('.')", READS], []),
    "of something else": (["import ftp\nftp.chdir('a')", READS], []),
    "in a function": (["import os\ndef go():\n    os.chdir('data')", READS], []),
}


@pytest.mark.parametrize("case", MOVES)
def test_a_move_that_no_task_minds_is_listed(case: str) -> None:
    texts, listed = MOVES[case]
    package = exported(*texts)
    assert list(package.acts) == listed
    assert not set(package.left_out) & set(listed)
    assert ("chdir('.')" in package.files["sample/__init__.py"]) == (case == "carried")


# Cells that IPython executes, and what is carried of them.
AS_IPYTHON_READS = {
    "an indented cell": ("    Q = 3\n    R = Q", "\nQ = 3\n"),
    "an indented cell magic": ("  %%time\n  Q = 3  # three", "\nQ = 3  # three\n"),
    "prompts": (">>> Q = 3\n>>> def f():\n...     return Q\n", "\nQ = 3\n"),
    "beside an item": ("Q = 3\nd = {}\nd['k'] = !ls", "\nQ = 3\n"),
    "beside a call by a comma": ("Q = 3\n,print a b", "\nQ = 3\n"),
    "behind continued lines": ("!ls \\\n  -l\nQ = '''\n   \n'''", "\nQ = '''\n   \n'''\n"),
}


@pytest.mark.parametrize("case", AS_IPYTHON_READS)
def test_what_ipython_executes_is_carried(case: str) -> None:
    cell, carried = AS_IPYTHON_READS[case]
    assert carried in exported(cell, "%%cloaca_task one\nx = Q").files["sample/__init__.py"]


def test_what_is_shown_and_not_kept_is_carried() -> None:
    package = exported(
        "def display_id(x): pass", "%%cloaca_task one\nx = 1\ndisplay(x, display_id='a')\nn = display(x)"
    )
    assert "\nfrom IPython.display import display\n" in package.files["sample/__init__.py"]


REFUSED = {
    "another folder": (["x = 1\n%cd data", TASK], "cell 1, line 2: `%cd data` changes the folder .* `#. cloaca: skip`"),
    "another folder, on a condition": (["if 1:\n    %pushd data", TASK], "cell 1, line 1: .* changes the folder"),
    "another folder, by os": (["import os\nos.chdir('data')", READS], "cell 1, line 2: `os.chdir.* changes the folder"),
    "another folder, by a name from os": (
        ["from os import chdir as go", "go('data')", READS],
        "cell 2, line 1: `go.* changes the folder .* `#. cloaca: skip`",
    ),
    "another folder, where a module is that is here": (
        ["import os, sys\nif 'pytest' in sys.modules:\n    os.chdir('data')", READS],
        "cell 1, line 2: `if 'pytest' in sys.modules:` changes the folder",
    ),
    "another folder, where a module is not": (
        ["import os, sys\nif 'google.colab' in sys.modules:\n    pass\nelse:\n    os.chdir('data')", READS],
        "cell 1, line 2: .* changes the folder",
    ),
    "another folder, above the run": ([READS, "%cd data", "%cloaca_run"], "cell 2, line 1: .* changes the folder"),
    "another folder, between tasks": ([TASK, "%cd data", READS], "cell 2, line 1: .* changes the folder"),
    "the handle of a display, by its module": (
        ["import IPython.display as d", "%%cloaca_task one\nx = 1\nh = d.display(x, display_id=True)"],
        r"cell 2, line 1: `d\.display\(x, display_id=True\)` gives a handle",
    ),
    "the handle of a display, imported by the task": (
        ["%%cloaca_task one\nfrom IPython.display import display\nx = 1\nh = display(x, display_id=True)"],
        "cell 1, line 1: `display.* gives a handle",
    ),
    "the handle of a display, by the whole name": (
        ["import IPython", "%%cloaca_task one\nx = 1\nh = IPython.display.display(x, display_id=True)"],
        "cell 2, line 1: `IPython.* gives a handle",
    ),
    "the handle of a display": (
        ["%%cloaca_task one\nx = 1\nhandle = display(x, display_id=True)\nhandle.update(2)"],
        r"cell 1, line 1: `display\(x, display_id=True\)` gives a handle in a notebook and None in a package",
    ),
    "the handle of a display in a helper": (
        [
            "from IPython.display import display as show",
            "def f(x):\n    return show(x, display_id='a').update(2)",
            TASK.replace("1", "f(1)"),
        ],
        "cell 2, line 1: `show.* gives a handle",
    ),
    "no Python below continued lines": (["!ls \\\n  -l\nx = = 1", TASK], "cell 1, line 3: not valid Python"),
    "no task": (["x = 1"], "no task to export"),
    "several workflows": (SEVERAL, "several workflows.*'first', 'second'"),
    "no Python": (["x = = 1", TASK], "cell 1, line 1: not valid Python"),
    "no Python below a magic": (["%cd a\nx = 1\ny = = 1", TASK], "cell 1, line 3: not valid Python"),
    "a task cell that can't be read": (["%%cloaca_task one --aftr x"], "cell 1, line 1: .*--aftr.*--after"),
    "a computed name": (
        ["import cloaca_nb as cloaca\nwith cloaca.WorkflowBuilder(f'a{1}'):\n    pass"],
        "cell 1, line 2: the name of this workflow is computed",
    ),
    "two ways of one workflow": (["%cloaca_workflow block", BLOCK, TASK], "both say what is in workflow 'block'"),
    "a relative import": (["from . import x", "%%cloaca_task one\ny = x"], "cell 1, line 1: a relative import"),
    "an output that a helper reads": (
        ["def f():\n    return x", "%%cloaca_task one\nx = 1", "%%cloaca_task two\ny = f()"],
        "cell 1, line 1: `def f.*pass it as an argument",
    ),
    "a name of IPython's": (["%%cloaca_task one\nx = get_ipython().user_ns"], "IPython has it for every notebook"),
    "a value for scripts only": (
        ["if __name__ == '__main__':\n    K = 1", "%%cloaca_task one\nx = K"],
        "cell 1, line 1: .*never '__main__'",
    ),
    "a workflow of two words": (
        ["1", "%cloaca_workflow poll jobs", TASK],
        "cell 2, line 1: 'jobs' is one word too many",
    ),
    "an empty test": ([TASK, "%%cloaca_test a\n# later"], "cell 2, line 1: The test 'test_a' says nothing"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refuses(case: str) -> None:
    texts, message = REFUSED[case]
    with pytest.raises(ExportError, match=message):
        exported(*texts)


@pytest.mark.parametrize("name", ["statistics", "cloaca_nb", "tests", "numpy", "not-a-name", "1st"])
def test_refuses_a_package_name_that_cant_be(name: str) -> None:
    notebook = notebook_from_texts("sample", ["import numpy as np", "%%cloaca_task one\nx = np.pi"])
    with pytest.raises(ExportError, match=name):
        export(notebook, name=name)


def test_refuses_an_unknown_import_name_and_workflow() -> None:
    notebook = notebook_from_texts("sample", [TASK])
    with pytest.raises(ExportError, match="cloaca_nb or cloaca, not 'x'"):
        export(notebook, import_name="x")
    with pytest.raises(ExportError, match="Did you mean 'sample'"):
        export(notebook, "sampel")


def test_a_circle_is_refused() -> None:
    with pytest.raises(WorkflowValidationError, match="Circular"):
        exported("%%cloaca_task one --after two\nx = 1", "%%cloaca_task two --after one\ny = 1")


def test_a_circle_of_names_is_refused() -> None:
    one, two = "%%cloaca_task one\nx = y", "%%cloaca_task two\ny = x"
    with pytest.raises(WorkflowValidationError, match=r"cell 2, line 1: one -> two -> one go in a circle \(x, y\)"):
        exported(one, two)
    assert 'dependencies=["one"]' in exported("%%cloaca_params\ny = 1", one, two).files["sample/__init__.py"]


def test_live_and_static_give_the_same_bytes(tmp_path: Path) -> None:
    texts = ["import math\nR = 2", "def area(r):\n    return math.pi * r**2", "%%cloaca_task one\na = area(R)", "1 + 1"]
    content = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(text, id=f"cell-{number}") for number, text in enumerate(texts, 1)]
    )
    nbformat.write(content, tmp_path / "01_sample.ipynb")
    static = export(read_notebook(tmp_path / "01_sample.ipynb"))
    cells = tuple(Cell(number, f"cell-{number}", text) for number, text in enumerate(texts, 1))
    task = Task("one", lambda context: context)
    assert export(Notebook("01_sample", cells, tmp_path), Workflow("sample", [task])) == static


def test_a_magic_that_runs_its_cell_as_it_is_may_stand_over_ours() -> None:
    package = exported(
        "%%time\n%%cloaca_params\nyear = 2013", "%%capture out\n\n%%cloaca_task one --timeout 3\nx = year"
    )
    same = exported("%%cloaca_params\nyear = 2013", "%%cloaca_task one --timeout 3\nx = year")
    assert package.files == same.files


def test_names_that_one_assignment_gives_a_parameter_follow_it() -> None:
    package = exported(
        "%%cloaca_params\nyear = 2013\nfirst = last = year + 1  # both", "%%cloaca_task one\nx = first - last"
    )
    assert """
    builder.parameters(year=2013)
    builder.derived_parameters(
        first=lambda year: year + 1,  # both
        last=lambda year: year + 1,
    )
""" in package.files[package.entry]


def test_the_workflow_is_chosen_by_its_object_or_name() -> None:
    notebook = notebook_from_texts("sample", list(SEVERAL))
    workflow = Workflow("second", [Task("one", lambda context: context)])
    assert export(notebook, workflow).workflow_name == export(notebook, "second").workflow_name == "second"


def test_the_files() -> None:
    package = exported(
        "import numpy as np\n!pip install duckdb",
        "a = 1; b = 2\n%load_ext cloaca_nb\nresult = %cloaca_run",
        "%%cloaca_params\nn = 2",
        "%%cloaca_task one\nx = np.pi * n",
    )
    assert list(package.files) == [
        "README.md",
        "pyproject.toml",
        "sample/__init__.py",
        "sample/__main__.py",
        "tests/test_sample.py",
    ]
    project = tomllib.loads(package.files["pyproject.toml"])
    assert project["tool"]["cloaca"]["entry_module"] == package.name == "sample"
    names = [one.partition(">=")[0] for one in project["project"]["dependencies"]]
    assert names == ["cloaca-nb", "duckdb", "numpy"]
    assert package.tasks == ("one",)
    assert package.left_out == ("cell 1, line 2: !pip install duckdb", "cell 2, line 1: a = 1; b = 2")
    for path, text in package.files.items():
        if path.endswith(".py"):
            compile(text, path, "exec")


README = {
    "plain": ("n = 2  # rows\nm = [1]", "--param n=2\n", "| `n` | `2` |\n| `m` | `[1]` |\n", False),
    "derived": ("n = 2\nm = n * 2", "--param n=2\n", "| `n` | `2` |\n| `m` | `n * 2` |\n", True),
}


@pytest.mark.parametrize("case", README)
def test_the_readme_says_what_the_parameters_are(case: str) -> None:
    body, example, table, is_derived = README[case]
    readme = exported(f"%%cloaca_params\n{body}", "%%cloaca_task one\nx = n + sum(m)").files["README.md"]
    assert example in readme
    assert table in readme
    assert ("`m` is worked out from `n` for every run" in readme) == is_derived


def test_a_parameter_that_a_later_cell_changes_in_a_way_of_its_own_is_refused() -> None:
    with pytest.raises(ExportError, match="cell 3, line 1: `a, n = 1, 2` changes the parameter 'n'"):
        exported("%%cloaca_params\nn = 2", "%%cloaca_task one\nx = n", "a, n = 1, 2")


def test_a_later_parameters_cell_replaces_an_earlier_one() -> None:
    task = "%%cloaca_task one\nx = n"
    once = exported("", "%%cloaca_params\nn = 3\nm = 1", task)
    assert exported("%%cloaca_params\nn = 2", "%%cloaca_params\nn = 3\nm = 1", task).files == once.files
    with pytest.raises(ExportError, match="cell 1, line 1 and cell 2, line 1: both define the parameter 'n'"):
        exported("%%cloaca_params\nn = 3\nm = 1", "%%cloaca_params\nn = 2", task)


def test_local_modules_come_along(tmp_path: Path) -> None:
    (tmp_path / "my_helpers.py").write_text("K = 1\n")
    notebook = notebook_from_texts("sample", ["from my_helpers import K", "%%cloaca_task one\nx = K"], tmp_path)
    package = export(notebook)
    assert package.files["my_helpers.py"] == "K = 1\n"
    assert (
        "my_helpers.py"
        in tomllib.loads(package.files["pyproject.toml"])["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"]
    )


def test_for_the_other_engine() -> None:
    notebook = notebook_from_texts("sample", ["import cloaca_nb as cloaca", TASK, "@cloaca.task()\ndef two(c): pass"])
    package = export(notebook, import_name="cloaca")
    assert "\nimport cloaca\n" in package.files["sample/__init__.py"]
    assert "cloaca_nb" not in "".join(package.files.values())
    assert "tests/test_sample.py" not in package.files


ASKS = ["import cloaca", TASK, "@cloaca.task()\ndef two(c):\n    c['far'] = c['near'] + c.get('by 10%', 1)"]
# What `python -m` is given, its exit code, and what it says.
OF_OTHER_ENGINE: list[tuple[list[str], int, str]] = [
    (["--help"], 0, r"usage: sample .*--param KEY=VALUE(.|\n)*Tasks\s+ask\s+for:\s+near,\s+by\s+10%"),
    (["--param", "near=2"], 0, r'"near": 2, .*"far": 3'),
    (["--param", "near=[1"], 1, ""),
    (["--param", "near"], 2, "argument --param: it is given as KEY=VALUE, not 'near'"),
]


@pytest.mark.parametrize(("arguments", "code", "said"), OF_OTHER_ENGINE)
def test_the_command_of_a_package_for_the_other_engine(
    arguments: list[str], code: int, said: str, tmp_path: Path
) -> None:
    folder = write_package(export(notebook_from_texts("sample", ASKS), import_name="cloaca"), tmp_path / "out")
    command = [sys.executable, "-W", "error", "-m", "sample", *arguments]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 - our own
    assert ran.returncode == code, ran.stderr
    assert re.search(said, ran.stdout + ran.stderr), ran.stdout + ran.stderr


def test_tests_which_a_package_for_the_other_engine_lacks_are_listed() -> None:
    texts = ["import cloaca", TASK, "%%cloaca_test one\nassert 1"]
    for engine, left_out in {
        "cloaca_nb": (),
        "cloaca": ("cell 3, line 1: a test, which would run on cloaca_nb",),
    }.items():
        assert export(notebook_from_texts("sample", texts), import_name=engine).left_out == left_out


def test_a_cell_without_an_id_in_an_old_notebook(tmp_path: Path) -> None:
    content = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(TASK)])
    content.nbformat_minor = 4
    del content.cells[0]["id"]
    (tmp_path / "old.ipynb").write_text(nbformat.v4.writes_json(content))
    notebook = read_notebook(tmp_path / "old.ipynb")
    assert notebook.cells == (Cell(1, "", TASK),)
    assert (notebook.workflow_name, notebook.folder) == ("old", tmp_path)


CODE = {"cell_type": "code", "id": "a", "source": ["x = 1\n", "y = 2"], "metadata": {}, "outputs": []}
# A file, and the ids of its cells; or why it is refused.
FILES = {
    "ids": ({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [CODE]}, ["a"]),
    "ids twice": ({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [CODE, CODE]}, ["", ""]),
    "an id that is none": (
        {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{**CODE, "id": "a b"}]},
        [""],
    ),
    "an old version": ({"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": [CODE]}, [""]),
    "no metadata": ({"nbformat": 4, "nbformat_minor": 5, "cells": [CODE]}, "damaged notebook: .* metadata"),
    "odd metadata": (
        {"nbformat": 4, "nbformat_minor": 5, "metadata": {"language_info": 1, "kernelspec": {}}, "cells": [CODE]},
        ["a"],
    ),
    "a kernel of Python": (
        {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": {"language": "python"}}, "cells": [CODE]},
        ["a"],
    ),
    "another language": (
        {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": {"language": "R"}}, "cells": [CODE]},
        "is a notebook in R, and tasks are written in Python",
    ),
    "no cells": ({"nbformat": 4, "nbformat_minor": 5, "metadata": {}}, "damaged notebook: .* cells"),
    "no source": (
        {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{"cell_type": "code"}]},
        "damaged notebook",
    ),
    "something else": ({"x": 1}, "damaged notebook"),
}


@pytest.mark.parametrize("case", FILES)
def test_files_are_read_without_making_anything_up(case: str, tmp_path: Path) -> None:
    content, expected = FILES[case]
    (tmp_path / "a.ipynb").write_text(json.dumps(content))
    if isinstance(expected, str):
        with pytest.raises(ExportError, match=expected):
            read_notebook(tmp_path / "a.ipynb")
    else:
        cells = read_notebook(tmp_path / "a.ipynb").cells
        assert [one.id for one in cells] == expected
        assert {one.text for one in cells} == {"x = 1\ny = 2"}


OTHER_ENGINE = {
    "parameters": (["%%cloaca_params\nn = 1", "%%cloaca_task one\nx = n"], "has no parameters"),
    "inferred dependencies": (
        [TASK, "import cloaca_nb as cloaca\nif True:\n    @cloaca.task()\n    def two(c): c['y'] = c['x']"],
        r"cell 2, line 2: .*dependencies=\['one'\]",
    ),
}


@pytest.mark.parametrize("case", OTHER_ENGINE)
def test_refuses_what_the_other_engine_does_not_do(case: str) -> None:
    texts, message = OTHER_ENGINE[case]
    with pytest.raises(ExportError, match=message):
        export(notebook_from_texts("sample", texts), import_name="cloaca")

"""Workflows from notebooks, packages and scripts."""

import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import nbformat
import pytest

from cloaca_nb.core.graph import Workflow
from cloaca_nb.errors import ConfigurationError, ExportError, WorkflowNotFoundError
from cloaca_nb.packaging.loading.load import entry_module, load


@pytest.fixture(autouse=True)
def _forget_modules() -> Iterator[None]:
    """What a test imports from its own folder is gone afterwards."""
    path, modules = list(sys.path), set(sys.modules)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        if name.startswith("loaded_"):
            del sys.modules[name]


def notebook(path: Path, *cells: str) -> Path:
    content = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(dedent(one)) for one in cells])
    nbformat.write(content, path)
    return path


def script(path: Path, text: str) -> Path:
    path.write_text(dedent(text))
    return path


BUILT = """
import cloaca_nb as cloaca

with cloaca.WorkflowBuilder("{name}"):
    @cloaca.task()
    def one(context):
        context["x"] = {value}
"""
LOOSE = """
import cloaca_nb as cloaca

@cloaca.task()
def one(context):
    context["x"] = 1

if __name__ == "__main__":
    raise SystemExit("the main guard ran")
"""


def ids(workflow: Workflow) -> list[str]:
    return [task.id for task in workflow.tasks]


def test_notebook(tmp_path: Path) -> None:
    path = notebook(
        tmp_path / "07_loaded_notebook.ipynb",
        "raise SystemExit('this cell must not run')",
        "N = 3",
        "%%cloaca_task one\nx = N",
        "%%cloaca_task two\ny = x / 0",
    )
    workflow = load(path)
    assert workflow.name == "loaded_notebook"
    assert workflow.dependencies == {"one": (), "two": ("one",)}
    with pytest.raises(ZeroDivisionError) as caught:
        workflow["two"].function({"x": 1})
    assert "y = x / 0" in "".join(traceback.format_exception(caught.value))


def test_notebook_imports_what_lies_beside_it(tmp_path: Path) -> None:
    script(tmp_path / "loaded_beside.py", "K = 5")
    path = notebook(tmp_path / "loaded_user.ipynb", "from loaded_beside import K", "%%cloaca_task one\nx = K")
    context: dict[str, int] = {}
    load(path)["one"].function(context)
    assert context == {"x": 5}


def test_notebook_that_fails_is_not_left_behind(tmp_path: Path) -> None:
    path = notebook(tmp_path / "loaded_broken.ipynb", "N = int('no number')", "%%cloaca_task one\nx = N")
    with pytest.raises(ValueError, match="no number"):
        load(path)
    assert "loaded_broken" not in sys.modules


def test_notebook_that_cant_be_exported(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="which no cell defines"):
        load(notebook(tmp_path / "loaded_bad.ipynb", "%%cloaca_task one\nx = nowhere"))


@pytest.mark.parametrize("module", ["loaded_package", "loaded_package.tasks"])
def test_package(tmp_path: Path, module: str) -> None:
    (tmp_path / "pyproject.toml").write_text(f'[tool.cloaca]\nentry_module = "{module}"\n')
    (tmp_path / "loaded_package").mkdir()
    script(tmp_path / "loaded_package/__init__.py", "")
    script(
        tmp_path / (module.replace(".", "/") + ("/__init__.py" if "." not in module else ".py")),
        BUILT.format(name="packed", value=1),
    )
    assert entry_module(tmp_path) == module
    workflow = load(tmp_path)
    assert (workflow.name, ids(workflow)) == ("packed", ["one"])
    assert load(tmp_path) is workflow


def test_two_packages_of_one_name(tmp_path: Path) -> None:
    found = []
    for number in (1, 2):
        folder = tmp_path / str(number)
        (folder / "loaded_twin").mkdir(parents=True)
        (folder / "pyproject.toml").write_text('[tool.cloaca]\nentry_module = "loaded_twin"\n')
        script(folder / "loaded_twin/__init__.py", BUILT.format(name="twin", value=number))
        sys.path[:] = [one for one in sys.path if not one.startswith(str(tmp_path))]
        context: dict[str, int] = {}
        load(folder)["one"].function(context)
        found.append(context["x"])
    assert found == [1, 2]


def test_script_with_a_block(tmp_path: Path) -> None:
    path = script(tmp_path / "loaded_block.py", BUILT.format(name="in_a_script", value=1))
    assert load(path).name == "in_a_script"


def test_script_with_loose_tasks(tmp_path: Path) -> None:
    workflow = load(script(tmp_path / "loaded_loose.py", LOOSE))
    assert (workflow.name, ids(workflow)) == ("loaded_loose", ["one"])


def test_script_of_a_name_that_is_taken(tmp_path: Path) -> None:
    import json  # noqa: PLC0415 - the module that must stay as it is

    assert ids(load(script(tmp_path / "json.py", LOOSE))) == ["one"]
    assert sys.modules["json"] is json
    del sys.modules["json_py"]


def test_choosing_among_several(tmp_path: Path) -> None:
    text = BUILT.format(name="several_a", value=1) + BUILT.format(name="several_b", value=2)
    path = script(tmp_path / "loaded_several.py", text)
    assert load(path, "several_b").name == "several_b"
    with pytest.raises(WorkflowNotFoundError, match=r"several workflows.*'several_a', 'several_b'"):
        load(path)
    with pytest.raises(WorkflowNotFoundError, match="Did you mean 'several_b'"):
        load(path, "severalb")


def nothing(folder: Path) -> Path:
    return folder


def text_file(folder: Path) -> Path:
    return script(folder / "loaded.txt", "")


def missing(folder: Path) -> Path:
    return folder / "loaded_missing.py"


def empty_script(folder: Path) -> Path:
    return script(folder / "loaded_empty.py", "")


def broken_project(folder: Path) -> Path:
    script(folder / "pyproject.toml", "[[[")
    return folder


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (nothing, ConfigurationError, "entry_module"),
        (text_file, ConfigurationError, "no notebook"),
        (missing, ConfigurationError, "isn't there"),
        (empty_script, WorkflowNotFoundError, "defines no workflow"),
        (broken_project, ConfigurationError, "can't be read"),
    ],
)
def test_what_holds_no_workflow(
    tmp_path: Path, make: Callable[[Path], Path], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        load(make(tmp_path))

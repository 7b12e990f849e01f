"""The door: what importing the package gives, and what it costs."""

import importlib
import json
import pkgutil
import subprocess
import sys
from types import ModuleType

import pytest
from IPython.core.formatters import DisplayFormatter

import cloaca_nb
from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.task import Task

HEAVY = ("duckdb", "pandas", "numpy", "pyarrow", "nbformat", "nbclient", "typer", "rich")
MODULES = sorted(
    one.name
    for one in pkgutil.walk_packages(cloaca_nb.__path__, "cloaca_nb.")
    if not one.name.startswith(("cloaca_nb.compat", "cloaca_nb.__main__"))
)


def modules_after(code: str) -> set[str]:
    """Return the top-level modules that a fresh process has loaded after `code`."""
    told = f"{code}\nimport json, sys\nprint(json.dumps(sorted({{name.partition('.')[0] for name in sys.modules}})))"
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", told], capture_output=True, text=True, check=True, timeout=60
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


def others_after(code: str) -> set[str]:
    """Return those that `code` loads and that the standard library, with its data of this platform, is not."""
    loaded = modules_after(code) - modules_after("pass") - sys.stdlib_module_names
    return {name for name in loaded if not name.startswith("_sysconfigdata_")}


def test_history_is_the_function_and_the_modules_behind_it_are_there():
    code = (
        "from cloaca_nb.history.schema import TABLES\nimport cloaca_nb\nfrom cloaca_nb.history import schema\n"
        "assert schema.TABLES is TABLES\nassert cloaca_nb.history.__name__ == 'history'"
    )
    assert "cloaca_nb" in modules_after(code)


def test_importing_the_package_loads_the_standard_library_only():
    assert others_after("import cloaca_nb") == {"cloaca_nb"}


def test_declaring_and_building_loads_no_more():
    code = (
        "import cloaca_nb as cloaca\nwith cloaca.WorkflowBuilder('w') as builder:\n"
        "    cloaca.task(id='a')(lambda context: context)\ncloaca.workflows()['w'].version"
    )
    assert others_after(code) == {"cloaca_nb"}


def test_loading_the_extension_loads_neither_pandas_nor_duckdb(tmp_path, monkeypatch):
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    code = (
        "from IPython.core.interactiveshell import InteractiveShell\nshell = InteractiveShell.instance()\n"
        "result = shell.run_cell('%load_ext cloaca_nb')\nresult.raise_error()\n"
        "result = shell.run_cell('%%cloaca_task a\\nx = 1')\nresult.raise_error()"
    )
    loaded = modules_after(code)
    assert "IPython" in loaded
    assert loaded.isdisjoint(HEAVY)


RESUMED = """
import cloaca_nb as cloaca
with cloaca.WorkflowBuilder("w"):
    cloaca.task(id="a")(lambda context: context.insert("x", 1))
    cloaca.task(id="b", dependencies=["a"])(lambda context: context["y"])
with cloaca.DefaultRunner("history.duckdb") as runner:
    runner.execute("w")
    assert runner.resume().status == "Failed"
"""
LISTED = "from cloaca_nb.cli.app import app\napp(['history', '--history', 'history.duckdb'], standalone_mode=False)"


def test_resuming_and_listing_runs_wait_neither_for_pandas_nor_for_arrow(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for code in (RESUMED, LISTED):
        loaded = modules_after(code)
        assert "duckdb" in loaded
        assert loaded.isdisjoint({"numpy", "pandas", "pyarrow"})


@pytest.mark.parametrize("name", MODULES)
def test_every_module_says_truly_what_it_gives(name):
    module = importlib.import_module(name)
    assert module.__doc__
    is_package = hasattr(module, "__path__")
    if is_package and not hasattr(module, "__all__"):
        return
    assert module.__all__ == sorted(module.__all__, key=_as_ruff_sorts)
    assert len(set(module.__all__)) == len(module.__all__)
    for one in module.__all__:
        assert hasattr(module, one)


def _as_ruff_sorts(name: str) -> tuple[int, str]:
    """Constants first, then classes, then the rest."""
    bare = name.strip("_")
    return (0 if bare.isupper() else 1 if bare[:1].isupper() else 2, name)


def test_the_door_is_sorted_and_true():
    assert cloaca_nb.__all__ == sorted(cloaca_nb.__all__, key=_as_ruff_sorts)
    for name in cloaca_nb.__all__:
        assert not isinstance(getattr(cloaca_nb, name), ModuleType)
        assert getattr(cloaca_nb, name).__doc__


def test_a_star_import_gives_the_door():
    names: dict[str, object] = {}
    exec("from cloaca_nb import *", names)  # noqa: S102 - our own text
    assert set(names) - {"__builtins__"} == set(cloaca_nb.__all__)


def test_the_name_cloaca_works_here():
    told = (
        "import cloaca, cloaca_nb\nassert cloaca.task is cloaca_nb.task\n"
        "print(sorted(set(cloaca_nb.__all__) - set(dir(cloaca))))"
    )
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", told], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")


@pytest.mark.parametrize("name", [one for one in cloaca_nb.__all__ if one.endswith("Error")])
def test_every_error_is_one_of_ours_and_documented(name):
    assert issubclass(getattr(cloaca_nb, name), cloaca_nb.CloacaError)


def test_a_workflow_shows_its_picture_wherever_the_magics_are_not_loaded():
    workflow = Workflow("shown", [Task(id="load", function=print)])
    shown = DisplayFormatter().format(workflow)[0]
    assert 'src="data:image/svg+xml' in shown["text/html"]
    assert shown["text/plain"] == "shown: 1 task, 0 dependencies\n  load"

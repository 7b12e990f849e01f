"""What the magics and shell lines of a notebook do, told from the calls that IPython makes of them."""

import ast

import pytest

from cloaca_nb.packaging.analysis.ipython_calls import calls_in, cell_magic_acts
from cloaca_nb.packaging.analysis.magics import to_python

# A line, and what holds of it.
CALLS: dict[str, set[str]] = {
    "!wget x": {"acts"},
    "!cd a": {"acts"},
    "files = !ls": {"acts"},
    "if x:\n    !rm -r a": {"acts"},
    "%run other.ipynb": {"acts"},
    "%conda install x": {"acts"},
    "!pip install -r requirements.txt": {"acts"},
    "!pip uninstall x": {"acts"},
    "%nobody_knows": {"acts"},
    "%cd a": {"acts", "moves"},
    "%pushd a": {"acts", "moves"},
    "%env X=1": {"acts", "sets_variable"},
    "%env X = 1": {"acts", "sets_variable"},
    "%set_env X 1": {"acts", "sets_variable"},
    "%env": set(),
    "%env X": set(),
    "!pip install x": set(),
    "!pip list": set(),
    "%pip install x": set(),
    "%pip show x": set(),
    "%matplotlib inline": set(),
    "%timeit f()": set(),
    "print?": set(),
    "?": set(),
    "%load_ext autoreload": set(),
    "%load_ext cloaca_nb": {"is_ours"},
    "r = %cloaca_run": {"is_ours"},
}


@pytest.mark.parametrize("line", CALLS)
def test_what_a_line_does(line: str) -> None:
    (statement,) = ast.parse(to_python(line)).body
    (call,) = calls_in(statement)
    assert {name for name in ("acts", "moves", "sets_variable", "is_ours") if getattr(call, name)} == CALLS[line]


def test_a_line_in_a_function_does_nothing_where_that_is_defined() -> None:
    (statement,) = ast.parse(to_python("def f():\n    !rm -r a\n")).body
    assert list(calls_in(statement)) == []


@pytest.mark.parametrize("code", ["get_ipython()", "get_ipython().system(x)", "get_ipython().user_ns['x']", "f('a')"])
def test_other_calls(code: str) -> None:
    (statement,) = ast.parse(code).body
    assert list(calls_in(statement)) == []


def test_cell_magics() -> None:
    names = ["bash", "sh", "script", "writefile", "sql", "R", "html", "markdown", "timeit"]
    assert [name for name in names if cell_magic_acts(name)] == ["bash", "sh", "script", "writefile", "sql", "R"]

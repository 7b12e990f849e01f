"""What was executed, as a notebook."""

import nbformat
import pytest
from nbformat import v4

from cloaca_nb.notebook.executed import ExecutedCells, notebook_path


@pytest.fixture
def executed(shell):
    return ExecutedCells(shell)


def texts(executed, path=None):
    notebook = executed.beside(path)[0] if path else executed.notebook("n")
    return [(cell.number, cell.id, cell.text) for cell in notebook.cells]


def test_the_last_text_of_each_cell_in_the_order_of_first_execution(executed) -> None:
    executed.add("a", "x = 1")
    executed.add("b", "y = 1")
    executed.add("a", "x = 2")
    assert texts(executed) == [(1, "a", "x = 2"), (2, "b", "y = 1")]


def test_without_ids_a_task_cell_replaces_its_task_and_equal_cells_count_once(executed) -> None:
    executed.add(None, "x = 1")
    executed.add(None, "%%cloaca_task t\ny = x")
    executed.add(None, "x = 1")
    executed.add(None, "%%cloaca_task t\ny = 2 * x")
    assert texts(executed) == [(1, "", "x = 1"), (2, "", "%%cloaca_task t\ny = 2 * x")]


HELP = [
    "%%cloaca_task?",
    "load?",
    "load??",
    "?load",
    "??load",
    "%cloaca_run?",
    "cloaca.task?",
    "# which\nload?\n\n?clean",
]
WORK = ["x = 1", "x = 1\nload?", "print('?')", "%%cloaca_task load\nx = 1 # why?", "# load?", "%cloaca_run"]


@pytest.mark.parametrize("text", HELP)
def test_a_cell_that_only_asks_for_help_is_no_part_of_it(executed, text) -> None:
    executed.add("a", text)
    assert texts(executed) == []


@pytest.mark.parametrize("text", WORK)
def test_every_other_cell_is(executed, text) -> None:
    executed.add("a", text)
    assert texts(executed) == [(1, "a", text)]


def test_what_ran_before_the_extension_was_loaded_counts(shell) -> None:
    shell.run_cell("x = 1", store_history=True)
    executed = ExecutedCells(shell)
    executed.add("b", "y = 1")
    executed.add("a", "x = 1")  # the same cell again, now with its id
    assert texts(executed) == [(1, "a", "x = 1"), (2, "b", "y = 1")]


def test_a_task_cell_that_was_edited_since_the_extension_was_loaded_counts_once(executed) -> None:
    executed.add(None, "%%cloaca_task load\nx = 1")
    executed.add("a", "%%cloaca_task load\nx = 2")
    assert texts(executed) == [(1, "a", "%%cloaca_task load\nx = 2")]


def test_a_saved_file_tells_the_order_of_the_document(executed, tmp_path) -> None:
    path = tmp_path / "flights.ipynb"
    cells = [v4.new_code_cell("old", id=one) for one in ("top", "middle", "never")]
    nbformat.write(v4.new_notebook(cells=cells), path)
    executed.add("middle", "m = 1")
    executed.add("top", "t = 1")
    assert texts(executed, path) == [(1, "top", "t = 1"), (2, "middle", "m = 1")]
    assert executed.beside(path)[0].folder == tmp_path


@pytest.mark.parametrize("by", ["JPY_SESSION_NAME", "__vsc_ipynb_file__"])
def test_the_front_end_tells_which_file_it_is(shell, tmp_path, monkeypatch, by) -> None:
    path = tmp_path / "01_flights.ipynb"
    path.write_text("{}")
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    assert notebook_path(shell) is None
    if by.isupper():
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv(by, "/elsewhere/on/the/server/01_flights.ipynb")
    else:
        shell.user_ns[by] = str(path)
    assert notebook_path(shell) == path


def test_a_script_is_no_notebook(shell, tmp_path, monkeypatch) -> None:
    (tmp_path / "console-1").write_text("")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JPY_SESSION_NAME", "console-1")
    assert notebook_path(shell) is None

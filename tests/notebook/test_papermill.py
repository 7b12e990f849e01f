"""Notebooks that papermill executes: injected parameters count, the record is whole, a failure names its place."""

import nbformat
import pytest
from nbformat import v4
from papermill import execute_notebook
from papermill.exceptions import PapermillExecutionError

PARAMETERS = "%%cloaca_params\nyear = 2013\ntitle = f'Delays of {year}'"
LOAD = "%%cloaca_task load\nrows = [year] * 3\nfor row in rows:\n    print('loading', row)"
COUNT = "%%cloaca_task count\ntotal = sum(rows)\nprint(title)"
BROKEN = "%%cloaca_task count\ntotal = sum(rows)\nshare = total / 0"
RUN = "result = %cloaca_run"
TOLD = "print(dict(result.final_context))"


@pytest.fixture
def execute(kernel_home, monkeypatch):
    """Execute cells by papermill, the second of which is marked as that of the parameters."""
    monkeypatch.chdir(kernel_home)
    monkeypatch.setenv("CLOACA_HISTORY", ":memory:")

    def run(*cells: str) -> list[nbformat.NotebookNode]:
        book = v4.new_notebook(cells=[v4.new_code_cell(text) for text in ("%load_ext cloaca_nb", *cells)])
        book.metadata.kernelspec = {"name": "python3", "display_name": "Python", "language": "python"}
        book.cells[1].metadata["tags"] = ["parameters"]
        nbformat.write(book, "in.ipynb")
        execute_notebook("in.ipynb", "out.ipynb", parameters={"year": 2014}, progress_bar=False)
        return nbformat.read("out.ipynb", as_version=4).cells

    return run


def text_of(cell) -> str:
    return "".join(one.get("text", "") for one in cell.outputs if one.output_type == "stream")


def test_injected_parameters_are_the_notebooks_and_the_record_is_whole(execute) -> None:
    *_, ran, told = execute(PARAMETERS, LOAD, COUNT, RUN, TOLD)
    assert text_of(told) == "{'year': 2014, 'title': 'Delays of 2014', 'rows': [2014, 2014, 2014], 'total': 6042}\n"
    assert text_of(ran) == "loading 2014\n" * 3 + "Delays of 2014\n"
    (shown,) = [one.data for one in ran.outputs if one.output_type == "display_data"]
    assert set(shown) == {"text/html", "text/plain"}
    assert "<img" in shown["text/html"]
    assert "2 tasks: 2 completed" in shown["text/plain"]


def test_a_failure_names_task_cell_and_line(execute) -> None:
    with pytest.raises(PapermillExecutionError) as caught:
        execute(PARAMETERS, LOAD, BROKEN, RUN)
    for part in ("Task 'count' failed", "Cell In[5], line 3, in count", "share = total / 0", "ZeroDivisionError"):
        assert part in str(caught.value)

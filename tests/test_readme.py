"""The README's examples, run as a reader would: each block a cell of one notebook."""

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[1]
FLIGHTS = "carrier,arr_delay\nUA,20\nUA,1\nDL,\nDL,15\n"


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """The blocks of the README as an executed notebook."""
    folder = tmp_path_factory.mktemp("readme")
    (folder / "flights.csv").write_text(FLIGHTS)
    (folder / ".cloaca").mkdir()  # the history goes here, not into the project's own folder
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(block.rstrip()) for block in blocks])
    client = NotebookClient(notebook, timeout=60, resources={"metadata": {"path": str(folder)}})
    client.execute()
    return notebook, folder


PAGES = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_points_to_is_there(page):
    pointed = re.findall(r"\]\(([^)#\s]+)|(?:src|srcset)=\"([^\"]+)\"", page.read_text())
    targets = [one or other for one, other in pointed]
    assert [one for one in targets if "://" not in one and not (page.parent / one).exists()] == []


def text_of(cell):
    return "".join(output.get("text", "") for output in cell.outputs if output.output_type == "stream")


def test_the_blocks_run(executed):
    notebook, _ = executed
    told = [text_of(cell) for cell in notebook.cells]
    assert [text for text in told if text.startswith("Completed HELLO WORLD")]
    assert "station = ••••" in str(notebook.cells[-1].outputs)


def test_the_result_is_shown(executed):
    notebook, _ = executed
    [cell] = [cell for cell in notebook.cells if cell.source.endswith("late.sort_values()")]
    assert "DL    1.0" in cell.outputs[-1].data["text/plain"]


def test_the_package_is_written(executed):
    _, folder = executed
    module = (folder / "delays/delays/__init__.py").read_text()
    assert 'dependencies=["load"]' in module
    assert "import pandas as pd" in module


def test_every_picture_is_there():
    pictures = re.findall(r"!\[[^]]*\]\(([^)]+)\)", (ROOT / "README.md").read_text())
    assert pictures
    assert [one for one in pictures if not (ROOT / one).is_file()] == []

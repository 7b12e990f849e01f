"""`%cloaca_export`: what it writes is what the static export of the saved notebook writes, byte for byte."""

import os

import nbformat
import pytest
from nbformat import v4

from cloaca_nb.packaging.analysis.notebook import read_notebook
from cloaca_nb.packaging.archive.inspection import inspect_archive
from cloaca_nb.packaging.deliver import Wishes, deliver

CELLS = {
    "top": "import cloaca_nb as cloaca",  # as the fixture has executed it
    "helpers": "import math\nRATE = 3\ndef scaled(n):\n    return RATE * math.floor(n)",
    "params": "%%cloaca_params\nyear = 2013\ntitle = f'Delays of {year}'",
    "load": "%%cloaca_task load\nrows = [year, 1]",
    "total": "%%cloaca_task total\ntotal = sum(map(scaled, rows))\nhead = title.upper()",
    "run": "result = %cloaca_run",
}
# When the cells ran, as JupyterLab records it where it is told to, and what the archive says of it.
RECORDS = {
    "no record": ({}, "1980-01-01T00:00:00Z"),
    "a record": ({"total": "2026-03-01T10:00:00Z", "load": "2026-02-01T10:00:00Z"}, "2026-03-01T10:00:00Z"),
    "of the export too": ({"load": "2026-02-01T10:00:00Z", "export": "2026-05-05T10:00:00Z"}, "2026-02-01T10:00:00Z"),
}


def saved(path, cells, records=()):
    book = v4.new_notebook(cells=[v4.new_code_cell(text, id=name) for name, text in cells.items()])
    for cell in book.cells:
        if cell.id in records:
            cell.metadata["execution"] = {"shell.execute_reply": records[cell.id]}
    nbformat.write(book, path)


def files_of(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def notebook(shell, tmp_path, monkeypatch):
    """The saved notebook, which the front end tells the shell of."""
    path = tmp_path / "01_demo.ipynb"
    shell.user_ns["__vsc_ipynb_file__"] = str(path)
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    saved(path, CELLS)
    return path


@pytest.mark.parametrize("case", RECORDS)
def test_a_live_export_and_a_static_one_are_byte_identical(notebook, cell, tmp_path, case) -> None:
    records, created = RECORDS[case]
    saved(notebook, CELLS | {"export": "%cloaca_export live --archive"}, records)
    for name, text in reversed(CELLS.items()):  # in whatever order
        cell(text, name)
    for name, text in CELLS.items():
        assert cell(text, name).error is None
    ran = cell("%cloaca_export live --archive", "export")
    assert ran.error is None, ran.out
    assert "differ" not in ran.out
    deliver(read_notebook(notebook), None, tmp_path / "static", Wishes(archive=True))
    live = files_of(tmp_path / "live")
    assert live == files_of(tmp_path / "static")
    assert "demo-0.1.0.cloacina" in live

    assert inspect_archive(tmp_path / "live" / "demo-0.1.0.cloacina").manifest.created_at == created


MONTHS = """
import os
from cloaca_nb import task
for n in range(int(os.environ.get("MONTHS", "1"))):
    @task(id=f"month_{n}", dependencies=[])
    def month(context, n=n):
        context.set("month", n)
"""


ELSEWHERE = {
    # how many tasks the notebook's process makes, where a fresh one makes one: what is said
    "3": "Task 'month_2' is in the notebook, but not in the package",
    "0": "Task 'month_0' is in the package, but not in the notebook",
}


@pytest.mark.parametrize("there", ELSEWHERE)
def test_tasks_that_come_out_otherwise_elsewhere_make_no_archive(cell, tmp_path, monkeypatch, there) -> None:
    cell("%cloaca_workflow months")
    monkeypatch.setenv("MONTHS", there)
    for text in (MONTHS, "%%cloaca_task load\nrows = [1]"):
        assert cell(text).error is None
    monkeypatch.delenv("MONTHS")
    ran = cell("%cloaca_export out --archive")
    assert "does it look at the environment" in ran.out
    assert ELSEWHERE[there] in ran.out
    assert not list((tmp_path / "out").glob("*.cloacina"))
    monkeypatch.setenv("MONTHS", there)
    assert cell("%cloaca_export again --archive").error is None


def test_the_export_says_where_the_saved_file_differs(notebook, cell) -> None:
    for name, text in CELLS.items():
        cell(text.replace("RATE = 3", "RATE = 4"), name)
    out = cell("%cloaca_export live").out
    assert "differ from the saved notebook:\n  cell 2 (id helpers), line 1: exported as executed" in out
    assert "RATE = 4" in (notebook.parent / "live" / "demo" / "__init__.py").read_text()


def test_a_verified_export_says_so_and_one_that_differs_makes_no_archive(notebook, cell, monkeypatch) -> None:
    monkeypatch.setenv("CLOACA_HISTORY", str(notebook.parent / "history.duckdb"))
    for name, text in CELLS.items():
        cell(text, name)
    ran = cell("%cloaca_export live --archive --verify last")
    assert "The package ends as run" in ran.out, ran.out
    cell(CELLS["helpers"].replace("RATE = 3", "RATE = 4"), "helpers")
    ran = cell("%cloaca_export other --archive --verify last")
    assert "  total: 6042 → 8056" in ran.out
    assert not list((notebook.parent / "other").glob("*.cloacina"))
    runs = cell.session.history().runs()
    assert list(runs["kind"]) == ["check", "check", "run"]
    assert cell.session.history().resolve() == runs["run_id"][2]  # a check is no latest run


def test_a_history_in_memory_has_no_run_to_verify_against(cell) -> None:
    cell("%cloaca_workflow demo")
    cell("%%cloaca_task one\nx = 1")
    cell("%cloaca_run")
    assert "The history is in memory" in cell("%cloaca_export out --verify last").out


def test_a_refusal_says_to_save_if_the_file_is_older_than_what_was_executed(notebook, cell) -> None:
    for name, text in CELLS.items():
        cell(text, name)
    cell(CELLS["load"].replace("1", "2"), "again")
    os.utime(notebook, (0, 0))
    ran = cell("%cloaca_export live")
    assert "both define the task 'load'. Rename one, or remove the cell" in ran.out
    assert "If a cell that is named here has gone since 01_demo.ipynb was saved: save it first." in ran.out
    saved(notebook, CELLS)
    assert cell("%cloaca_export live").error is None


def test_the_answer_says_what_to_do_with_the_package_and_lists_no_magic_of_ours(notebook, cell) -> None:
    for name, text in CELLS.items():
        cell(text, name)
    out = cell("%cloaca_export 'my folder'").out
    assert "To run it: cloaca-nb run 'my folder'. Once installed, by pip install 'my folder'," in out
    assert "%cloaca_run" not in out

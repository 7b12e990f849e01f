"""The session in a real kernel, where cells have ids, clients, and somebody who interrupts them."""

import queue
import time
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import v4

PATIENCE_S = 60

FLIGHTS = [
    "%load_ext cloaca_nb",
    "%%cloaca_params\nyear = 2013",
    "def half(number):\n    return number / 2",
    "%%cloaca_task load\nnumbers = [year, 1]\nprint('loaded')",
    "%%cloaca_task halves\nhalved = [half(number) for number in numbers]",
    "%cloaca_dag",
    "%cloaca_run --param year=2014",
    "dict(_.final_context)",
]


def notebook(*sources: str) -> nbformat.NotebookNode:
    return v4.new_notebook(cells=[v4.new_code_cell(source) for source in sources])


def executed(book: nbformat.NotebookNode, folder: Any) -> nbformat.NotebookNode:
    resources = {"metadata": {"path": str(folder)}}
    extra = ["--log-level=ERROR"]
    return NotebookClient(book, timeout=PATIENCE_S, resources=resources, extra_arguments=extra).execute()


def data_of(cell: nbformat.NotebookNode) -> list[dict[str, Any]]:
    return [output.data for output in cell.outputs if "data" in output]


def test_an_executed_notebook_keeps_pictures_and_no_widget(kernel_home) -> None:
    book = executed(notebook(*FLIGHTS), kernel_home)
    every = [data for cell in book.cells for data in data_of(cell)]
    assert not any("widget" in kind for data in every for kind in data)
    panel = data_of(book.cells[6])[0]
    assert "<img" in panel["text/html"]
    assert "load" in panel["text/plain"]
    assert "<script" not in panel["text/html"]
    assert [output.text for output in book.cells[6].outputs if output.get("name") == "stdout"] == ["loaded\n"]
    assert "'halved': [1007.0, 0.5]" in data_of(book.cells[7])[0]["text/plain"]
    assert (kernel_home / ".cloaca" / "history.duckdb").exists()


def test_a_failed_run_fails_the_cell_and_names_the_lines_of_cells(kernel_home) -> None:
    book = notebook(*FLIGHTS[:4], "%%cloaca_task bad\n\nworse = half(None)", "%cloaca_run", "print('never')")
    with pytest.raises(CellExecutionError) as caught:
        executed(book, kernel_home)
    said = str(caught.value)
    assert caught.value.ename == "RunFailed"
    assert "Cell In[5], line 3, in bad\n    worse = half(None)" in said
    assert "Cell In[3], line 2, in half\n    return number / 2" in said
    assert "cloaca_nb/" not in said
    assert not any("widget" in kind for data in data_of(book.cells[5]) for kind in data)
    assert "Failed" in data_of(book.cells[5])[0]["text/plain"]
    assert book.cells[6].outputs == []


def test_cell_ids_of_the_front_end_tell_a_renamed_task(kernel) -> None:
    kernel("%load_ext cloaca_nb")
    kernel("%%cloaca_task load\nx = 1", "cell-a")
    kernel("%%cloaca_task use\ny = x", "cell-b")
    assert "load  ·  is gone" in kernel("%%cloaca_task fetch\nx = 2", "cell-a")
    assert kernel("%cloaca_workflow").strip() == "workflow notebook: use, fetch"
    assert "'y': 2" in kernel("%cloaca_run -o result") + kernel("dict(result.final_context)")


def test_an_interrupt_cancels_the_run_and_says_so(kernel) -> None:
    kernel("%load_ext cloaca_nb\nimport threading")
    kernel("%%cloaca_task slow\nprint('begun', flush=True)\nthreading.Event().wait(60)\nx = 1")
    kernel("%%cloaca_task later\ny = x")
    messages = kernel.messages(kernel.send("%cloaca_run"))
    for kind, content in messages:
        if kind == "stream" and "begun" in content["text"]:
            break
    else:
        raise queue.Empty("the task never began")
    began = time.monotonic()
    kernel.manager.interrupt_kernel()
    text = kernel.said(messages)
    assert time.monotonic() - began < 10
    assert "KeyboardInterrupt\nThe run of 'notebook' was cancelled; %cloaca_history has what it had finished." in text
    assert "cloaca_nb/" not in text
    assert "Cancelled" in kernel("print(list(get_ipython().run_line_magic('cloaca_history', '')['status']))")

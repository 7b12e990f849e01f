"""Runs in the background of a real kernel, and what a kernel answers to who completes and asks for help."""

from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import v4

from cloaca_nb.history.history import History

GATE = (
    "%load_ext cloaca_nb\nimport os, time\ndef gate():\n    while not os.path.exists('open'):\n        time.sleep(0.02)"
)
SLOW = "%%cloaca_task slow\ngate()\nprint('through')\nx = 1"
LATER = "%%cloaca_task later\ny = x + 1"


@pytest.fixture
def person(kernel):
    kernel.by_person = True
    for text in (GATE, SLOW, LATER):
        kernel(text)
    return kernel


def until(kernel, sent: str, found) -> list[tuple[str, Any]]:
    """Return what one cell publishes, also after its end, up to the first message that is looked for."""
    seen = []
    while not (seen and found(*seen[-1])):
        message = kernel.client.get_iopub_msg(timeout=60)
        if message["parent_header"].get("msg_id") == sent:
            seen.append((message["msg_type"], message["content"]))
    return seen


def is_idle(kind: str, content: dict[str, Any]) -> bool:
    return kind == "status" and content["execution_state"] == "idle"


def updates(words: str):
    return lambda kind, content: kind == "update_display_data" and words in content["data"].get("text/plain", "")


def test_the_kernel_is_free_and_the_end_is_told_under_the_cell_that_began(person, kernel_home) -> None:
    sent = person.send("%cloaca_run --background -o run")
    begun = until(person, sent, is_idle)
    shown = [content["data"] for kind, content in begun if kind == "display_data"]
    assert "application/vnd.jupyter.widget-view+json" in shown[0]
    assert "in the background; to end it: %cloaca_cancel" in shown[1]["text/plain"]
    assert "execute_result" not in [
        kind for kind, _ in begun
    ]  # the notice follows the run; a result would stay as it is
    person("%%cloaca_task later\ny = 'edited'")
    assert "Running" in person("print(run.status)")
    assert "·  began " in person("run")
    (kernel_home / "open").touch()
    ended = until(person, sent, updates("✓ notebook  ·  run "))
    assert [content["text"] for kind, content in ended if kind == "stream"] == ["through\n"]
    assert "{'x': 1, 'y': 2}" in person("print(dict(run.result.final_context))")


def test_a_picture_takes_the_place_of_the_panel(person, kernel_home) -> None:
    sent = person.send("%cloaca_run --background")
    (kernel_home / "open").touch()
    seen = until(person, sent, updates("✓ notebook  ·  run "))
    changed = [content["data"] for kind, content in seen if kind == "update_display_data"]
    assert set(changed[0]) == {"text/html", "text/plain"}
    assert "<img" in changed[0]["text/html"]
    assert "✓ notebook  Completed in" in changed[0]["text/plain"]
    assert "through\n" in [content["text"] for kind, content in seen if kind == "stream"]


def test_cancel_in_a_kernel_that_is_free(person) -> None:
    sent = person.send("%cloaca_run --background")
    until(person, sent, is_idle)
    assert "cancelled after" in person("%cloaca_cancel")
    assert "Cancelled" in person("print(list(get_ipython().run_line_magic('cloaca_history', '')['status']))")


def test_a_kernel_that_is_shut_down_records_the_run_as_cancelled(person, kernel_home) -> None:
    until(person, person.send("%cloaca_run --background"), is_idle)
    person.manager.shutdown_kernel(now=False)
    with History.open(str(kernel_home / ".cloaca" / "history.duckdb")) as history:
        assert list(history.runs()["status"]) == ["Cancelled"]


def test_headless_a_background_run_blocks_and_its_failure_fails_the_cell(kernel_home) -> None:
    cells = [GATE, SLOW, LATER, "%cloaca_run --background -o run", "print(run.status)"]
    (kernel_home / "open").touch()
    book = executed(kernel_home, *cells)
    assert book.cells[4].outputs[0].text == "Completed\n"
    shown = [output.data for output in book.cells[3].outputs if "data" in output]
    assert "<img" in shown[0]["text/html"]
    assert "✓ notebook  Completed in" in shown[0]["text/plain"]
    assert not [output for output in book.cells[3].outputs if output.get("name") == "stderr"]
    with pytest.raises(CellExecutionError) as caught:
        executed(kernel_home, *cells[:2], "%%cloaca_task bad\n\ny = x / 0", "%cloaca_run --background")
    assert "Task 'bad' failed: ZeroDivisionError: division by zero (Cell In[3], line 3, in bad)." in caught.value.evalue


def executed(folder, *texts: str) -> nbformat.NotebookNode:
    book = v4.new_notebook(cells=[v4.new_code_cell(text) for text in texts])
    client = NotebookClient(
        book, timeout=60, resources={"metadata": {"path": str(folder)}}, extra_arguments=["--log-level=ERROR"]
    )
    return client.execute()


# -- what front ends ask

OTHER_WORKFLOW = """\
import cloaca_nb as cloaca
with cloaca.WorkflowBuilder("daily"):
    @cloaca.task()
    def read(context):
        pass"""
COMPLETED = [
    ("%cloaca_run --b", ["--background"]),
    ("%cloaca_show sl", ["slow"]),
    ("%cloaca_run no", ["notebook"]),
    ("%cloaca_dag da", ["daily"]),
    ("%%cloaca_task new --after la", ["later"]),
    ("%%cloaca_task new\n#| after: sl", ["slow"]),
    ("%%cloaca_task new\n#| retry-backoff: lin", ["linear"]),
]


def test_a_kernel_completes(person) -> None:
    person(OTHER_WORKFLOW)
    for text, matches in COMPLETED:
        reply = person.client.complete(text, len(text), reply=True, timeout=60)["content"]
        assert reply["matches"] == matches
        assert matches[0].startswith(text[reply["cursor_start"] : reply["cursor_end"]])


def test_a_kernel_shows_help(person) -> None:
    reply = person.client.inspect("%cloaca_logs", 12, reply=True, timeout=60)["content"]
    assert "--lines N     Show the last N lines" in reply["data"]["text/plain"]

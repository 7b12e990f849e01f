"""The notebooks: how they are stored, and whether the tutorials keep what they promise when they are executed."""

import json
import re
import shutil
from base64 import b64decode
from pathlib import Path
from typing import Final, NamedTuple

import nbformat
import pytest
from nbclient import NotebookClient
from nbconvert import HTMLExporter

from cloaca_nb.history.history import History

FOLDER: Final = Path(__file__).resolve().parents[1] / "notebooks"
ALL: Final = sorted(path.name for path in FOLDER.glob("*.ipynb"))
DEMO: Final = "01_flight_delays.ipynb"
TUTORIALS: Final = (
    "02_first_workflow.ipynb",
    "03_complex_patterns.ipynb",
    "04_async_and_deferral.ipynb",
    "05_processes.ipynb",
    "06_history.ipynb",
    "07_from_notebook_to_package.ipynb",
    "08_at_work.ipynb",
)
PATIENCE_S: Final = 60
PICTURE: Final = re.compile(r'src="data:image/svg\+xml;base64,([^"]+)"')
NAMESPACE: Final = "http://www.w3.org/2000/svg"  # the one address in a picture, from which nothing is fetched
FAILS: Final = "raises-exception"  # the tag of a cell whose error is the lesson
WARNS: Final = "warns"  # the tag of a cell whose warning is the lesson
READABLE: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
RANDOM: Final = re.compile(r"[0-9a-f]{8}")
LINK: Final = re.compile(r"\]\((?!https?:)([^)]+)\)")


class Promise(NamedTuple):
    """What the text of a notebook says, and the cell that has to show it.

    Attributes:
        notebook: its file.
        prose: the id of the Markdown cell.
        said: what it says.
        cell: the id of the code cell.
        shown: what is in its output.
    """

    notebook: str
    prose: str
    said: str
    cell: str
    shown: str


FIRST, PATTERNS, WAITING, PROCESSES, RESUMING, PACKING, WORKING = TUTORIALS
PROMISES: Final = (
    Promise(FIRST, "second-task", "sales ← load", "clean", "reads sales ← load"),
    Promise(FIRST, "the-answer", "**41.90**", "report", "'total': 41.9"),
    Promise(FIRST, "resuming", "Only `thanks` is new.", "run-thanks", "5 taken"),
    Promise(FIRST, "the-answer", "most of it with coffee", "report", "'bestseller': 'coffee'"),
    Promise(FIRST, "the-answer", "ten o'clock", "report", "'busiest hour': '10'"),
    Promise(FIRST, "dearer-tax", "**7.96**", "dearer", "7.96"),
    Promise(FIRST, "dearer-tax", "**2.93**", "report", "'tax': 2.93"),
    Promise(FIRST, "history", "Both runs", "runs", "tax_rate = 0.07"),
    Promise(FIRST, "by-hand", "mix both", "note", "'Thank you! 41.90 today, and coffee did it again.'"),
    Promise(PATTERNS, "chain-answer", "**60.8** on Monday, **67.1** on Sunday", "chain-result", "[60.8, 62.6, 61.7"),
    Promise(PATTERNS, "chain-answer", "**67.1** on Sunday", "chain-result", "69.8, 67.1]"),
    Promise(PATTERNS, "fork-answer", "**5.5**", "fork-result", "5.5"),
    Promise(PATTERNS, "fan-in-answer", "warmest station is the **harbour**", "fan-in-ranking", "['harbour', "),
    Promise(PATTERNS, "fan-in-answer", "coldest the **hill**", "fan-in-ranking", "'hill']"),
    Promise(PATTERNS, "failure-answer", "names the task", "failing-run", "Task 'mean_lake' failed"),
    Promise(PATTERNS, "failure-answer", "the cell and the line", "failing-run", "line 6, in mean"),
    Promise(PATTERNS, "failure-answer", "`compare` was **skipped**", "failing-run", "because mean_lake failed"),
    Promise(PATTERNS, "failure-answer", "their means are kept", "failing-means", "'forest': 17.2}"),
    Promise(PATTERNS, "rules-answer", "**three** stations", "handled-result", "['harbour', 'forest', 'hill']"),
    Promise(PATTERNS, "rules-answer", "**lake** is named as missing", "handled-result", "'missing': ['lake']"),
    Promise(PATTERNS, "rules-answer", "still counts as failed", "handled-run", "Failed\n"),
    Promise(PATTERNS, "branch-idea", "else `swim`", "branch-result", "'Take your towel!'"),
    Promise(PATTERNS, "branch-idea", "no failure", "branch-run", "2 completed, 1 skipped"),
    Promise(WAITING, "async-answer", "**3 copies**", "library-result", "3 copies"),
    Promise(WAITING, "async-def-answer", "**200 answers**", "async-def-run", "200 answers"),
    Promise(WAITING, "track-answer", "**15 words**", "reading-result", "15"),
    Promise(WAITING, "handle-idea", "`handle`", "baking-result", "'warm'"),
    Promise(WAITING, "defer-answer", "All **five**", "post-run", "'reader 5': 'Dear all, it works.'"),
    Promise(WAITING, "timeout-answer", "**TaskTimeoutError**", "slow-result", "'TaskTimeoutError'"),
    Promise(WAITING, "retry-answer", "**3 attempts**", "weigh-result", "weigh  Completed         3"),
    Promise(WAITING, "retry-answer", "every attempt", "attempts", "Failed  ConnectionError  no contact"),
    Promise(WAITING, "no-retry-answer", "**1 attempt**", "no-retry-result", "read_weight  Failed         1"),
    Promise(WAITING, "no-retry-answer", "names the line", "no-retry-run", "line 5, in read_weight"),
    Promise(PROCESSES, "process-answer", "**303 primes**", "primes-result", "303 primes"),
    Promise(PROCESSES, "process-answer", "**1999**", "primes-result", "the largest is 1999"),
    Promise(PROCESSES, "process-answer", "**outside the kernel: True**", "primes-run", "outside the kernel: True"),
    Promise(PROCESSES, "timeout-answer", "**TaskTimeoutError**", "stuck-result", "'TaskTimeoutError'"),
    Promise(PROCESSES, "timeout-answer", "**not harmed**", "stuck-result", "'not harmed'"),
    Promise(PROCESSES, "crash-answer", "**2 attempts**", "crash-result", "fragile  Completed         2"),
    Promise(PROCESSES, "crash-answer", "**TaskCrashedError**", "crash-attempts", "TaskCrashedError - "),
    Promise(PROCESSES, "crash-answer", "the exit code, **3**", "crash-attempts", "exit code 3"),
    Promise(PROCESSES, "large-answer", "**TABLE (12 MB)**", "large-logs", "TABLE (12 MB)"),
    Promise(PROCESSES, "executor-answer", "**ours_0**", "executor-run", "'ours_0'"),
    Promise(RESUMING, "failure", "the run fails", "failing-run", "KeyError: 'hiev'"),
    Promise(RESUMING, "resume-answer", "Only `letter` was executed", "resumed", "1 completed, 3 taken"),
    Promise(RESUMING, "resume-answer", "**taken from history**", "why", "weigh         0                unchanged"),
    Promise(
        RESUMING, "edit-answer", "POUNDS is 2.20462262 now, was 2.2046", "why-constant", "as POUNDS is 2.20462262 now"
    ),
    Promise(RESUMING, "edit-answer", "did **not** have to run again", "resumed-constant", "↶  letter        taken"),
    Promise(RESUMING, "edit-answer", "only what reads it runs", "resumed-parameter", "2 completed, 2 taken"),
    Promise(RESUMING, "ways", "nothing at all is executed", "why-cached", "True"),
    Promise(RESUMING, "try-idea", "on the latest values", "try", "longest tried  ·  longest = 'pond'"),
    Promise(RESUMING, "diff-answer", "The parameter", "difference", "20.0 → 30.0"),
    Promise(PACKING, "test-idea", "The test runs here and now", "test", "test_hours_are_deep_enough passed"),
    Promise(PACKING, "test-idea", "called by its\nname", "test-alone", "test_no_boat_needs_no_water passed"),
    Promise(PACKING, "export-idea", "what it has **left out**", "export", "first_try = ["),
    Promise(PACKING, "export-idea", "makes tests of the last run", "export", "tests/golden/choose.json"),
    Promise(PACKING, "export-idea", "one file that can be deployed", "export", "tides-0.1.0.cloacina (3 files"),
    Promise(PACKING, "export-idea", "what both **end with**", "export", "did: Completed, the same final context"),
    Promise(PACKING, "module-idea", "anew for **every run**", "module", "derived_parameters(warning=lambda draught:"),
    Promise(
        PACKING, "help-idea", "the **parameters**, with their types", "help", "draught=1.2                   float"
    ),
    Promise(PACKING, "archive-idea", "**0, 1, 11, 12, 13 and 14**", "run-package", "0 h, 1 h, 11 h, 12 h, 13 h, 14 h."),
    Promise(PACKING, "archive-idea", "**3.0 m**", "run-package", "Boats of 3.0 m only!"),
    Promise(PACKING, "archive-idea", "a manifest with a fingerprint", "inspect", "tides:announce"),
    Promise(PACKING, "archive-idea", "`inspect` checks it", "run-archive", "Boats of 1.2 m only!"),
    Promise(PACKING, "verify-idea", "verified\nagainst the same run", "verify", "the same final context"),
    Promise(WORKING, "watch", "meant to fail", "failing-run", "invalid literal for int() with base 10: '4O'"),
    Promise(WORKING, "logs-idea", "`harbour` and `market` were fine", "logs", "market has 38 minutes"),
    Promise(WORKING, "debug", "tells what it has set", "mended", "'choir': 40"),
    Promise(WORKING, "waited-answer", "All **three**", "waited", "['harbour.flac', 'market.flac', 'choir.flac']"),
    Promise(WORKING, "waited-answer", "shows no panel", "quiet-answer", "copy  unchanged since run"),
    Promise(RESUMING, "sql-answer", "**letter** has been executed most", "slowest", "0   letter         4"),
)


@pytest.mark.parametrize("name", ALL)
def test_a_notebook_is_stored_without_outputs_and_with_ids_that_stay(name) -> None:
    book = read(name)
    assert (book.nbformat, book.nbformat_minor) == (4, 5)
    assert set(book.metadata) == {"kernelspec", "language_info"}
    for cell in book.cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None
        assert READABLE.fullmatch(cell.id), cell.id
        assert not RANDOM.fullmatch(cell.id), cell.id
    ids = [cell.id for cell in book.cells]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("name", ALL)
def test_a_notebook_leads_to_files_that_are_there(name) -> None:
    linked = [target for cell in read(name).cells for target in LINK.findall(cell.source)]
    assert [one for one in linked if not (FOLDER / one).exists()] == []


@pytest.mark.parametrize("name", TUTORIALS)
def test_a_tutorial_ends_with_what_to_read_next(name) -> None:
    last = read(name).cells[-1]
    assert last.source.startswith("## What next?")
    assert LINK.search(last.source)


def test_every_promise_is_one_of_its_notebook() -> None:
    texts = {(name, cell.id): cell.source for name in TUTORIALS for cell in read(name).cells}
    assert [one for one in PROMISES if one.said not in texts.get((one.notebook, one.prose), "")] == []


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A folder in which a notebook is executed, with a history of its own."""
    for variable in ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR", "JUPYTER_CONFIG_DIR"):
        monkeypatch.setenv(variable, str(tmp_path / variable.lower()))
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    monkeypatch.setenv("CLOACA_HISTORY", str(tmp_path / "history.duckdb"))
    (tmp_path / "notebooks").mkdir()
    return tmp_path / "notebooks"


def test_the_executed_demo_holds_table_picture_and_log_also_as_html_without_network(folder) -> None:
    book = executed(DEMO, folder)
    assert "widgets" not in book.metadata
    outputs = next(cell for cell in book.cells if cell.id == "run").outputs
    assert {kind for output in outputs for kind in kinds(output)} == {"text/html", "text/plain"}
    with History.open(str(folder.parent / "history.duckdb")) as history:
        tasks, logged = list(history.tasks(history.runs()["run_id"][0])["task_id"]), history.logs()["text"]
    assert len(tasks) == 26

    (shown,) = [output.data for output in outputs if output.output_type == "display_data"]
    for form in ("text/html", "text/plain"):
        assert "26 tasks: 26 completed" in shown[form]
        assert [one for one in tasks if one not in shown[form]] == []
    printed = "".join(output.text for output in outputs if output.get("name") == "stdout")
    assert sorted(printed.splitlines()) == sorted("".join(logged).splitlines())
    assert "336,776 flights" in printed

    page, _ = HTMLExporter().from_notebook_node(book)
    ours = page.partition("<div data-run-status=")[2].partition("</table>")[0]
    (picture,) = PICTURE.findall(ours)
    assert picture in shown["text/html"]
    drawn = b64decode(picture).decode()
    for form in (ours, drawn):
        assert [one for one in tasks if f'data-task-id="{one}"' not in form] == []
    assert "://" not in ours + drawn.replace(NAMESPACE, "")


@pytest.mark.parametrize("name", TUTORIALS)
def test_a_tutorial_keeps_its_promises(name, folder) -> None:
    cells = {cell.id: cell for cell in executed(name, folder).cells if cell.cell_type == "code"}

    outputs = {cell_id: cell.outputs for cell_id, cell in cells.items()}
    # A widget that is left in a saved notebook shows "model not found" when it is opened again.
    assert "widget" not in json.dumps([kinds(output) for some in outputs.values() for output in some])
    said_to_stderr = {cell_id: text(some, "stderr") for cell_id, some in outputs.items()}
    warned = {cell_id for cell_id, cell in cells.items() if WARNS in cell.metadata.get("tags", [])}
    assert {cell_id for cell_id, said in said_to_stderr.items() if said} == warned, said_to_stderr
    failed = {cell_id: output.ename for cell_id, some in outputs.items() for output in some if "ename" in output}
    assert failed == {cell_id: "RunFailed" for cell_id, cell in cells.items() if FAILS in cell.metadata.get("tags", [])}
    shown = {cell_id: text(some, "stdout") for cell_id, some in outputs.items()}
    broken = [one for one in PROMISES if one.notebook == name and one.shown not in shown[one.cell]]
    assert broken == [], "\n\n".join(shown[one.cell] for one in broken)


def read(name: str) -> nbformat.NotebookNode:
    return nbformat.read(FOLDER / name, as_version=nbformat.NO_CONVERT)


def executed(name: str, folder: Path) -> nbformat.NotebookNode:
    """Execute a copy of a notebook in a folder of its own, and return it."""
    shutil.copy(FOLDER / name, folder)
    client = NotebookClient(
        nbformat.read(folder / name, as_version=4),
        timeout=PATIENCE_S,
        resources={"metadata": {"path": str(folder)}},
        extra_arguments=["--log-level=ERROR"],
    )
    return client.execute()


def kinds(output: nbformat.NotebookNode) -> list[str]:
    """Return the MIME types of an output."""
    return list(output.get("data", {}))


def text(outputs: list[nbformat.NotebookNode], stream: str) -> str:
    """Return what a cell printed to a stream; for stdout also what it displayed, as plain text, and its error."""
    printed = [output.text for output in outputs if output.get("name") == stream]
    if stream == "stderr":
        return "".join(printed)
    displayed = [output.data.get("text/plain", "") for output in outputs if "data" in output]
    return "\n".join([*printed, *displayed, *(line for output in outputs for line in output.get("traceback", []))])

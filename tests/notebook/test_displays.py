"""What tasks display and log in a real kernel: below the cell that runs them, and in their own logs."""

import nbformat
import pytest
from nbclient import NotebookClient

SETUP = """\
%load_ext cloaca_nb
import asyncio
import logging
import cloaca_nb as cloaca
import matplotlib.pyplot as plt
from IPython.display import HTML, Markdown, clear_output, display
logging.basicConfig(format="%(levelname)s by %(funcName)s: %(message)s")
said = []"""
TASKS = """\
with cloaca.WorkflowBuilder("kinds"):
    @cloaca.task(id="thread")
    def thread(context):
        logging.warning("logged")
        display(HTML("<b>bold</b>"))
        plt.plot([1, 2])
        plt.show()
        clear_output()

    @cloaca.task(id="coroutine")
    async def coroutine(context):
        await asyncio.sleep(0)
        display(Markdown("*slanted*"))

    @cloaca.task(id="process", executor="process")
    def process(context):
        from IPython.display import display
        display("from a process")"""
BARS = """\
with cloaca.WorkflowBuilder("bars"):
    @cloaca.task(id="auto")
    def auto(context):
        from tqdm.auto import tqdm
        for _ in tqdm(range(50), desc="auto", mininterval=0, miniters=1):
            pass
        for _ in tqdm(range(3), desc="gone", leave=False):
            pass

    @cloaca.task(id="notebook")
    async def notebook(context):
        from tqdm.notebook import tqdm
        for _ in tqdm(range(50), desc="notebook", mininterval=0, miniters=1):
            await asyncio.sleep(0)"""
RUN_BARS = """\
from cloaca_nb.core.events import ProgressMade
with cloaca.DefaultRunner(":memory:") as runner:
    runner.execute("bars", observers=[said.append])
    logs = runner.history().logs()
print(sorted({(one.task_id, one.done) for one in said if isinstance(one, ProgressMade) and one.done == 50}))
print(sorted(logs["task_id"] + " on " + logs["stream"]))"""
FLOOD = """\
with cloaca.WorkflowBuilder("flood"):
    @cloaca.task(id="many")
    def many(context):
        for number in range(150):
            display(HTML(f"<i>{number}</i>"))

    @cloaca.task(id="long")
    def long(context):
        for number in range(20_000):
            print(f"line {number}")"""
RUN_FLOOD = """\
with cloaca.DefaultRunner(":memory:") as runner:
    runner.execute("flood")
    logs = runner.history().logs()
mine = logs[logs["task_id"] == "many"]
lines = logs["text"].str.startswith("line ")
print(len(mine[mine["stream"] == "display"]), "displays,", sum(lines), "lines in the log")"""
LOGS = """\
from cloaca_nb.notebook.extension import load
print(load(get_ipython()).runner.history().logs()[["task_id", "stream", "text"]].values.tolist())"""
CAPTURED = """\
with cloaca.DefaultRunner(":memory:") as runner:
    runner.execute("kinds")
    logs = runner.history().logs("coroutine")"""
CELLS = {
    "setup": SETUP,
    "tasks": TASKS,
    "run": "%cloaca_run kinds",
    "logs": LOGS,
    "captured": f"%%capture taken\n{CAPTURED}",
    "what was captured": "print(len(taken.outputs), list(logs['stream']))",
    "outside": "display(HTML('<u>mine</u>'))\nlogging.warning('mine')",
    "bars": BARS,
    "run bars": RUN_BARS,
    "flood": FLOOD,
    "run flood": RUN_FLOOD,
}


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    """The outputs of each cell."""
    folder = tmp_path_factory.mktemp("kernel")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in CELLS.values()])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CLOACA_HISTORY", ":memory:")
        patch.setenv("IPYTHONDIR", str(folder / "ipython"))
        patch.setenv("MPLCONFIGDIR", str(folder / "matplotlib"))
        NotebookClient(notebook, timeout=100, resources={"metadata": {"path": str(folder)}}).execute()
    return {name: cell.outputs for name, cell in zip(CELLS, notebook.cells, strict=True)}


def text_of(outputs, stream):
    return "".join(one.text for one in outputs if one.output_type == "stream" and one.name == stream)


def shown(outputs, kind):
    return [one.data[kind] for one in outputs if one.output_type == "display_data" and kind in one.data]


def test_displays_of_tasks_are_below_the_cell(cells):
    ran = cells["run"]
    assert "<b>bold</b>" in shown(ran, "text/html")
    assert "*slanted*" in shown(ran, "text/markdown")
    assert len(shown(ran, "image/png")) == 1
    assert "from a process" in text_of(ran, "stdout")
    assert any("Completed" in text for text in shown(ran, "text/plain"))  # the panel, which no task has cleared


def test_displays_are_in_the_log_as_text(cells):
    log = text_of(cells["logs"], "stdout")
    for line in (
        "['thread', 'stderr', 'WARNING by thread: logged\\n']",
        "['thread', 'display', '<IPython.core.display.HTML object>\\n']",
        "['thread', 'display', '<Figure size 640x480 with 1 Axes>\\n']",
        "['coroutine', 'display', '<IPython.core.display.Markdown object>\\n']",
    ):
        assert log.count(line) == 1
    assert "from a process" in log


def test_records_are_echoed_once(cells):
    assert text_of(cells["run"], "stderr").count("WARNING by thread: logged") == 1


def test_displays_that_a_cell_captures_are_recorded_too(cells):
    assert text_of(cells["what was captured"], "stdout") == "3 ['display']\n"


def test_outside_of_tasks_all_is_as_ever(cells):
    assert shown(cells["outside"], "text/html") == ["<u>mine</u>"]
    assert text_of(cells["outside"], "stderr") == "WARNING by <module>: mine\n"


def test_bars_are_progress_and_one_line(cells):
    out = text_of(cells["run bars"], "stdout")
    assert "[('auto', 50), ('notebook', 50)]" in out
    assert out.count("auto: 100%|") == 1
    assert out.count("notebook: 100%|") == 1
    assert "gone" not in out
    assert "['auto on stdout', 'notebook on stdout']" in out
    assert shown(cells["run bars"], "application/vnd.jupyter.widget-view+json") == []


def test_a_flood_is_held_back_but_kept(cells):
    ran = cells["run flood"]
    lines = [line for line in text_of(ran, "stdout").splitlines() if line.startswith("line ")]
    assert lines == [f"line {number}" for number in range(len(lines))]
    assert sum(map(len, lines)) + len(lines) <= 64_000
    assert f"in {20_000 - len(lines):,} lines that are not shown here" in text_of(ran, "stderr")
    assert len(shown(ran, "text/html")) == 100
    assert "150 displays, 20000 lines in the log" in text_of(ran, "stdout")
    streams = [one for one in ran if one.output_type == "stream"]
    assert len(streams) < 120  # messages, of 20,000 prints


def test_what_was_printed_before_a_display_stands_above_it():
    task = "%%cloaca_task talk\nfor word in ('one', 'two'):\n    print(word)\n    display(HTML(word))"
    cells = [nbformat.v4.new_code_cell(text) for text in (SETUP, task, "%cloaca_run --no-panel -o result")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, kernel_name="python3", timeout=60).execute()
    shown = [output.get("text") or output.data.get("text/html") for output in cells[-1].outputs]
    assert shown[:4] == ["one\n", "one", "two\n", "two"]

"""How a run is shown, and how it is known who looks on."""

import io

import nbformat
from nbclient import NotebookClient

from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.task import Task
from cloaca_nb.notebook.audience import Audience, audience_of
from cloaca_nb.notebook.lines import OnRecord, OnTerminal
from cloaca_nb.notebook.showing import OnPanel, Unshown, showing

WORKFLOW = Workflow("w", [Task(id="a", function=len)])


def test_who_looks_on_decides(session) -> None:
    stream, panels = io.StringIO(), session.panels
    assert isinstance(showing(WORKFLOW, Audience.TERMINAL, "auto", stream, panels), OnTerminal)
    assert isinstance(showing(WORKFLOW, Audience.NOBODY, "auto", stream, panels), OnRecord)
    assert isinstance(showing(WORKFLOW, Audience.PERSON, "auto", stream, panels), OnPanel)
    assert isinstance(showing(WORKFLOW, Audience.NOBODY, "on", stream, panels), OnPanel)
    assert all(isinstance(showing(WORKFLOW, one, "off", stream, panels), Unshown) for one in Audience)


def test_a_shell_without_a_kernel_is_a_terminal(shell) -> None:
    assert audience_of(shell) is Audience.TERMINAL


PRINTING = """
%load_ext cloaca_nb
%config Cloaca.history = ":memory:"
%config Cloaca.panel = "on"
import cloaca_nb as cloaca

with cloaca.WorkflowBuilder("flow"):
    @cloaca.task()
    def talk(context):
        print("the first thing that happens")
"""


def test_what_tasks_print_stands_below_the_panel() -> None:
    cells = [PRINTING, "%cloaca_run flow -o result"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(notebook, kernel_name="python3", timeout=60, store_widget_state=False).execute()
    panel, printed, _ = notebook.cells[1].outputs
    assert "svg" in panel.data["text/html"]
    assert printed.text == "the first thing that happens\n"


def test_a_run_that_cannot_begin_shows_nothing() -> None:
    cells = [PRINTING, "%cloaca_run flow --resume"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(notebook, kernel_name="python3", timeout=60, allow_errors=True).execute()
    assert [output.output_type for output in notebook.cells[1].outputs] == ["error"]

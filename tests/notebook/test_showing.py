"""How a run is shown, and how it is known who looks on."""

import io

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

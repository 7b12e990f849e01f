"""A run as text where nobody looks on: lines only if it takes long."""

import io

from cloaca_nb.core.events import AttemptStarted, RunStarted, TaskFinished
from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.status import Outcome
from cloaca_nb.core.task import Task
from cloaca_nb.notebook.lines import LateLines

WORKFLOW = Workflow("w", [Task(id="a", function=len), Task(id="b", function=len)])


def lines_of(*ends: float) -> str:
    """Return what is written of a run whose tasks end so many seconds after its start."""
    stream = io.StringIO()
    late = LateLines(stream, patience=10.0)
    late.observe(RunStarted(100.0, "r", WORKFLOW, "run", {}))
    for task, end in zip("ab", ends, strict=True):
        late.observe(AttemptStarted(100.0, "r", task, 1))
        late.observe(TaskFinished(100.0 + end, "r", task, 1, Outcome.COMPLETED, {}, None, ""))
    return stream.getvalue()


def test_of_a_short_run_nothing_is_said() -> None:
    assert lines_of(1.0, 9.5) == ""


def test_of_a_long_run_everything_is() -> None:
    first, second = lines_of(1.0, 12.0).splitlines()
    assert "a  1.0 s" in first
    assert "b  12.0 s" in second

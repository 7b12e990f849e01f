"""pyplot in tasks that run at once: figures are kept apart, and closed in the end."""

import subprocess
import sys
import threading

import matplotlib.pyplot as plt
import pytest

from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.task import Task
from cloaca_nb.runner import DefaultRunner

SIDES = 4
IN_A_BODY = """\
import sys
import cloaca_nb as cloaca
with cloaca.WorkflowBuilder("late"):
    @cloaca.task()
    def draw(context):
        import matplotlib.pyplot as plt
        plt.figure()
        context["own"] = plt.get_fignums()
with cloaca.DefaultRunner(":memory:") as runner:
    result = runner.execute("late")
import matplotlib.pyplot as plt
print(result.final_context["own"], plt.get_fignums(), len(sys.meta_path) - before)
"""


@pytest.fixture(autouse=True)
def backend():
    before = plt.get_backend()
    plt.switch_backend("agg")
    plt.close("all")
    yield
    plt.close("all")
    plt.switch_backend(before)


@pytest.fixture
def drawing():
    """A workflow whose tasks draw at the same moments."""
    together = threading.Barrier(SIDES, timeout=20)

    def body_of(side):
        def body(context):
            for step in range(5):
                together.wait()
                plt.figure()
                plt.title(f"{side} {step}")
                together.wait()
                plt.plot([1, side])
                plt.savefig(context["folder"] / f"{side}.png")
                together.wait()
                axes = plt.gca()
                context[f"drawn{side}"] = [axes.get_title(), len(axes.lines), plt.get_fignums()]

        return body

    return Workflow("drawing", [Task(f"draw{side}", body_of(side), ()) for side in range(SIDES)])


def test_each_attempt_has_its_own_figures(drawing, tmp_path):
    plt.figure(99)
    with DefaultRunner(":memory:") as runner:
        result = runner.execute(drawing, {"folder": tmp_path})
    assert result.error is None
    for side in range(SIDES):
        assert result.final_context[f"drawn{side}"] == [f"{side} 4", 1, [1, 2, 3, 4, 5]]
        assert (tmp_path / f"{side}.png").stat().st_size > 0
    assert plt.get_fignums() == [99]
    assert plt.gcf().number == 99


def test_a_body_can_close_only_its_own(tmp_path):
    plt.figure(99)
    closing = Task("closes", lambda _context: plt.close("all"), ())
    with DefaultRunner(":memory:") as runner:
        assert runner.execute(Workflow("w", [closing])).error is None
    assert plt.get_fignums() == [99]


def test_pyplot_that_a_body_imports():
    code = f"import sys\nbefore = len(sys.meta_path)\n{IN_A_BODY}"
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True, timeout=100)  # noqa: S603 - our own code
    assert done.stdout == "[1] [] 0\n", done.stderr

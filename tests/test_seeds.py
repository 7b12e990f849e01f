"""A task that draws from a seeded generator is taken from history, in any process, until the seed changes."""

import json
import subprocess
import sys

import pytest

FLOW = """
import json, random, sys
import numpy as np
import cloaca_nb as cloaca

class Model:
    def __init__(self):
        self.state = random.Random(SEED)

def make(rng):
    @cloaca.task(id="closed", dependencies=())
    def closed(context):
        context["closed"] = [rng.random() for _ in range(9)]

SEED = int(sys.argv[2])
plain = random.Random(SEED)
rng = np.random.default_rng(SEED)
old = np.random.RandomState(SEED)
model = Model()
make(random.Random(SEED))

@cloaca.task(dependencies=())
def several(context):
    context["several"] = [plain.random(), rng.normal(), old.normal(), model.state.random()]

@cloaca.task(dependencies=())
def own(context):
    context["own"] = random.random(), np.random.normal()

@cloaca.task(dependencies=())
def fails(context):
    raise ValueError

builder = cloaca.WorkflowBuilder("flow")
for one in ("several", "own", "closed", "fails"):
    builder.add_task(one)
with cloaca.DefaultRunner("history.duckdb") as runner:
    for how in sys.argv[1].split(","):
        if how == "resume":
            result = runner.resume(workflow=builder.build())
        else:
            result = runner.execute(builder.build(), cached=how == "cached")
        print(json.dumps(dict(zip(result.tasks["task_id"], result.tasks["reason"]))))
"""


@pytest.fixture
def reasons(tmp_path):
    """Return what executes the workflow in a process of its own, and gives what each run says of its tasks."""
    tmp_path.joinpath("flow.py").write_text(FLOW)

    def run(how, seed):
        done = subprocess.run(  # noqa: S603 - our own text
            [sys.executable, "flow.py", how, str(seed)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return [
            {task: reason.partition(" run ")[0] for task, reason in json.loads(line).items() if task != "fails"}
            for line in done.stdout.splitlines()
        ]

    return run


TAKEN = dict.fromkeys(("several", "own", "closed"), "unchanged since")


@pytest.mark.parametrize("how", ["resume", "cached"])
def test_draws_make_no_task_run_again(reasons, how):
    first, again = reasons(f"run,{how}", 3)
    assert again == TAKEN
    assert reasons(f"{how},run,{how}", 3) == [TAKEN, first, TAKEN]


def test_another_seed_does_and_is_named(reasons):
    reasons("run", 3)
    (other,) = reasons("resume", 4)
    assert other["own"] == "unchanged since"
    names = ("old", "plain", "rng")
    said = [f"random generator {name} starts from another state" for name in names]
    assert [one in other["several"] for one in (*said, "model", "SEED")] == [True] * 5
    assert other["closed"].startswith("executed, as ")

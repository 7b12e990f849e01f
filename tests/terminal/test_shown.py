import io
import os
import pty
import subprocess
import sys

from cloaca_nb import DefaultRunner, WorkflowBuilder, show_progress, task

SCRIPT = """
import cloaca_nb as cloaca

with cloaca.WorkflowBuilder("delays"):

    @cloaca.task()
    def load(context):
        print("reading")

    @cloaca.task(dependencies=["load"])
    def clean(context):
        raise ValueError("no rows")

with cloaca.DefaultRunner(":memory:") as runner, cloaca.show_progress() as shown:
    runner.execute("delays", observers=[shown])
"""


def test_a_script_that_writes_to_a_pipe_has_plain_lines_on_stderr_and_a_summary(run_script):
    out, err = run_script(SCRIPT)
    assert out == ["reading"]
    assert err[0].startswith("✓ load  ")
    assert err[1].startswith("✕ clean  ValueError: no rows (")
    assert "ValueError: no rows" in err
    assert err[-1].startswith("✕ delays  Failed in ")


def test_on_a_terminal_the_lines_are_live(tmp_path):
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "80", "HOME": str(tmp_path)}
    environment.pop("JPY_PARENT_PID", None)  # a kernel's, which says that the terminal is a cell
    command = [sys.executable, "-c", SCRIPT]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=tmp_path, env=environment) as done:  # noqa: S603 - our own interpreter
        os.close(theirs)
        told = _all_of(ours)
    assert done.returncode == 0
    assert "\x1b[?25l" in told  # the cursor was hidden, so lines were repainted
    assert told.index("\x1b[?25l") < told.index("reading") < told.index("\x1b[?25h") < told.index("Failed in")


def test_one_block_shows_one_run(registry):
    with WorkflowBuilder("twice"):
        task(id="load")(set_nothing)
    stream = io.StringIO()
    with DefaultRunner(":memory:", registry=registry) as runner, show_progress(stream) as shown:
        for _ in range(2):
            runner.execute("twice", observers=[shown])
    assert [line.split()[1] for line in stream.getvalue().splitlines()] == ["load", "twice"]


def set_nothing(context):
    assert context is not None


def _all_of(terminal):
    told = b""
    while True:
        try:
            read = os.read(terminal, 4096)
        except OSError:  # EIO: the other end is closed
            read = b""
        if not read:
            os.close(terminal)
            return told.decode()
        told += read

"""`%debug` after a failed run: where it opens, and for how long frames are kept."""

import gc
import sys
import weakref

from cloaca_nb.notebook.failure import RunFailed

BAD = """\
%%cloaca_task bad
wanted = Large()
json.loads('{' * number)"""


def failed_in(cell):
    """Fail a run below a library's frames; in the test itself, as pytest takes the last error of its set-up away."""
    cell("import json\nclass Large: ...")
    cell("%%cloaca_task load\nnumber = 2")
    cell(BAD)
    return cell("%cloaca_run")


def frames_of(trace):
    while trace is not None:
        yield trace.tb_frame
        trace = trace.tb_next


def test_the_last_frame_is_the_tasks_own(cell):
    failed = failed_in(cell)
    assert isinstance(failed.error, RunFailed)
    *_, own = frames_of(sys.last_value.__traceback__)
    assert own.f_code.co_name == "bad"
    assert own.f_locals["number"] == 2


def test_the_libraries_below_are_in_the_cause(cell):
    failed = failed_in(cell)
    frames = [frame.f_code.co_name for frame in frames_of(failed.error.__cause__.__traceback__)]
    assert frames == ["bad", "loads", "decode", "raw_decode"]


def test_frames_are_let_go_of_when_the_next_run_starts(cell):
    failed_in(cell)
    *_, own = frames_of(sys.last_value.__traceback__)
    large = weakref.ref(own.f_locals["wanted"])
    del own
    cell("x = 1")
    gc.collect()
    assert large() is not None
    cell("%%cloaca_task bad\nwanted = 1")
    cell("%cloaca_run")
    gc.collect()
    assert large() is None
    assert not hasattr(sys, "last_value")


def test_only_the_first_failure_of_the_last_failed_run_is_kept(cell):
    failed_in(cell)
    cell("%%cloaca_task bad\nworse = 1 / (number - 2)")
    ran = cell("%cloaca_run")
    assert isinstance(ran.error.__cause__, ZeroDivisionError)
    *_, own = frames_of(sys.last_value.__traceback__)
    assert "wanted" not in own.f_locals


def test_an_error_of_the_users_own_stays_where_it_is(cell):
    failed_in(cell)
    error = cell("1 / 0").error
    cell("%%cloaca_task bad\nwanted = 1")
    cell("%cloaca_run")
    assert sys.last_value is error
    assert error.__traceback__ is not None


def test_a_run_that_failed_in_the_background(cell):
    failed_in(cell)
    cell("1 / 0")
    cell("%%cloaca_task later\nimport time\nwhile not gate: time.sleep(0.01)\nx = number")
    cell("gate = []")
    run = cell("%cloaca_run --background").value
    cell.names["gate"].append(1)
    run.wait()
    cell.session.runs.close()  # waits for who follows it
    *_, own = frames_of(sys.last_value.__traceback__)
    assert own.f_code.co_name == "bad"


def test_a_run_whose_time_was_up_has_no_frames(cell):
    cell("import threading")
    cell("%%cloaca_task slow --timeout 0.05\nthreading.Event().wait(20)\nx = 1")
    assert isinstance(cell("%cloaca_run").error, RunFailed)


def test_a_body_that_was_made_of_a_text(cell):
    made = "@cloaca.task()\\ndef late(context):\\n    wanted = 3\\n    1 / 0"
    cell(f"exec('{made}')")
    cell("%cloaca_run")
    *_, own = frames_of(sys.last_value.__traceback__)
    assert own.f_locals["wanted"] == 3

"""Logs, as a cell shows them and as they are followed."""

import pandas as pd
import pytest

from cloaca_nb.notebook.logs import follow_logs, logs_of

TALK = "%%cloaca_task talk\nimport sys\nprint('one\\ntwo <b>')\nprint('loud', file=sys.stderr)\nx = 1"
ANSWER = "%%cloaca_task answer\ny = x\nprint('three')"


@pytest.fixture
def ran(cell):
    cell(TALK)
    cell(ANSWER)
    assert cell("%cloaca_run -o result").error is None
    return cell


CASES = [
    ("%cloaca_logs", "talk   │ one\ntalk   │ two <b>\ntalk   │ loud\nanswer │ three"),
    ("%cloaca_logs answer", "three"),
    ("%cloaca_logs --lines 2", "… 2 earlier lines: --lines 0 shows all\ntalk   │ loud\nanswer │ three"),
    ("%cloaca_logs talk --lines 2", "… 1 earlier line: --lines 0 shows all\ntwo <b>\nloud"),
    ("%cloaca_logs --lines 0", "talk   │ one\ntalk   │ two <b>\ntalk   │ loud\nanswer │ three"),
]


@pytest.mark.parametrize(("line", "text"), CASES, ids=[one[0] for one in CASES])
def test_a_cell_shows_a_log_and_gets_a_frame(ran, line, text) -> None:
    frame = ran(line).value
    assert type(frame) is pd.DataFrame
    assert list(frame.columns) == ["time", "task_id", "attempt", "stream", "text"]
    assert frame._repr_mimebundle_()["text/plain"] == text


def test_html_escapes_what_tasks_wrote_and_marks_stderr(ran) -> None:
    html = logs_of(ran.session.history(), None, None, 0)._repr_mimebundle_()["text/html"]
    assert "two &lt;b&gt;" in html
    assert '<span style="color:#b7760f">loud</span>' in html
    assert "class=" not in html


def test_of_a_silent_run_it_says_so(cell) -> None:
    cell("%%cloaca_task quiet\nx = 1")
    cell("%cloaca_run")
    assert cell("%cloaca_logs").value._repr_mimebundle_()["text/plain"] == "nothing was written"


def test_attempts_after_the_first_are_told_apart(cell) -> None:
    cell("tries = []")
    cell(
        "%%cloaca_task flaky --retry-attempts 1 --retry-delay-ms 0\ntries.append(1)\nprint('try', len(tries))\n"
        "if len(tries) < 2:\n    raise ConnectionError('gone')\nx = 1"
    )
    cell("%cloaca_run")
    log = cell("%cloaca_logs flaky").value
    assert log["stream"].tolist() == ["stdout", "traceback", "stdout"]
    first, *trace, last = log._repr_mimebundle_()["text/plain"].splitlines()
    assert (first, last) == ("     try 1", "#2 │ try 2")
    assert trace[0] == "     Traceback (most recent call last):"
    assert trace[-1] == "     ConnectionError: gone"
    assert '<span style="color:#dd474c">ConnectionError: gone</span>' in log._repr_mimebundle_()["text/html"]
    assert len(cell.session.history().logs("flaky")) == 2


def test_following_a_run_that_is_over_prints_it_whole(ran) -> None:
    assert ran("%cloaca_logs -f").out == "talk │ one\ntalk │ two <b>\ntalk │ loud\nanswer │ three\n"
    run_id = ran.names["result"].run_id
    assert ran(f"%cloaca_logs answer -f --run {run_id[:-2]}").out == "three\n"


def test_following_prints_what_is_written_meanwhile_and_ends_with_the_run(cell) -> None:
    cell("import threading\nbegun, go = threading.Event(), threading.Event()")
    cell("%%cloaca_task slow\nprint('before')\nbegun.set()\ngo.wait(60)\nprint('after')\nx = 1")
    run, told = cell.session.start(), []  # not in a cell: what captures its output ends with it
    cell.names["begun"].wait(60)

    def pause(_seconds: float) -> None:
        told.append("pause")
        cell.names["go"].set()
        run.wait(60)

    follow_logs(cell.session.history(), None, run.run_id, told.append, pause)
    assert told == ["slow │ before\n", "pause", "slow │ after\n"]


# -- SQL


def test_sql_gives_frames(ran) -> None:
    frame = ran("%cloaca_sql -o fr SELECT task_id, outcome FROM task_summary ORDER BY task_id").value
    assert frame is ran.names["fr"]
    assert frame.to_dict("list") == {"task_id": ["answer", "talk"], "outcome": ["Completed"] * 2}
    assert ran("%%cloaca_sql --output=other\n-- how many\nSELECT {'n': count(*)} AS a\nFROM runs").value["a"][0] == {
        "n": 1
    }
    assert "other" in ran.names
    assert ran("n = %cloaca_sql FROM runs").error is None
    assert len(ran.names["n"]) == 1

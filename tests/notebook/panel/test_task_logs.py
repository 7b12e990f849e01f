"""The last lines of each task."""

from hypothesis import given, strategies as st

from cloaca_nb.core.events import OutputWritten
from cloaca_nb.notebook.panel.task_logs import ALL_TASKS, LONGEST, ONE_TASK, LoggedLine, TaskLogs


def wrote(text, task_id="t", attempt=1, stream="stdout"):
    return OutputWritten(0.0, "r", task_id, attempt, stream, text)


def texts(logs, task_id="t", number=0):
    return [line.text for line in logs.since(task_id, number)[1]]


def test_lines_have_their_attempt_and_stream_and_no_colours():
    logs = TaskLogs(1)
    logs.observe(wrote("one\n\x1b[31mtwo\x1b[0m\n", attempt=2, stream="stderr"))
    assert logs.since("t", 0) == (0, [LoggedLine(2, "stderr", "one"), LoggedLine(2, "stderr", "two")])
    assert logs.since("t", 1) == (1, [LoggedLine(2, "stderr", "two")])
    assert logs.since("t", 9) == (2, [])
    assert logs.count("t") == 2


def test_of_a_task_that_wrote_nothing_there_is_nothing():
    assert TaskLogs(1).since("t", 3) == (0, ())
    assert TaskLogs(1).count("t") == 0


def test_the_oldest_lines_go_and_are_counted_still():
    logs = TaskLogs(ALL_TASKS)
    for number in range(10_000):
        logs.observe(wrote(f"line {number}\n"))
    first, lines = logs.since("t", 0)
    assert first == 10_000 - len(lines) == logs.count("t") - len(lines)
    assert lines[-1].text == "line 9999"
    assert sum(len(line.text) + 1 for line in lines) <= ONE_TASK[0]


def test_a_line_without_end_is_cut_and_says_so():
    logs = TaskLogs(1)
    logs.observe(wrote("x" * 5_000_000))
    (text,) = texts(logs)
    assert text == "x" * LONGEST + "… (line of 5,000,000 characters)"


@given(st.lists(st.text(alphabet="ab\n", max_size=30)), st.integers(0, 20))
def test_what_is_told_in_pieces_is_the_whole(pieces, step):
    logs, told, known = TaskLogs(1), [], 0
    for number, piece in enumerate(pieces):
        logs.observe(wrote(piece))
        if number % (step + 1) == 0:
            told += texts(logs, number=known)
            known = logs.count("t")
    assert told + texts(logs, number=known) == texts(logs)

"""What is shown of tasks' output: whole lines, up to a budget, and a word on the rest."""

import contextlib
import io
import sys
import threading
from contextvars import ContextVar, copy_context
from types import ModuleType

import pytest

from cloaca_nb.core.events import OutputWritten, RunFinished, TaskFinished
from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.names import Keys
from cloaca_nb.core.status import Outcome
from cloaca_nb.core.task import Task
from cloaca_nb.engine.echo import MOST_TOLD, PER_TASK, Echo
from cloaca_nb.runner import DefaultRunner


class Screen(io.StringIO):
    """A stream that people look at, as a kernel's."""


class Terminal(io.TextIOWrapper):
    def isatty(self):
        return True


@pytest.fixture
def screens(monkeypatch):
    """Puts screens in the place of stdout and stderr; a fixture could not: pytest puts its own after that."""

    def put():
        made = Screen(), Screen()
        monkeypatch.setattr(sys, "stdout", made[0])
        monkeypatch.setattr(sys, "stderr", made[1])
        return made

    return put


def wrote(text, task="t", stream="stdout", run="r"):
    return OutputWritten(0.0, run, task, 1, stream, text)


def finished(task="t", run="r"):
    return TaskFinished(0.0, run, task, 1, Outcome.COMPLETED, {}, None, "")


CASES = [  # of a task with 10 characters to spend: what it writes, what is shown, how much is held back
    ("all within", ["one\n", "two\n"], "one\ntwo\n", None),
    ("exactly all", ["123456789\n"], "123456789\n", None),
    ("a line too many", ["one\n", "two\n", "three\n"], "one\ntwo\n", "6 characters more, in 1 line "),
    ("lines of one text", ["one\ntwo\nthree\nfour\n"], "one\ntwo\n", "11 characters more, in 2 lines "),
    ("nothing after a gap", ["one\n", "two and more\n", "x\n"], "one\n", "15 characters more, in 2 lines "),
    ("one line that is too long", ["x" * 3000], "x" * 10 + "\n", "3.0 kB more, in 1 line "),
    ("very much", ["one\n" + "x" * 79 + "\n" + ("x" * 79 + "\n") * 30_000], "one\n", "2.4 MB more, in 30,001 lines "),
]


@pytest.mark.parametrize(("what", "texts", "shown", "held"), CASES, ids=[case[0] for case in CASES])
def test_of_a_task_is_shown(what, texts, shown, held, screens):
    streams = screens()
    echo = Echo(per_task=10)
    for text in texts:
        echo.observe(wrote(text))
    echo.observe(finished())
    out, err = (screen.getvalue() for screen in streams)
    assert out == shown, what
    assert err.count("\n") == (held is not None)
    if held is not None:
        assert f"Task 't' printed {held}" in err
        assert "runner.history().logs('t', run='r')" in err


def test_each_task_of_each_run_has_its_own_budget(screens):
    streams = screens()
    echo = Echo(per_task=4)
    for run in ("r", "s"):
        for task in ("a", "b"):
            echo.observe(wrote("123\n", task, run=run))
            echo.observe(finished(task, run))
    assert streams[0].getvalue() == "123\n" * 4
    assert streams[1].getvalue() == ""
    assert not any(shown.tasks for shown in echo._runs.values())


def test_both_streams_share_it(screens):
    streams = screens()
    echo = Echo(per_task=8)
    echo.observe(wrote("out\n"))
    echo.observe(wrote("err\n", stream="stderr"))
    echo.observe(wrote("more\n", stream="stderr"))
    assert [screen.getvalue() for screen in streams] == ["out\n", "err\n"]


def test_the_word_on_the_rest_goes_where_the_output_went(monkeypatch):
    cell = ContextVar("cell", default="another cell")
    written = []

    class Kernel(Screen):
        def write(self, text):
            written.append((cell.get(), text))

    monkeypatch.setattr(sys, "stderr", Kernel())
    echo = Echo(per_task=4)

    def runs():
        cell.set("the cell")
        echo.observe(wrote("123\n456\n", stream="stderr"))

    copy_context().run(runs)
    echo.observe(finished())
    assert [where for where, _ in written] == ["the cell"] * 2


def test_a_file_or_pipe_gets_everything(monkeypatch):
    pipe = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(pipe, encoding="utf-8", write_through=True))
    echo = Echo(per_task=10)
    echo.observe(wrote("a long line\n" * 100))
    assert pipe.getvalue() == b"a long line\n" * 100


def test_a_terminal_is_a_screen(monkeypatch):
    screen = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", Terminal(screen, encoding="ascii"))
    echo = Echo(per_task=10)
    echo.observe(wrote("no end"))
    assert screen.getvalue() == b"no end"  # at once
    echo.observe(wrote("a long line\n"))
    assert screen.getvalue() == b"no end"


def test_what_the_screen_cannot_show_is_spelled(monkeypatch):
    shown = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(shown, encoding="ascii", write_through=True))
    Echo().observe(wrote("ü \udc80\n"))
    assert shown.getvalue() == b"\\xfc \\udc80\n"


def test_where_there_is_no_stream_nothing_is_shown(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    Echo().observe(wrote("text\n"))


def test_displays_are_shown_by_other_means(screens):
    streams = screens()
    Echo().observe(wrote("<Figure>\n", stream="display"))
    assert streams[0].getvalue() == streams[1].getvalue() == ""


def prints(task, lines, width):
    def body(_context):
        for number in range(lines):
            print(f"{task} {number} ".ljust(width, "."))

    return Task(task, body, (), keys=Keys())


def lines_by_task(text, tasks):
    found = {task: [] for task in tasks}
    for line in text.splitlines():
        task, number, _ = line.split(" ", 2)
        found[task].append(int(number))
    return found


def test_eight_tasks_print_a_thousand_lines_each_at_once(screens):
    streams = screens()
    names = [f"t{number}" for number in range(8)]
    width = 99  # so that each has 100 kB
    with DefaultRunner(":memory:", echo_output=Echo(per_run=8 * PER_TASK).observe) as runner:
        result = runner.execute(Workflow("w", [prints(name, 1000, width) for name in names]))
        logs = {name: "".join(runner.history().logs(name)["text"]) for name in names}
    assert result.status == "Completed"
    for name in names:
        assert lines_by_task(logs[name], [name]) == {name: list(range(1000))}
    shown = lines_by_task(streams[0].getvalue(), names)
    fitting = PER_TASK // (width + 1)
    assert shown == {name: list(range(fitting)) for name in names}
    assert streams[1].getvalue().count(f"{1000 - fitting} lines that are not shown here") == MOST_TOLD
    assert f"{8 - MOST_TOLD} other tasks printed" in streams[1].getvalue()


def test_a_run_has_a_budget_too_and_says_once_what_it_held_back(screens):
    out, err = screens()
    echo = Echo(per_task=100, per_run=250, where=lambda task_id, _: f"see {task_id}")
    names = [f"t{number}" for number in range(10)]
    for name in names:
        for number in range(20):
            echo.observe(wrote(f"{name} line {number:3}\n", name))
    for name in names:
        echo.observe(TaskFinished(0.0, "r", name, 1, Outcome.COMPLETED, {}, None, ""))
    echo.observe(RunFinished(0.0, "r", "Completed", {}, ""))
    assert 200 < len(out.getvalue()) <= 250
    told = err.getvalue().splitlines()
    assert [line.split(" printed")[0] for line in told] == ["Task 't0'", "Task 't1'", "Task 't2'", "7 other tasks"]
    assert told[3].endswith("The whole is in history: see t3")
    assert sum(int(line.split(" in ")[1].split(" ")[0]) for line in told) + out.getvalue().count("\n") == 200


REDIRECTED = ["redirect_stdout", "another redirection, which ends after the run"]


@pytest.mark.parametrize("how", REDIRECTED)
def test_who_redirects_a_stream_meanwhile_takes_no_line_of_a_task(screens, how):
    out, _ = screens()
    begun, redirected, go = (threading.Event() for _ in range(3))

    def body(_context):
        print("before")
        begun.set()
        redirected.wait(20)
        print("meanwhile")
        go.set()

    own = io.StringIO()
    with DefaultRunner(":memory:") as runner:
        run = runner.start(Workflow("w", [Task("t", body, ())]))
        begun.wait(20)
        with contextlib.redirect_stdout(own):
            print("mine")
            redirected.set()
            go.wait(20)
            if how != REDIRECTED[0]:
                run.wait()
        run.wait()
        assert "".join(runner.history().logs("t")["text"]) == "before\nmeanwhile\n"
    assert own.getvalue() == "mine\n"
    assert out.getvalue() == "before\nmeanwhile\n"
    assert type(sys) is ModuleType

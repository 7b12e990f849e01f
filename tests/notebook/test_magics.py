"""The magics in a real IPython shell, as a user meets them."""

import inspect
import re
import subprocess
import sys

import pandas as pd
import pytest
from IPython.core.error import UsageError

from cloaca_nb.errors import CellError, CloacaError, HistoryError
from cloaca_nb.history.views import VIEWS
from cloaca_nb.notebook.failure import RunFailed
from cloaca_nb.notebook.grammar import GRAMMARS

LOAD = "%%cloaca_task load\nnumbers = [1, 2, 3]"
TWICE = "%%cloaca_task twice\ndoubled = [2 * number for number in numbers]"
TOTAL = "%%cloaca_task total\ntotal = sum(doubled)"


def final(ran):
    assert ran.error is None, ran.out
    return dict(ran.value.final_context)


# -- defining


def test_a_task_cell_answers_with_what_it_reads_sets_and_carries(cell):
    cell("FACTOR = 3\ndef scaled(number):\n    return FACTOR * number")
    assert cell(LOAD).shown == ["load  ·  sets numbers"]
    ran = cell("%%cloaca_task scale --after load\nlarge = [scaled(number) + FACTOR for number in numbers]")
    assert ran.shown == ["scale  ·  reads numbers ← load  ·  sets large  ·  after load  ·  carries scaled, FACTOR"]
    assert "<code" in ran.html[0]
    assert ran.value is None


def test_reads_and_sets_make_the_dag(cell):
    for text in (TOTAL, TWICE, LOAD):  # a later cell may set what an earlier one reads
        cell(text)
    assert cell("%cloaca_dag").value.inferred_dependencies == {"total": ("twice",), "twice": ("load",)}
    assert final(cell("%cloaca_run")) == {"numbers": [1, 2, 3], "doubled": [2, 4, 6], "total": 12}


def test_running_a_task_cell_again_replaces_the_task_in_its_place(cell):
    for number, text in enumerate((LOAD, TWICE, TOTAL)):
        cell(text, f"c{number}")
    cell("%%cloaca_task load\nnumbers = [5]", "c0")
    assert cell.session.use_workflow().ids() == ["load", "twice", "total"]
    assert final(cell("%cloaca_run"))["total"] == 10


def test_renaming_a_task_cell_removes_the_old_task(cell):
    cell(LOAD, "a")
    cell(TWICE, "b")
    ran = cell(LOAD.replace("load", "fetch"), "a")
    assert ran.shown[-1] == "load  ·  is gone: its cell no longer defines it"
    assert ran.err == ""  # which front ends paint red
    assert cell.session.use_workflow().ids() == ["twice", "fetch"]
    assert final(cell("%cloaca_run"))["doubled"] == [2, 4, 6]


def test_without_cell_ids_nothing_is_guessed(cell):
    cell(LOAD)
    assert cell(LOAD.replace("load", "fetch")).err == ""
    assert cell.session.use_workflow().ids() == ["load", "fetch"]


def test_a_cell_that_fails_removes_nothing_and_is_still_known(cell):
    cell("@cloaca.task()\ndef first(context): ...\n@cloaca.task()\ndef second(context): ...", "a")
    cell("@cloaca.task()\ndef first(context): ...\n1 / 0", "a")
    assert cell.session.use_workflow().ids() == ["first", "second"]
    ran = cell("@cloaca.task()\ndef first(context): ...", "a")
    assert ran.shown == ["second  ·  is gone: its cell no longer defines it"]


def test_a_task_that_another_cell_defines_by_now_stays(cell):
    cell(LOAD, "a")
    cell(LOAD, "b")
    assert cell(TWICE, "a").err == ""
    assert cell.session.use_workflow().ids() == ["load", "twice"]


def test_a_task_is_removed_by_name(cell):
    cell(LOAD)
    cell(TWICE)
    assert cell("%cloaca_workflow --remove twice").out == "workflow notebook: load\n"
    assert cell("%cloaca_workflow --remove load").out == "workflow notebook: no task yet; task cells below join it\n"


@pytest.mark.parametrize(
    ("before", "text", "note"),
    [
        ("", "%%cloaca_task late --after nobody\nx = 1", "after nobody (not defined yet)"),
        ("", "%%cloaca_task lost\nx = misspelt", "! not known yet: misspelt. Define it in a cell"),
        ("", "%%cloaca_task asks --in absent\nx = absent", "! not in the context yet: absent (--in). Assign it"),
        ("numbers = [9]", TWICE, "! from the context, though the notebook has one of its own: numbers."),
        ("%%cloaca_task a --after b\nx = 1", "%%cloaca_task b --after a\ny = 1", "! Circular dependency in workflow"),
        ("count = 0", "%%cloaca_task counts\ncount += 1", "so it would be two things. Assign to another name"),
        ("", "%%cloaca_task a --out gone\nx = 1", "--out gone: the cell never assigns `gone`."),
        ("", "%%cloaca_task a --in numbers? --after load\nx = numbers or 1", "reads numbers? ← load  ·  sets x"),
        ("", "%%cloaca_task a\nx = context['numbers']", "reads numbers ← load"),
        ("", "%%cloaca_task a\nnumbers.append(4)", "! line 2: `numbers.append(…)` changes this task's own numbers"),
        (
            "",
            "%%cloaca_task a\nhandle.progress(1)",
            "! `handle` is not there in a task cell: a handle needs the decorator",
        ),
    ],
    ids=lambda one: one.splitlines()[0][:30] if one else "-",
)
def test_the_answer_says_what_is_not_settled_yet(cell, before, text, note):
    cell(LOAD)
    if before:
        cell(before)
    ran = cell(text)
    assert ran.error is None
    assert note in ran.shown[0]


def test_what_is_wrong_elsewhere_does_not_hide_what_a_cell_does(cell):
    cell(LOAD)
    cell("%%cloaca_task broken --out gone --after nobody\nx = 1")
    assert cell(TWICE).shown == ["twice  ·  reads numbers ← load  ·  sets doubled"]


def test_one_broken_task_hides_no_other_one(cell):
    cell(LOAD)
    cell("%%cloaca_task broken\nk = limit\nlimit = 2")
    shown = cell("%cloaca_show load")
    assert shown.shown[0].startswith('@cloaca.task(id="load", dependencies=[])')
    assert "Task 'broken'" in shown.err
    assert "%cloaca_workflow --remove TASK" in shown.err
    drawn = cell("%cloaca_dag")
    assert list(drawn.value.by_id) == ["load"]
    assert "Task 'broken'" in drawn.err
    assert "Task 'broken'" in str(cell("%cloaca_show broken").error)
    assert "Did you mean 'load'?" in str(cell("%cloaca_show laod").error)


@pytest.mark.parametrize(
    "text", ["%%cloaca_task lonely\nk = heights", "%%cloaca_task lonely --in heights\nk = heights"]
)
def test_a_task_whose_cell_is_gone_can_be_taken_out_as_is_said(cell, text):
    cell(LOAD)
    cell(text)
    said = str(cell("%cloaca_run").error)
    assert said.endswith("Or take the task out: %cloaca_workflow --remove lonely")
    assert said in cell("%cloaca_dag").err
    cell("%cloaca_workflow other")
    cell("%%cloaca_task one\nx = 1")
    said = str(cell("%cloaca_run notebook").error)
    assert said.endswith("Or take the task out: %cloaca_workflow notebook --remove lonely")
    cell(said.rpartition(": ")[2])
    assert final(cell("%cloaca_run notebook")) == {"numbers": [1, 2, 3]}


CIRCLE = "a -> b -> c -> a go in a circle (x, y, w)"


def test_a_circle_is_told_before_anything_runs(cell):
    cell("%%cloaca_task a\nx = w")
    assert CIRCLE not in cell("%%cloaca_task b\ny = x + 1").shown[0]
    assert CIRCLE in cell("%%cloaca_task c\nprint('never')\nw = y").shown[0]
    assert "circle" not in cell("%%cloaca_task beside\nz = 1").shown[0]
    assert CIRCLE in cell("%cloaca_dag").err
    run = cell("%cloaca_run")
    assert str(run.error).startswith(CIRCLE)
    assert "never" not in run.out
    assert CIRCLE in str(cell("%cloaca_export out").error)
    assert cell("%%cloaca_task beside --try\nz = 2").error is None
    cell("%%cloaca_params\nw = 1")  # as is advised
    assert CIRCLE not in cell("%%cloaca_task c\nw = y").shown[0]
    assert final(cell("%cloaca_run"))["w"] == 2


def test_a_key_that_a_circle_may_do_without_is_told_and_not_refused(cell):
    cell("%%cloaca_task total --after step\ncount = step_size")
    cell("%%cloaca_task step\ntry:\n    step_size = context['count']\nexcept KeyError:\n    step_size = 1")
    run = cell("%cloaca_run")
    assert "total -> step -> total go in a circle (count, step_size)" in run.err
    assert final(run) == {"step_size": 1, "count": 1}


def test_a_pulled_value_is_no_second_source(cell):
    cell(LOAD)
    cell("%cloaca_run")
    cell("%cloaca_pull numbers")
    assert cell.names["numbers"] == [1, 2, 3]
    assert cell(TWICE).shown == ["twice  ·  reads numbers ← load  ·  sets doubled"]


# -- what is refused

WRONG = [
    # name, cells before, cell, what the message must say
    ("no name", [], "%%cloaca_task\nx = 1", ["needs the task's name", "%%cloaca_task NAME"]),
    ("no python name", [], "%%cloaca_task two-words\nx = 1", ["'two-words'", "Try `%%cloaca_task two_words`"]),
    ("two names", [], "%%cloaca_task a b\nx = 1", ["'b' is one word too many", "--after x,y"]),
    ("unknown option", [], "%%cloaca_task a --tmeout 3\nx = 1", ["--tmeout", "Did you mean '--timeout'?"]),
    ("words of a name", [], "%%cloaca_task my task --timeout 3\nx = 1", ["Did you mean `%%cloaca_task my_task`?"]),
    ("retries", [], "%%cloaca_task a --retries 2\nx = 1", ["--retries", "Did you mean '--retry-attempts'?"]),
    ("retries below", [], "%%cloaca_task a\n#| retries: 2\nx = 1", ["retries", "Did you mean '--retry-attempts'?"]),
    ("unknown option line", [], "%%cloaca_task a\n#| tmeout: 3\nx = 1", ["tmeout", "Did you mean 'timeout'?"]),
    ("option line", [], "%%cloaca_task a\n#| timeout 3\nx = 1", ["Cell line 2", "#| timeout: 30"]),
    ("option twice", [], "%%cloaca_task a --timeout 3 --timeout 4\nx = 1", ["--timeout is given 2 times"]),
    ("bad timeout", [], "%%cloaca_task a --timeout soon\nx = 1", ["'soon'", "give one, like 30 or 0.5"]),
    ("bad word", [], "%%cloaca_task a --retry-backoff linar\nx = 1", ["'linar'", "Did you mean 'linear'?"]),
    ("retry twice", [], "%%cloaca_task a --retry p --retry-attempts 1\nx = 1", ["--retry-attempts", "not both"]),
    ("unknown callback", ["def notify(*_): ..."], "%%cloaca_task a --on-failure notfy\nx = 1",
     ["'notfy'", "Did you mean 'notify'?", "Define it in a cell above"]),
    ("callback in nothing", ["import math"], "%%cloaca_task a --on-failure math.tell\nx = 1", ["no 'tell' in it"]),
    ("callback no function", ["tell = 3"], "%%cloaca_task a --on-success tell\nx = 1",
     ["on_success is 3", "(task_id, context)"]),
    ("retry no policy", ["often = 3"], "%%cloaca_task a --retry often\nx = 1", ["retry is 3", "RetryPolicy("]),
    ("bad rule", [], "%%cloaca_task a --trigger-rules 'task_faild(\"b\")'\nx = 1", ["task_faild", "task_failed"]),
    ("executor", [], "%%cloaca_task a --executor proces\nx = 1", ["names 'proces'", "Did you mean 'process'?"]),
    ("no executor", ["pool = 4"], "%%cloaca_task a --executor pool\nx = 1", ["executor is 4", "concurrent.futures.Ex"]),
    ("dependencies", [], "%%cloaca_task a --dependencies b\nx = 1", ["--dependencies", "--after x,y adds tasks"]),
    ("params option", [], "%%cloaca_params --secrt a\na = 1", ["--secrt", "Did you mean '--secret'?"]),
    ("params quote", [], "%%cloaca_params --secret 'a\na = 1", ["each quote needs its other one"]),
    ("params no value", [], "%%cloaca_params --secret\na = 1", ["write --secret a,b"]),
    ("test option", [], "%%cloaca_test t --fast\nassert 1", ["unknown option --fast", "the test's name and nothing"]),
    ("test word", [], "%%cloaca_test a b\nassert 1", ["'b' is one word too many", "the test's name and nothing else"]),
    ("test name", [], "%%cloaca_test 3b\nassert 1", ["'3b'", "%%cloaca_test totals"]),
    ("try", ["%%cloaca_task b\ny = 1"], "%%cloaca_task a --try\nx = y", ["reads 'y'", "'b' sets it", "Try 'b' first"]),
    ("debug", [], "%%cloaca_task a --debug\nx = 1", ["--debug", "%%cloaca_task a --try --debug"]),
    ("syntax", [], "%%cloaca_task a\nx = (1", ["Cell line 2", "was never closed", "x = (1"]),
    ("shell line", [], "%%cloaca_task a\n!ls", ["Cell line 2", "a line for IPython", "subprocess.run"]),
    ("return", [], "%%cloaca_task a\nreturn 5", ["Cell line 2", "`result = 5`"]),
    ("global", [], "%%cloaca_task a\nglobal x\nx = 1", ["Cell line 2", "`global x`", "Leave it out"]),
    ("star import", [], "%%cloaca_task a\nfrom math import *", ["Cell line 2", "Import them by name"]),
    ("empty", [], "%%cloaca_task a\n", ["cell body is empty"]),
    ("params behind", [], "%%cloaca_params year\nyear = 1", ["'year' is one word too many", "--secret a,b"]),
    ("params loop", [], "%%cloaca_params\nfor x in []:\n    pass", ["Cell line 2", "`year = 2013`", "cell of its own"]),
    ("circle", ["%%cloaca_task a --after b\nx = 1", "%%cloaca_task b --after a\ny = 1"], "%cloaca_run",
     ["Circular dependency", "a -> b -> a", "Take one"]),
    ("missing dependency", [LOAD, "%%cloaca_task a --after laod\nx = 1"], "%cloaca_run",
     ["Missing dependency", "'a' (Cell In[", "'laod'", "Did you mean 'load'?"]),
    ("name that nobody has", ["limit = 3", "%%cloaca_task a\n\nx = 1\ny = limt"], "%cloaca_run",
     ["Task 'a' (Cell In[3], line 4) reads 'limt'", "no task sets", "Did you mean 'limit'?", "%%cloaca_params"]),
    ("handle", ["%%cloaca_task a\nhandle.progress(1, 2)"], "%cloaca_run",
     ["Task 'a' (Cell In[2], line 2) reads 'handle'", "`@cloaca.task()` above `def a(context, handle):`"]),
    ("rule not called", [], "%%cloaca_task a --trigger-rules always\nx = 1", ["'always'", "call it, always()"]),
    ("name that a task keeps", ["%%cloaca_task a\nimport math\nx = 1", "%%cloaca_task b\ny = math.pi"], "%cloaca_run",
     ["reads 'math'", "task 'a' keeps to itself", "Define it in a plain cell"]),
    ("input that nobody sets", ["%%cloaca_task a --in rows\nx = rows"], "%cloaca_run",
     ["Task 'a' (Cell In[2])", "'rows'", "no task puts it"]),
    ("two later setters", ["%%cloaca_task a\ny = x", "%%cloaca_task b\nx = 1", "%%cloaca_task c\nx = 2"], "%cloaca_run",
     ["'a' (Cell In[2])", "several later tasks", "'b', 'c'"]),
    ("nothing to run", [], "%cloaca_run", ["no workflow yet", "%%cloaca_task NAME"]),
    ("unknown workflow", [LOAD], "%cloaca_run notbook", ["No workflow 'notbook'", "Did you mean 'notebook'?"]),
    ("unknown run option", [LOAD], "%cloaca_run --parm x=1", ["--parm", "Did you mean '--param'?", "usage:"]),
    ("too many words", [LOAD], "%cloaca_run notebook now", ["'now' is one word too many"]),
    ("open quote", [LOAD], "%cloaca_run 'notebook", ["' without its other one"]),
    ("no parameters", [LOAD], "%cloaca_run --param year=1", ["No parameter 'year'", "%%cloaca_params defines them"]),
    ("unknown parameter", ["%%cloaca_params\nyear = 1", LOAD], "%cloaca_run --param yaer=1",
     ["'yaer'", "Did you mean 'year'?", "Parameters: year."]),
    ("parameter without value", [LOAD], "%cloaca_run --param year", ["NAME=VALUE", "'year'"]),
    ("wrong type", ["%%cloaca_params\nyear = 1", LOAD], "%cloaca_run --param year=soon",
     ["'year' is of type int, like 1", "'soon'"]),
    ("parameter twice", ["%%cloaca_params\nyear = 1", LOAD], "%cloaca_run --param year=2 --param year=3",
     ["given twice", "'2'", "'3'"]),
    ("magic below a comment", [], "# loads\n%%cloaca_task load\nx = 1", ["must be its cell's first line", "below it"]),
    ("magic misspelt", [], "%cloaca_rum", ["Did you mean 'cloaca_run'?"]),
    ("cell magic misspelt", [], "%%cloaca_tsk load\nx = 1", ["Did you mean 'cloaca_task'?"]),
    ("a magic alone", [], "%%cloaca_task", ["name is missing as well: %%cloaca_task NAME", "below that line"]),
    ("nothing below a magic", [], "%%cloaca_task load", ["cell body is empty", "below that line, in the same cell"]),
    ("number for --retry", [], "%%cloaca_task a --retry 3\nx = 1", ["'3' is no name", "--retry-attempts"]),
    ("test without name", [], "%%cloaca_test\nassert True", ["%%cloaca_test NAME"]),
    ("history of a wrong run", [LOAD, "%cloaca_run"], "%cloaca_history zzz", ["no run 'zzz'", "lists them"]),
    ("unknown task shown", [LOAD], "%cloaca_show laod", ["no task 'laod'", "Did you mean 'load'?"]),
    ("unknown task removed", [LOAD], "%cloaca_workflow --remove laod", ["no task 'laod'", "Did you mean 'load'?"]),
    ("nothing to show", [LOAD], "%cloaca_show", ["it needs TASK", "usage: %cloaca_show"]),
    ("pull before run", [LOAD], "%cloaca_pull numbers", ["yet in this kernel", "%cloaca_run --resume"]),
    ("pull unknown", [LOAD, "%cloaca_run"], "%cloaca_pull numbres", ["'numbres'", "Did you mean 'numbers'?"]),
    ("unknown run", [LOAD, "%cloaca_run"], "%cloaca_history nope", ["no run 'nope'"]),
    ("bad number", [], "%cloaca_history --runs few", ["--runs", "'few'"]),
    ("export nothing", [LOAD], "%cloaca_export", ["it needs FOLDER"]),
    ("unknown background", [LOAD], "%cloaca_run --backgroud", ["--backgroud", "Did you mean '--background'?"]),
    ("background of nothing", [], "%cloaca_run --background", ["no workflow yet", "%%cloaca_task NAME"]),
    ("output without name", [LOAD], "%cloaca_run -o", ["-o/--output needs a value behind it"]),
    ("unknown dag", [LOAD], "%cloaca_dag notbook", ["No workflow 'notbook'", "Did you mean 'notebook'?"]),
    ("dag option", [LOAD], "%cloaca_dag --live", ["unknown option --live", "usage: %cloaca_dag [WORKFLOW]"]),
    ("show of another", [LOAD], "%cloaca_show load elsewhere", ["No workflow 'elsewhere'", "'notebook'"]),
    ("logs before run", [LOAD], "%cloaca_logs", ["has no run yet"]),
    ("logs of unknown task", [LOAD, "%cloaca_run"], "%cloaca_logs laod", ["no task 'laod'", "Did you mean 'load'?"]),
    ("logs of unknown run", [LOAD, "%cloaca_run"], "%cloaca_logs --run nope", ["no run 'nope'"]),
    ("logs option", [LOAD], "%cloaca_logs --line 3", ["--line", "Did you mean '--lines'?"]),
    ("logs bad number", [LOAD], "%cloaca_logs --lines few", ["--lines", "'few'"]),
    ("follow unknown run", [LOAD, "%cloaca_run"], "%cloaca_logs -f --run nope", ["no run 'nope'"]),
    ("sql empty", [], "%cloaca_sql", ["there is no query", "SELECT * FROM run_summary"]),
    ("sql option", [], "%cloaca_sql --ouput x SELECT 1", ["--ouput", "Did you mean '--output'?"]),
    ("sql writes", [], "%cloaca_sql DELETE FROM runs", ["one SELECT at a time", "written by runs only"]),
    ("sql twice", [], "%%cloaca_sql\nSELECT 1;\nSELECT 2", ["one SELECT at a time"]),
    ("sql unknown table", [], "%cloaca_sql SELECT * FROM run_sumary", ["run_sumary", "run_summary"]),
    ("cancel nothing", [], "%cloaca_cancel", ["No background run goes on", "%cloaca_run --background"]),
    ("cancel option", [], "%cloaca_cancel --al", ["--al", "Did you mean '--all'?"]),
    ("workflow option", [], "%cloaca_workflow --remov a", ["--remov", "Did you mean '--remove'?"]),
    ("export option", [LOAD], "%cloaca_export out --nam x", ["--nam", "Did you mean '--name'?"]),
    ("export engine", [LOAD], "%cloaca_export out --import-name cloacae", ["--import-name", "'cloacae'", "cloaca_nb"]),
    ("export name", [LOAD], "%cloaca_export out --name my-flow", ["'my-flow'", "letters, digits and _"]),
    ("pull nothing", [LOAD], "%cloaca_pull", ["it needs KEY"]),
    ("history option", [], "%cloaca_history --run 3", ["--run", "Did you mean '--runs'?"]),
    ("no such attempts", [], "%%cloaca_task a --retry-attempts -1\nx = 1", ["--retry-attempts", "'-1' is no whole"]),
    ("bad jitter", [], "%%cloaca_task a --retry-jitter maybe\nx = 1", ["'maybe'", "neither true nor false"]),
    ("bad condition", [], "%%cloaca_task a\n#| retry-condition: often\nx = 1", ["'often'", "never, transient, all"]),
    ("no name in --in", [], "%%cloaca_task a --in 3x\nx = 1", ["'3x'", "list names like a,b"]),
    ("question in --out", [], "%%cloaca_task a --out x?\nx = 1", ["'x?'", "only --in knows"]),
    ("decorator bare", [], "@cloaca.task\ndef a(context): ...", ["Cell In[2], line 1", "@task needs parentheses"]),
    ("decorator executor", [], "@cloaca.task(executor='proces')\ndef a(context): ...", ["Did you mean 'process'?"]),
    ("builder", [], "with cloaca.WorkflowBuilder('w'):\n    pass", ["Cell In[2], line 1", "cannot be empty"]),
]  # fmt: skip


@pytest.mark.parametrize(("before", "text", "says"), [one[1:] for one in WRONG], ids=[one[0] for one in WRONG])
def test_what_is_wrong_is_said_with_its_fix_and_without_our_frames(cell, before, text, says):
    for one in before:
        assert cell(one).error is None
    ran = cell(text)
    assert ran.error is not None
    said = ran.out + ran.err
    for part in says:
        assert part in said
    assert "cloaca_nb/" not in said
    assert "site-packages" not in said
    assert len(said.splitlines()) <= 6


def test_the_users_own_error_in_a_parameters_cell_shows_its_line(cell):
    ran = cell("%%cloaca_params\nyear = 1\nhalf = year / 0")
    assert ran.out == (
        "Traceback (most recent call last):\n  Cell In[2], line 3, in <module>\n    half = year / 0\n"
        "ZeroDivisionError: division by zero\n"
    )


# -- running


def test_a_failing_cell_fails_the_run_skips_what_follows_and_spares_the_rest(cell):
    cell("def half(number):\n    return number / 0")
    cell(LOAD)
    cell("%%cloaca_task bad\nworse = [\n    half(number)\n    for number in numbers\n]")
    cell("%%cloaca_task after\nworst = max(worse)")
    cell(TWICE)
    ran = cell("%cloaca_run -o result")
    assert isinstance(ran.error, RunFailed)
    assert isinstance(ran.error, CloacaError)
    assert "  Cell In[4], line 3, in" in ran.out
    assert "    half(number)" in ran.out
    assert "  Cell In[2], line 2, in half\n    return number / 0\n" in ran.out
    assert "cloaca_nb/" not in ran.out
    assert ran.out.startswith("Task 'bad' failed.\nTraceback")
    assert ran.out.endswith(
        "\nZeroDivisionError: division by zero\n\nWhen it is mended, %cloaca_run --resume goes on from here.\n"
    )
    assert ran.out.count("division by zero") == 1
    assert str(ran.error) == "Task 'bad' failed: ZeroDivisionError: division by zero (Cell In[2], line 2, in half)."
    result = cell.names["result"]
    assert result.status == "Failed"
    rows = result.tasks.set_index("task_id")
    assert rows["outcome"].to_dict() == {
        "load": "Completed", "bad": "Failed", "after": "Skipped", "twice": "Completed"
    }  # fmt: skip
    assert rows["reason"]["after"] == "because bad failed"
    assert result.final_context["doubled"] == [2, 4, 6]


def test_a_traceback_names_the_cell_that_was_executed_last(cell):
    helper = "def half(number):\n    return number / 0"
    cell(helper)
    cell(helper)
    decorated = "@cloaca.task()\ndef bad(context):\n    half(1)"
    cell(decorated)
    cell(decorated)
    assert cell.session.workflow()["bad"].where == "Cell In[5]"
    said = cell("%cloaca_run").out
    assert "Cell In[5], line 3, in bad" in said
    assert "Cell In[3], line 2, in half" in said


def test_what_tasks_print_stands_under_the_cell_that_ran_them(cell):
    cell("%%cloaca_task talk\nprint('hello')\nx = 1")
    assert cell("%cloaca_run --no-panel").out.startswith("hello\n")


def test_the_result_is_returned_and_bound(cell):
    cell(LOAD)
    ran = cell("%cloaca_run -o result")
    assert ran.value is cell.names["result"]
    assert ran.value is cell.names["_"]
    assert repr(ran.value) == "WorkflowResult(status=Completed, error=None)"


def test_parameters_are_bound_typed_and_derived(cell):
    ran = cell("%%cloaca_params\nyear = 2013\nlabel = f'flights of {year}'\nrates = [0.5]")
    assert ran.shown == ["parameters  ·  year = 2013  ·  label = 'flights of 2013'  ·  rates = [0.5]"]
    assert cell.names["label"] == "flights of 2013"
    ran = cell("%%cloaca_task note\nnote = (label, year, rates)")
    assert ran.shown == ["note  ·  reads label (parameter), year (parameter), rates (parameter)  ·  sets note"]
    assert final(cell("%cloaca_run"))["note"] == ("flights of 2013", 2013, [0.5])
    assert final(cell("%cloaca_run --param year=2014 --param rates=[1, 2]"))["note"] == (
        "flights of 2014",
        2014,
        [1, 2],
    )
    assert final(cell("%cloaca_run --param year=1 --param label='a b'"))["note"] == ("a b", 1, [0.5])
    assert final(cell("%cloaca_run"))["note"] == ("flights of 2013", 2013, [0.5])
    assert cell.names["year"] == 2013


def test_a_value_that_the_notebook_gives_a_parameter_counts(cell):
    cell("%%cloaca_params\nyear = 2013\nlabel = f'flights of {year}'")
    cell("%%cloaca_task note\nnote = label")
    cell("year = 2020")  # by hand, or injected by papermill
    assert final(cell("%cloaca_run"))["note"] == "flights of 2020"
    cell("label = 'mine'")
    assert final(cell("%cloaca_run"))["note"] == "mine"


def test_cell_options_reach_the_task(cell):
    cell(
        "seen = []\ndef told(*facts):\n    seen.append(facts[:-1])"
        "\npolicy = cloaca.RetryPolicy(max_attempts=3, initial_delay=0)"
    )
    cell(
        "%%cloaca_task flaky --retry policy\n#| on-failure: told\n'Fails.'\n"
        "seen.append('tried')\nraise ConnectionError('no network')"
    )
    cell("%%cloaca_task rescue --trigger-rules 'task_failed(\"flaky\")' --on-success told\nrescued = True")
    ran = cell("%cloaca_run -o result")
    assert isinstance(ran.error, RunFailed)
    assert cell.names["seen"] == ["tried"] * 3 + [("flaky", "no network"), ("rescue",)]
    assert cell.names["result"].final_context["rescued"] is True
    assert cell.session.workflow()["flaky"].description == "Fails."


def test_async_cells_run(cell):
    cell("import asyncio")
    cell("%%cloaca_task waits\nawait asyncio.sleep(0)\nx = 1")
    assert final(cell("%cloaca_run")) == {"x": 1}


# -- asking


def test_a_task_is_shown_of_whatever_workflow_it_is_in(cell):
    block = (
        "with cloaca.WorkflowBuilder({0!r}):\n    @cloaca.task(id={1!r})\n"
        "    def body(context):\n        context['k'] = {0!r}"
    )
    for name, task_id in (("one", "first"), ("two", "second"), ("three", "both"), ("four", "both"), ("five", "load")):
        assert cell(block.format(name, task_id)).error is None
    assert "'one'" in cell("%cloaca_show first").shown[0]
    assert "Which workflow? Name one of 'one', 'two', 'three', 'four', 'five'." in cell("%cloaca_show both").out
    assert "'four'" in cell("%cloaca_show both four").shown[0]
    cell(LOAD)
    assert "'five'" not in cell("%cloaca_show load").shown[0]
    assert "'two'" in cell("%cloaca_show second").shown[0]
    assert "Workflow 'notebook' has no task 'both'" in cell("%cloaca_show both").out


def test_show_writes_out_the_dependencies_of_both_spellings(cell):
    cell(LOAD)
    cell(TWICE)
    cell("@cloaca.task(id='total')\ndef add_up(context):\n    context['total'] = sum(context['doubled'])")
    assert cell("%cloaca_show twice").shown[0] == (
        '@cloaca.task(id="twice", dependencies=["load"])\ndef twice(context):\n    numbers = context["numbers"]\n'
        '    doubled = [2 * number for number in numbers]\n    context["doubled"] = doubled\n    return context'
    )
    assert cell("%cloaca_show total").shown[0] == (
        "@cloaca.task(id='total', dependencies=[\"twice\"])\ndef add_up(context):\n"
        "    context['total'] = sum(context['doubled'])"
    )


def test_both_spellings_mix_in_one_workflow(cell):
    cell("@cloaca.task()\ndef load(context):\n    context['numbers'] = [1, 2]")
    cell(TWICE)
    cell("@cloaca.task()\ndef total(context):\n    context['total'] = sum(context['doubled'])")
    assert cell("%cloaca_dag").value.topological_sort() == ["load", "twice", "total"]
    assert final(cell("%cloaca_run"))["total"] == 6


def test_a_decorated_task_that_overlooks_its_source_is_warned_about_when_run(cell):
    cell(LOAD)
    cell("@cloaca.task(dependencies=[])\ndef reads(context):\n    context['x'] = context.get('numbers')")
    assert "add 'load' to its dependencies" in cell("%cloaca_run").err


def test_show_colours_the_code_where_style_sheets_are_taken_out(cell):
    cell(LOAD)
    html = cell("%cloaca_show load").html[0]
    assert html.startswith('<pre style="font-family:')
    assert "class=" not in html
    assert re.search(r'<span style="color: #[0-9A-F]{6}">def</span>', html, re.IGNORECASE)


def test_a_run_goes_by_the_name_that_tables_and_messages_show(cell):
    cell(LOAD)
    run_id = cell("%cloaca_run").value.run_id
    name = run_id[-8:]
    assert name in cell("%cloaca_history").out
    assert f"taken from run {name}" in cell("%cloaca_run --resume").err
    for line in (f"%cloaca_history {name}", f"%cloaca_logs --run {name}", f"%cloaca_diff {name}"):
        assert cell(line).error is None


def test_the_help_of_sql_names_every_view_and_table(cell):
    said = inspect.getdoc(cell.shell.find_magic("cloaca_sql"))
    documented = set(cell('%cloaca_sql SELECT DISTINCT "table" FROM documentation').value["table"])
    assert {name for name in (*(view.table.name for view in VIEWS), "documentation") if name not in said} == set()
    assert {name for name in documented if name not in said} <= {"code_parts", "processes", "merged"}


def test_the_function_history_means_that_of_the_magics(cell, tmp_path):
    cell(LOAD)
    cell(f"%config Cloaca.history = {str(tmp_path / 'mine.duckdb')!r}")
    cell("result = %cloaca_run")
    ran = cell("cloaca.history()")
    assert ran.value is cell.session.history()
    assert f"{tmp_path / 'mine.duckdb'}: 1 run\n" in ran.out
    assert list(ran.value.runs()["run_id"]) == [cell.names["result"].run_id]
    cell("%load_ext cloaca_nb\n%unload_ext cloaca_nb")
    assert isinstance(cell("cloaca.history()").error, HistoryError)  # CLOACA_HISTORY is :memory:
    cell("%load_ext cloaca_nb")
    assert cell("cloaca.history()").value is ran.value


def test_history_gives_frames(cell):
    cell(LOAD)
    for _ in range(3):
        run = cell("%cloaca_run").value
    runs = cell("%cloaca_history --runs 2").value
    assert runs["run_id"][0] == run.run_id
    assert len(runs) == 2
    tasks = cell(f"%cloaca_history {run.run_id}").value
    assert list(tasks["task_id"]) == ["load"]
    assert len(cell(f"%cloaca_history {run.run_id[:-2]}").value) == 1
    assert cell("df = %cloaca_history").out == ""
    assert type(cell.names["df"]) is pd.DataFrame


def test_the_dag_is_drawn(cell):
    cell(LOAD)
    cell(TWICE)
    ran = cell("%cloaca_dag")
    assert "twice  after load (inferred)" in ran.out


# -- several workflows


def test_two_workflows_in_one_notebook(cell):
    assert cell("%cloaca_workflow small").out == "workflow small: no task yet; task cells below join it\n"
    cell(LOAD)
    cell("%cloaca_workflow large")
    cell(LOAD.replace("1, 2, 3", "100"))
    cell(TWICE)
    assert final(cell("%cloaca_run")) == {"numbers": [100], "doubled": [200]}
    assert final(cell("%cloaca_run small")) == {"numbers": [1, 2, 3]}
    assert cell("%cloaca_workflow small").out == "workflow small: load\n"
    assert cell("%cloaca_dag").value.name == "small"
    assert cell("%cloaca_show twice large").shown[0].startswith('@cloaca.task(id="twice", dependencies=["load"])')
    assert list(cell("cloaca.workflows()").value) == ["small", "large"]


def test_a_task_that_changes_its_workflow_is_told(cell):
    cell("%cloaca_workflow one")
    cell(LOAD, "a")
    cell("%cloaca_workflow two")
    said = cell(LOAD, "a").shown[-1]
    assert "load  ·  has moved from one  ·  to two, which task cells join now" in said
    assert "to put it back: %cloaca_workflow one" in said


def test_parameters_belong_to_their_workflow(cell):
    cell("%cloaca_workflow one")
    cell("%%cloaca_params\nyear = 1")
    cell("%%cloaca_task a\nx = year")
    cell("%cloaca_workflow two")
    cell(LOAD)
    assert final(cell("%cloaca_run one --param year=5")) == {"year": 5, "x": 5}
    assert "No parameter 'year'" in cell("%cloaca_run two --param year=5").out
    assert cell.session.workflow("one").parameters == {"year": 1}


def test_a_built_workflow_runs_with_parameters(cell):
    cell(
        "with cloaca.WorkflowBuilder('built') as builder:\n    builder.parameters(year=1, rate=0.5)\n"
        "    @cloaca.task()\n    def a(context):\n        context['x'] = context['year'], context['rate']"
    )
    assert final(cell("%cloaca_run --param year=3 --param rate=2"))["x"] == (3, 2.0)  # the only one
    assert "Did you mean 'year'?" in cell("%cloaca_run built --param yaer=3").out


def test_of_several_workflows_and_no_current_one_the_magic_asks(cell):
    block = "with cloaca.WorkflowBuilder('{0}'):\n    @cloaca.task()\n    def a(context): ..."
    cell(block.format("one"))
    cell(block.format("two"))
    assert "Which workflow? Name one of 'one', 'two'." in cell("%cloaca_run").out
    assert cell("%cloaca_run two").error is None


# -- packing


def test_an_exported_package_runs_in_a_fresh_process(cell, tmp_path):
    cell("import json\nFACTOR = 3\ndef scaled(number):\n    return FACTOR * number")
    cell("%cloaca_workflow sums")
    cell("%%cloaca_params\nstart = 1")
    cell("%%cloaca_task load\nnumbers = [start, 2]\nprint(json.dumps(numbers))")
    cell("%%cloaca_task scale\nlarge = [scaled(number) for number in numbers]")
    cell("@cloaca.task()\ndef total(context):\n    context['total'] = sum(context['large'])")
    expected = final(cell("%cloaca_run"))
    ran = cell(f"%cloaca_export {tmp_path / 'out'}")
    assert ran.error is None, ran.out
    assert "sums/__init__.py" in ran.out
    code = (
        "import sums, cloaca_nb\nrunner = cloaca_nb.DefaultRunner(':memory:')\n"
        "print(dict(runner.execute('sums').final_context))\nrunner.shutdown()"
    )
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", code], cwd=tmp_path / "out", capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == f"[1, 2]\n{expected}\n"
    assert done.stderr == ""


def test_loading_the_extension_again_keeps_the_tasks(cell):
    cell(LOAD)
    assert cell("%reload_ext cloaca_nb").error is None
    assert cell("%load_ext cloaca_nb").error is None
    assert cell.session.use_workflow().ids() == ["load"]


@pytest.mark.parametrize("name", sorted(GRAMMARS))
def test_the_help_of_a_magic_is_its_usage_its_purpose_every_option_and_examples(cell, name):
    grammar = GRAMMARS[name]
    function = cell.shell.find_magic(name) or cell.shell.find_cell_magic(name)
    usage, purpose, *rest = inspect.getdoc(function).split("\n\n")
    assert usage == f"usage: {grammar.usage}"
    assert purpose.partition("\n")[0].endswith(".")
    options = [part for part in rest if part.startswith("Options:")]
    lines = [line for part in options for line in part.splitlines()[1:]]
    assert [line.strip().partition("  ")[0] for line in lines] == [option.written for option in grammar.options]
    assert [line for line in lines if not line.endswith(".") or line.count("  ") < 2] == []
    examples = rest[-1].splitlines()
    assert examples[0] == "Examples:"
    assert [line for line in examples if f"%{name}" in line]


def test_every_magic_has_a_grammar_and_the_other_way_round(cell):
    magics = {name for kind in cell.shell.magics_manager.magics.values() for name in kind if "cloaca" in name}
    assert magics == set(GRAMMARS)


@pytest.mark.parametrize("name", sorted(GRAMMARS))
def test_the_examples_in_the_help_are_understood(cell, name):
    for text in (
        "%cloaca_workflow flights",
        "%%cloaca_task clean\nrows = 1",
        "%%cloaca_params\nyear = 1\nmonths = [1]",
    ):
        assert cell(text).error is None
    cell("flights, address, download = None, '', len")
    for example in GRAMMARS[name].examples:
        error = cell(example).error
        assert not isinstance(error, UsageError | CellError), example


def test_a_question_mark_shows_the_help(cell):
    shown = cell("%cloaca_run?").out
    assert "--param NAME=VALUE  A parameter's value for this run; may be repeated." in shown
    assert "%cloaca_run flights --param year=2014" in shown


def test_asking_for_help_is_no_cell_to_export(cell):
    cell(LOAD)
    for text in ("%%cloaca_task?", "?load", "cell_that_is_not_there??"):
        cell(text)
    assert [one.text for one in cell.session.executed.notebook("n").cells][-1] == LOAD

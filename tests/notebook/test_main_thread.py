"""`--debug` and `%debug` in a real kernel, by a person who answers the debugger."""

import re
import sys

import pytest

TO_THE_NEXT_LINE = () if sys.version_info < (3, 13) else ("n",)  # from Python 3.13 on `breakpoint()` stops at itself
ANSI = re.compile(r"\x1b\[[0-9;]*m")
STEPS = "%%cloaca_task sums --try --debug\ntotal = 0\nbreakpoint()\nfor row in rows:\n    total += row"
SOON = "%%cloaca_task soon --try --debug\nawait asyncio.sleep(0)\nbreakpoint()\nname = input('Your name? ')"
DIVIDED = "%%cloaca_task sums{}\ntotal = 3\nshare = total / (len(rows) - 2)"


@pytest.fixture
def person(kernel):
    kernel.by_person = True
    kernel("%load_ext cloaca_nb\nimport asyncio\nfrom getpass import getpass")
    kernel("%%cloaca_task load\nrows = [1, 2]")
    kernel("%cloaca_run")
    return kernel


def said(person, cell, *answers):
    return ANSI.sub("", person.answered(cell, *answers))


def test_a_breakpoint_opens_in_the_cell_and_steps_through_it(person) -> None:
    text = said(person, STEPS, *TO_THE_NEXT_LINE, "p rows, total", "n", "n", "p row, total", "c")
    assert "----> 4 for row in rows:" in text
    assert "([1, 2], 0)" in text
    assert "(1, 1)" in text
    assert "sums tried  ·  total = 3" in text


def test_stepping_beyond_the_end_leaves_the_debugger(person) -> None:
    text = said(person, "%%cloaca_task a --try --debug\nbreakpoint()\nx = 1", *TO_THE_NEXT_LINE, "n", "n")
    assert "a tried  ·  x = 1" in text
    assert "attempt.py" not in text


def test_quitting_cancels_the_run(person) -> None:
    assert "was cancelled" in said(person, STEPS, "q")
    assert "Cancelled" in person("print(get_ipython().run_line_magic('cloaca_history', '')['status'][0])")


def test_an_async_body_has_a_loop_and_a_person_to_ask(person) -> None:
    assert "soon tried  ·  name = 'Ada'" in said(person, SOON, "c", "Ada")


def test_a_failure_opens_the_debugger_after_the_traceback(person) -> None:
    person(DIVIDED.format(""))
    text = said(person, "%cloaca_run --only sums --debug", "p total, rows", "q")
    assert text.index("ZeroDivisionError") < text.index("----> 3 share") < text.index("(3, [1, 2])")
    assert "False" in person("print(get_ipython().call_pdb)")


def test_debug_after_a_failed_run(person) -> None:
    person(DIVIDED.format(""))
    person("%cloaca_run")
    text = said(person, "%debug", "p total, rows", "q")
    assert "----> 3 share" in text
    assert "(3, [1, 2])" in text


def test_a_task_on_a_thread_has_nobody_to_ask(person) -> None:
    person("%%cloaca_task asks\nsecret = getpass()")
    assert "getpass() in a task has nobody to ask" in person("%cloaca_run")
    person("%%cloaca_task asks\nname = input('Who? ')")
    assert "input() in a task has nobody to ask" in person("%cloaca_run")
    assert "Ada" in person.answered("print(input('Who? '))", "Ada")


def test_where_nobody_looks_on_there_is_no_debugger(kernel) -> None:
    kernel("%load_ext cloaca_nb")
    assert "--debug needs somebody who answers" in kernel("%%cloaca_task a --try --debug\nx = 1")

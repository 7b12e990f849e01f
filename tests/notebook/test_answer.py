"""The look of an answer: one line, then notes, in text and in HTML."""

import pytest

from cloaca_nb.core.parameters import Values
from cloaca_nb.core.secret import SecretKeys
from cloaca_nb.notebook.answer import Answer, answer_for_parameters
from cloaca_nb.packaging.analysis.declared import _read_once

FULL = Answer("clean", (("reads", "df ← load"), ("sets", "<rows>"), ("after", "")), ("not known yet: a & b",))


def test_a_line_of_facts_and_below_it_what_to_mend() -> None:
    assert str(FULL) == "clean  ·  reads df ← load  ·  sets <rows>\n  ! not known yet: a & b"
    assert str(Answer("clean")) == "clean"


def test_html_escapes_what_the_user_wrote_and_needs_no_style_sheet() -> None:
    bundle = FULL._repr_mimebundle_()
    assert bundle["text/plain"] == str(FULL)
    assert "&lt;rows&gt;" in bundle["text/html"]
    assert "a &amp; b" in bundle["text/html"]
    assert "class=" not in bundle["text/html"]
    assert ">after<" not in bundle["text/html"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, "parameters"),
        ({"year": 2013, "carrier": "UA"}, "parameters  ·  year = 2013  ·  carrier = 'UA'"),
        ({"many": list(range(100))}, f"parameters  ·  many = {repr(list(range(100)))[:39]}…"),
    ],
)
def test_parameters_are_listed_with_short_values(values, expected) -> None:
    assert str(answer_for_parameters(Values({}, values, {}), SecretKeys())) == expected


def test_what_has_to_be_worked_out_anew_is_told_with_what_it_follows_from() -> None:
    values = Values({"label": lambda year, carrier: 1 / 0}, {"year": 1, "label": "", "carrier": "UA"}, {"year": 5})  # noqa: ARG005
    answer = answer_for_parameters(values, SecretKeys(), ["Mind the year."])
    assert str(answer) == "parameters  ·  year = 5  ·  label from year, carrier  ·  carrier = 'UA'\n  ! Mind the year."


# -- what typical cells are answered

HELPERS = (
    "import math\nfrom statistics import mean\nRATE = 0.5\nnet = lambda x: x * RATE\n"
    "def clean(rows):\n    return [net(row) for row in rows if row]\n"
    "log = open('/dev/null')\nlog.close()\nLIMITS = {}\nLIMITS['low'] = 1"
)
NOTEBOOK = (
    HELPERS,
    "files = !ls",
    "LIMIT = 1",
    "LIMIT = 2",
    "import math as m, json as j, csv as c, re as r, io as i, os as o, sys as s, ast as a",
    "%%cloaca_params\nyear = 2013",
    "@cloaca.task()\ndef fetch(context):\n    context['raw'] = [1, 2]",
    "%%cloaca_task load\nrows = [1, 2, 3]",
    "%%cloaca_task average\nmiddle = mean(rows)",
)

TYPICAL = [
    # the cell without its magic, its line, what its note begins with
    ("one\nnumber = 1", "one  ·  sets number", ""),
    ("tidy\ngood = clean(rows)", "tidy  ·  reads rows ← load  ·  sets good  ·  carries clean, RATE, net", ""),
    ("root\nr = math.sqrt(middle)", "root  ·  reads middle ← average  ·  sets r  ·  carries math", ""),
    ("date\ntitle = f'{year}: {middle}'", "date  ·  reads year (parameter), middle ← average  ·  sets title", ""),
    ("sums\ntotal = sum(raw)", "sums  ·  reads raw ← fetch  ·  sets total", ""),
    ("more\nrows = rows + [4]", "more  ·  reads rows ← load  ·  sets rows", ""),
    ("end --after load,later\nprint(1)", "end  ·  reads and sets nothing  ·  after load, later (not defined yet)", ""),
    ("perhaps --in raw?\nshown = raw or '-'", "perhaps  ·  reads raw?  ·  sets shown", ""),
    ("drop\ndel raw", "drop  ·  reads raw ← fetch  ·  deletes raw", ""),
    ("low\nsmall = LIMITS['low']", "low  ·  sets small  ·  carries LIMITS", ""),
    ("say\n'Only speaks.'\nprint('hello')", "say  ·  reads and sets nothing", ""),
    ("both --out a,b\na = b = c = 1", "both  ·  sets a, b", ""),
    ("own\ncontext['k'] = context['raw'] * 2", "own  ·  reads raw ← fetch  ·  sets k", ""),
    ("many\nx = m, j, c, r, i, o, s, a", "many  ·  sets x  ·  carries m, j, c, r, i, o and 2 more", ""),
    ("file\nwith open('f') as f:\n    display(f)\n    text = f.read()", "file  ·  sets text", ""),
    ("told\nx = log.name", "told  ·  sets x",
     "runs here, but can't be exported yet: cell 2 (id c0), line 7: `log = open('/dev/null')`"),
    ("either\nx = LIMIT", "either  ·  sets x",
     "runs here, but can't be exported yet: Cell In[11]: task 'either' needs 'LIMIT', which cell 4 (id c2)"),
    ("shell\ncount = len(files)", "shell  ·  sets count",
     "runs here, but can't be exported yet: cell 3 (id c1), line 1: `files = !ls`"),
    ("grow\nrows.append(1)", "grow  ·  reads rows ← load", "line 2: `rows.append(…)` changes this task's own rows"),
    ("lost\nx = nowhere", "lost  ·  sets x", "not known yet: nowhere. Define it in a cell"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "note"), TYPICAL, ids=[one[0].split()[0] for one in TYPICAL])
def test_a_task_cell_is_answered_in_a_line(cell, text, line, note) -> None:
    for number, one in enumerate(NOTEBOOK):
        assert cell(one, f"c{number}").error is None
    ran = cell(f"%%cloaca_task {text}", "new")
    assert ran.error is None, ran.out
    first, *notes = ran.shown[0].splitlines()
    assert first == line
    assert len(notes) == bool(note)
    assert all(one.startswith(f"  ! {note}") for one in notes)
    assert (f"! {note[:10]}" in ran.html[0].replace("&#x27;", "'")) is bool(note)


def test_a_cell_that_was_mended_can_be_exported(cell) -> None:
    cell("log = open('/dev/null')\nlog.close()", "a")
    assert "can't be exported" in cell("%%cloaca_task told\nx = log.name", "b").shown[0]
    cell("log = print", "a")
    assert cell("%%cloaca_task told\nx = log.__name__", "b").shown == ["told  ·  sets x  ·  carries log"]


def test_a_cell_is_read_once_however_many_are_executed_after_it(cell):
    for number in range(5):
        cell(f"def helper{number}(x):\n    return x + {number}", f"h{number}")
    cell("%%cloaca_task first\nx = helper0(1)", "a")
    read = _read_once.cache_info().misses
    cell("%%cloaca_task second\ny = helper1(x) + helper4(x)", "b")
    assert _read_once.cache_info().misses == read
    ran = cell("%%cloaca_task first\nx = helper2(1)", "a")
    assert "carries helper2" in ran.shown[0]
    cell("def helper2(x):\n    return open('/dev/null')", "h2")
    assert _read_once.cache_info().misses == read
    cell("%%cloaca_task first\nx = helper2(2)", "a")
    assert _read_once.cache_info().misses == read + 1

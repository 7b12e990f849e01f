"""The grammar of a task cell, and where its names come from."""

import re

import pytest

from cloaca_nb.core.cell.options import TaskOptions
from cloaca_nb.core.cells import (
    is_params_cell,
    is_task_cell,
    keys_of,
    parse_params_cell,
    parse_task_cell,
    resolve,
    task_text,
)
from cloaca_nb.core.names import Keys
from cloaca_nb.errors import CellError

FIRST_LINES = [
    ("%%cloaca_task clean", True),
    ("%%cloaca_task", True),
    ("%%cloaca_task\tclean\r\nx = 1", True),
    ("\n\n%%cloaca_task clean", True),
    ("%%cloaca_tasks clean", False),
    ("%%cloaca_params", False),
    ("# %%cloaca_task clean", False),
    ("x = 1\n%%cloaca_task clean", False),
    ("", False),
]


@pytest.mark.parametrize(("text", "expected"), FIRST_LINES)
def test_a_task_cell_is_known_by_its_first_line(text, expected):
    assert is_task_cell(text) is expected


def test_a_parameters_cell_is_known_by_its_first_line():
    assert is_params_cell("%%cloaca_params\nx = 1")
    assert not is_params_cell("%%cloaca_task params")


PARTS = [
    ("no body", "%%cloaca_task t", "", 2),
    ("a body", "%%cloaca_task t\nx = 1\n", "x = 1\n", 2),
    ("line ends of Windows", "%%cloaca_task t\r\nx = 1\r\ny = 2", "x = 1\ny = 2", 2),
    ("blank lines first", "\n\n%%cloaca_task t\n\nx = 1", "\nx = 1", 4),
    ("options below", "%%cloaca_task t\n#| timeout: 3\n#|after:x\n# x\n#| no: option", "# x\n#| no: option", 4),
]


@pytest.mark.parametrize(("text", "body", "first_line"), [case[1:] for case in PARTS], ids=[case[0] for case in PARTS])
def test_parts_of_a_task_cell(text, body, first_line):
    cell = parse_task_cell(text)
    assert (cell.id, cell.body, cell.first_line) == ("t", body, first_line)


def test_options_stand_on_the_magic_line_and_below():
    cell = parse_task_cell("%%cloaca_task clean --after load\n#| timeout: 30\n#| on-failure: tell\nx = y")
    assert cell.options == TaskOptions(after=("load",), timeout=30, on_failure="tell")
    assert cell.names.reads == ("y",)


WRONG = [
    ("x = 1", "The cell does not start with `%%cloaca_task NAME` but with `x = 1`"),
    ("%%cloaca_task t\n#| timeout", "Cell line 2: `#| timeout` is no option. Write `#| key: value`"),
    ("%%cloaca_task t\n#| timeout: 3\n#| tmeout: 3", "Unknown option `#| tmeout`. Did you mean 'timeout'?"),
    ("%%cloaca_task t\n\nx = = 1", "Cell line 3: invalid syntax.\n    x = = 1\n        ^"),
    ("%%cloaca_task t\nif x:\ny = 1", "Cell line 3: expected an indented block after 'if' statement on line 1"),
    ("%%cloaca_task t\n#| timeout: 3\n!ls", "Cell line 3: a task holds plain Python, and this is a line for IPython."),
    ("%%cloaca_task t\nx = 1\n%time y", "Cell line 3: a task holds plain Python"),
    ("%%cloaca_task t\nglobal x", "Cell line 2: `global x` would change the notebook behind the workflow's back."),
    ("%%cloaca_task t\ndef f():\n    global x", "Cell line 3: `global x`"),
    ("%%cloaca_task t\nfrom os import *", "Cell line 2: `from os import *` hides where names come from."),
    ("%%cloaca_task t\nnonlocal x", "Cell line 2: no binding for nonlocal 'x' found."),
    (
        "%%cloaca_task t\nx = 1\ndef f():\n    nonlocal x\n    x = 2",
        "Cell line 5: `nonlocal x` reaches for a name of the",
    ),
    ("%%cloaca_task t\nyield 1", "Cell line 2: `yield` can't stand in a task. Collect the values in a list"),
    ("%%cloaca_task t\nx = yield from y", "Cell line 2: `yield` can't stand in a task."),
    (
        "%%cloaca_task t\nif x:\n    return x + 1",
        "Assign the value to a name (`result = x + 1`) and write `return` alone.",
    ),
    ("%%cloaca_task t\nreturn None", "Cell line 2: a task cell returns nothing, or `context`."),
    ("%%cloaca_task t\nbreak", "Cell line 2: 'break' outside loop."),
    ("%%cloaca_task t\nfor context in x: pass", "Cell line 2: `context` is the task's own context"),
    ("%%cloaca_task t\nimport a as context", "Cell line 2: `context` is the task's own context"),
    ("%%cloaca_task t\nfrom __future__ import annotations", "Put it in a cell of its own, not in a task."),
    ("%%cloaca_task t\nfiles = !ls", "Cell line 2: a task holds plain Python, and this is a line for IPython."),
    ("%%cloaca_task t\ndef f(): await x", "Cell line 2: 'await' outside async function."),
    ("%%cloaca_task t\n\0", "null bytes"),
]


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_what_no_task_may_hold(text, message):
    with pytest.raises(CellError, match=re.escape(message)):
        parse_task_cell(text)


RIGHT = [
    "return",
    "if x: return context",
    "def f():\n    x = 1\n    def g():\n        nonlocal x\n        x = 2",
    "x = 1\ndef f():\n    x = 1\n    def g():\n        nonlocal x\n        x = 2",
    "def f():\n    yield 1",
    "def f(context):\n    context = 1",
    "x = '\\d'",
    "async def f():\n    return await x",
]


@pytest.mark.parametrize("body", RIGHT)
def test_what_a_task_may_hold(body):
    assert parse_task_cell(f"%%cloaca_task t\n{body}").body == body


# -- where names come from: the magic's options, the body, and what is in, optional, set, deleted, the notebook's own

RESOLVED = [
    ("an output", "", "y = df", "df", "", "y", "", ""),
    ("a parameter", "", "y = year", "year", "", "y", "", ""),
    ("own", "", "y = np.mean(TABLE)", "", "", "y", "", "np TABLE"),
    ("builtins are nobody's", "", "y = len(df)", "df", "", "y", "", ""),
    ("an output with a builtin's name", "", "y = sum + 1", "sum", "", "y", "", ""),
    ("read and set", "", "df = df.dropna()", "df", "", "df", "", ""),
    ("assigned first", "", "df = 1\ny = df", "", "", "df y", "", ""),
    ("perhaps assigned, an output", "", "if x: df = 1\ny = df", "df", "", "df y", "", "x"),
    ("perhaps assigned, else nobody's", "", "if x: z = 1\ny = z", "", "", "z y", "", "x"),
    ("changed", "", "df['m'] = 1\nTABLE['k'] = 2", "df", "", "df", "", "TABLE"),
    ("changed by a method", "", "df.append(1)", "df", "", "", "", ""),
    ("deleted", "", "del df", "df", "", "", "df", ""),
    ("deleted on one way", "", "if x: del df", "df", "", "", "df", "x"),
    ("own deleted", "", "z = 1\ndel z", "", "", "", "", ""),
    ("in", "--in z", "y = z + df", "z", "", "y", "", "df"),
    ("in, and optional", "--in z,w?", "y = z if w is None else w", "z", "w", "y", "", ""),
    ("in, unread", "--in z", "y = 1", "z", "", "y", "", ""),
    ("in, nothing", "--in=", "y = df", "", "", "y", "", "df"),
    ("in, changed", "--in z", "z['k'] = 1\ndf['k'] = 1", "z", "", "z", "", "df"),
    ("out", "--out y", "y = 1\nz = 2", "", "", "y", "", ""),
    ("out, private", "--out _y", "_y = 1", "", "", "_y", "", ""),
    ("out, changed by a method", "--out df", "df.append(1)", "df", "", "df", "", ""),
    ("out, a loop variable", "--out i", "for i in (1, 2): pass", "", "", "i", "", ""),
    ("out, nothing", "--out=", "y = 1", "", "", "", "", ""),
    ("in and out of one name", "--in z --out z", "", "z", "", "z", "", ""),
    ("callbacks are own", "--on-failure alerts.tell --retry patient", "y = 1", "", "", "y", "", "alerts patient"),
]


@pytest.mark.parametrize(
    ("options", "body", "inputs", "optional", "sets", "deletes", "own"),
    [case[1:] for case in RESOLVED],
    ids=[case[0] for case in RESOLVED],
)
def test_where_names_come_from(options, body, inputs, optional, sets, deletes, own):
    cell = parse_task_cell(f"%%cloaca_task t {options}\n{body}")
    assert [" ".join(names) for names in resolve(cell, {"df", "sum"}, ["year"])] == [
        inputs,
        optional,
        sets,
        deletes,
        own,
    ]


CLASHES = [
    (
        "own, then assigned",
        "",
        "y = rate * 2\nrate = 3",
        "line 2 reads the notebook's own `rate` and line 3 assigns it",
    ),
    ("own, augmented", "", "rate += 1", "Cell line 2 reads the notebook's own `rate` and line 2 assigns it"),
    ("a builtin", "", "list = list(x)", "Cell line 2 reads the notebook's own `list`"),
    ("a loop variable", "", "for rate in rate: pass", "the notebook's own `rate`"),
    ("an import", "", "np.x\nimport numpy as np", "the notebook's own `np`"),
    ("private", "", "_n = _n + 1", "the notebook's own `_n`"),
    ("perhaps a builtin", "", "if x: max = 3\ny = max", "Cell line 3 may read the notebook's own `max`"),
    ("perhaps the notebook's", "", "if x: TABLE = 3\ny = TABLE", "Cell line 3 may read the notebook's own `TABLE`"),
    ("the fix", "", "rate += 1", "Assign to another name (`new_rate = …`)"),
    ("not among --in", "--in x", "df = df + 1", "the notebook's own `df`"),
    ("own deleted", "", "x = 1\ndel rate", "Cell line 3: `del rate` would delete the notebook's own `rate`"),
    ("out of nothing", "--out totl", "total = 1", "the cell never assigns `totl`. Did you mean 'total'?"),
    ("a class with the same name", "", "class A:\n    df = df", "Cell line 3: the class uses `df` of the cell"),
]


@pytest.mark.parametrize(
    ("options", "body", "message"), [case[1:] for case in CLASHES], ids=[case[0] for case in CLASHES]
)
def test_names_that_would_be_two_things_are_errors(options, body, message):
    cell = parse_task_cell(f"%%cloaca_task t {options}\n{body}")
    with pytest.raises(CellError, match=re.escape(message)):
        resolve(cell, {"df"}, (), notebook={"TABLE"})


def test_keys_are_those_of_names_and_those_of_the_context():
    body = "b = a + context['x'] + context.get('y', 1)\ncontext['z'] = opt\ndel gone, context['k']"
    cell = parse_task_cell(f"%%cloaca_task t --in a,opt?,gone\n{body}")
    assert keys_of(cell, resolve(cell, (), ())) == Keys(
        reads=("a", "gone", "x", "k"), optional=("opt", "y"), sets=("b", "z"), deletes=("gone", "k")
    )


# -- with its decorator


def test_the_decorator_says_all_that_the_cell_said():
    cell = parse_task_cell("%%cloaca_task clean --timeout 30 --after x --debug\nflights = raw.dropna()")
    assert task_text(cell, resolve(cell, {"raw"}, ()), ["load", "x"]) == (
        '@cloaca.task(id="clean", dependencies=["load", "x"], timeout=30)\n'
        "def clean(context):\n"
        '    raw = context["raw"]\n'
        "    flights = raw.dropna()\n"
        '    context["flights"] = flights\n'
        "    return context\n"
    )


def test_a_long_decorator_takes_a_line_for_each_option():
    cell = parse_task_cell("%%cloaca_task t --retry-attempts 3 --retry-backoff linear --on-failure tell --timeout 5")
    assert task_text(cell, resolve(cell, (), ()), None) == (
        "@cloaca.task(\n"
        '    id="t",\n'
        "    retry_attempts=3,\n"
        '    retry_backoff="linear",\n'
        "    on_failure=tell,\n"
        "    timeout=5,\n"
        ")\n"
        "def t(context):\n"
        "    return context\n"
    )


# -- parameters

PARAMETERS = [
    ("plain", "year = 2013\ncarriers = ['UA',\n  'B6']  # two", {"year": "2013", "carriers": "['UA',\n  'B6']"}),
    ("derived, typed", "year: int = 2013\nlast = year - 1", {"year": "2013", "last": "year - 1"}),
    ("two of one value", "a = b = 1", {"a": "1", "b": "1"}),
    ("assigned twice", "a = 1\nb = 2\na = 3", {"a": "3", "b": "2"}),
    (
        "private, imports, words",
        "'''doc'''\nfrom datetime import date\n_y = 1\nday = date(_y, 1, 1)",
        {"day": "date(_y, 1, 1)"},
    ),
    ("nothing", "", {}),
]


@pytest.mark.parametrize(("body", "values"), [case[1:] for case in PARAMETERS], ids=[case[0] for case in PARAMETERS])
def test_parameters(body, values):
    cell = parse_params_cell(f"%%cloaca_params\n{body}")
    assert (cell.names, cell.values, cell.body, cell.first_line) == (tuple(values), values, body, 2)


NO_PARAMETERS = [
    ("%%cloaca_params x\na = 1", "'x' is one word too many. It takes --secret a,b and nothing else"),
    (
        "%%cloaca_params\na, b = 1, 2",
        "Cell line 2: a parameters cell holds lines like `year = 2013`, each for one name",
    ),
    ("%%cloaca_params\na = 1\nif a:\n    b = 1", "Cell line 3: a parameters cell"),
    ("%%cloaca_params\na += 1", "Cell line 2: a parameters cell"),
    ("%%cloaca_params\na: int", "Cell line 2: a parameters cell"),
    ("%%cloaca_params\na = = 1", "Cell line 2: invalid syntax."),
    ("a = 1", "The cell does not start with `%%cloaca_params`"),
]


@pytest.mark.parametrize(("text", "message"), NO_PARAMETERS)
def test_what_no_parameters_cell_may_hold(text, message):
    with pytest.raises(CellError, match=re.escape(message)):
        parse_params_cell(text)

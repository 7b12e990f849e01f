"""Helpers see the notebook's own names: who takes one that a task sets as well is told, before and at the run."""

import pytest

COUNT = "def count():\n    return len(rows)"
USE = "%%cloaca_task use\nn = count()"
LOAD = "%%cloaca_task load\nrows = [1, 2, 3]"
MAKE = "def make(inner):\n    def outer():\n        return inner()\n    return outer"
SAID = (
    "Task 'use' calls count(), which sees the notebook's own 'rows', never what task 'load' sets: "
    "pass it as an argument, like count(rows)."
)

CASES = [
    # what, the cells, what a run says
    ("used first", ["rows = [0]", COUNT, USE, LOAD], [SAID]),
    ("set first", ["rows = [0]", COUNT, LOAD, USE], [SAID]),
    ("helper last", [LOAD, "def count(): ...", USE, "rows = [0]", COUNT], [SAID]),
    ("nothing of that name", [COUNT, LOAD, USE], [SAID.replace("own 'rows'", "own (there is none) 'rows'")]),
    ("a helper's helper", ["rows = [0]", COUNT, "def twice():\n    return 2 * count()", LOAD,
     "%%cloaca_task use\nn = twice()"], [SAID]),
    ("a lambda", ["rows = [0]", "count = lambda: len(rows)", LOAD, USE], [SAID]),
    ("a lambda without a name", ["rows = [0]", "every = {1: lambda: len(rows)}", LOAD,
     "%%cloaca_task use\nn = every[1]()"], []),
    ("wrapped", ["rows = [0]", f"from functools import cache\n@cache\n{COUNT}", LOAD, USE], [SAID]),
    ("partly called", ["rows = [0]", f"from functools import partial\n{COUNT}\nless = partial(count)", LOAD,
     "%%cloaca_task use\nn = less()"], [SAID]),
    ("a method", ["rows = [0]", "class Model:\n    def score(self):\n        return len(rows)\nmodel = Model()", LOAD,
     "%%cloaca_task use\nn = model.score()"], [SAID.replace("count(", "Model.score(")]),
    ("a closure", ["rows = [0]", COUNT, MAKE, "more = make(count)", LOAD, "%%cloaca_task use\nn = more()"], [SAID]),
    ("a decorated task", ["rows = [0]", COUNT, "@cloaca.task()\ndef load(context):\n    context['rows'] = [1]",
     "@cloaca.task()\ndef use(context):\n    context['n'] = count()"], [SAID]),
    ("its own body", ["rows = [0]", LOAD, "@cloaca.task()\ndef use(context):\n    context['n'] = len(rows)"],
     ["Task 'use' sees the notebook's own 'rows', never what task 'load' sets: write context['rows']."]),
    ("the only setter itself", ["rows = [0]", COUNT, "%%cloaca_task use\nrows = [count()]"], []),
    ("an argument", ["rows = [0]", "def count(rows):\n    return len(rows)", LOAD,
     "%%cloaca_task use\nn = count(rows)"], []),
    ("an attribute", ["def count(one):\n    return one.rows", LOAD, "%%cloaca_task use --in ''\nn = count"], []),
    ("a function of that name", ["from statistics import mean\ndef count():\n    return mean([1])",
     "%%cloaca_task load\nmean = 3", USE], []),
    ("a builtin of that name", ["def count():\n    return sum([1])", "%%cloaca_task load\nsum = 3", USE], []),
    ("explicitly the notebook's", ["rows = [0]", LOAD, "%%cloaca_task use --in ''\nn = len(rows)"], []),
    ("not called", ["rows = [0]", COUNT, LOAD, "%%cloaca_task use\nn = 1"], []),
]  # fmt: skip


@pytest.mark.parametrize(("cells", "said"), [one[1:] for one in CASES], ids=[one[0] for one in CASES])
def test_a_run_says_which_helper_sees_another_value(cell, cells, said) -> None:
    for text in ("import cloaca_nb as cloaca", *cells):
        assert cell(text).error is None
    ran = cell("%cloaca_run --no-panel")
    assert [line for line in ran.err.splitlines() if line.startswith("Task ")] == said


PARAMS = "%%cloaca_params\nrows = [1]\nmore = [*rows, 2]"
GIVEN = SAID.replace("what task 'load' sets", "what --param gives for it")
OF_PARAMETERS = [
    # what, the cells, how the run is started, what it says
    ("as the notebook has it", [PARAMS, COUNT, USE], "", []),
    ("given", [PARAMS, COUNT, USE], "--param rows=[4]", [GIVEN]),
    ("another one given", [PARAMS, COUNT, USE], "--param more=[4]", []),
    ("what follows from a given one", [PARAMS, COUNT.replace("rows", "more"), USE], "--param rows=[4]",
     [GIVEN.replace("rows", "more")]),
    ("what follows from the notebook's", [PARAMS, COUNT.replace("rows", "more"), USE, "rows = [5, 6]"], "",
     [GIVEN.replace("rows", "more")]),
    ("the notebook's own", [PARAMS, COUNT, USE, "rows = [5, 6]"], "", []),
    ("deleted", [PARAMS, COUNT, USE, "del rows"], "", [GIVEN.replace("own 'rows'", "own (there is none) 'rows'")]),
    ("of an earlier run", [PARAMS, "%%cloaca_task use\nn = len(rows) and count()", COUNT, "%cloaca_run --no-panel"],
     "--cached", [GIVEN]),
    ("set by a task as well", [PARAMS, COUNT, LOAD, USE], "", [SAID]),
    ("a decorated task", [PARAMS, "@cloaca.task()\ndef use(context):\n    context['n'] = len(rows)"],
     "--param rows=[4]",
     ["Task 'use' sees the notebook's own 'rows', never what --param gives for it: write context['rows']."]),
    ("a task's own", [PARAMS, "%%cloaca_task use\nn = len(rows)"], "--param rows=[4]", []),
    ("a function", ["%%cloaca_params\nrows = len", "def count():\n    return rows([1])", USE], "--param rows=x", []),
]  # fmt: skip


@pytest.mark.parametrize(
    ("cells", "how", "said"), [one[1:] for one in OF_PARAMETERS], ids=[one[0] for one in OF_PARAMETERS]
)
def test_a_run_says_which_helper_may_see_another_value_of_a_parameter(cell, cells, how, said) -> None:
    for text in ("import cloaca_nb as cloaca", *cells):
        assert cell(text).error is None
    ran = cell(f"%cloaca_run --no-panel {how}")
    assert [line for line in ran.err.splitlines() if line.startswith("Task ")] == said


@pytest.mark.parametrize("last", [USE, PARAMS])
def test_the_answer_says_which_helper_takes_a_parameter_from_the_notebook(cell, last) -> None:
    for text in (COUNT, *({USE, PARAMS} - {last})):
        assert GIVEN not in str(cell(text).shown)
    assert cell(last).shown[0].splitlines()[-1] == f"  ! {GIVEN}"


@pytest.mark.parametrize("last", [USE, LOAD])
def test_the_answer_of_either_cell_says_it_whichever_comes_last(cell, last) -> None:
    for text in ("rows = [0]", COUNT, *({USE, LOAD} - {last})):
        assert SAID not in str(cell(text).shown)
    assert cell(last).shown[0].splitlines()[-1] == f"  ! {SAID}"
    assert "other" in cell("%%cloaca_task other\nx = 1").shown[0]
    assert SAID not in cell("%%cloaca_task other\nx = 1").shown[0]


def test_a_builder_block_is_told_of_too_and_a_try_says_it_once(cell) -> None:
    block = (
        "import cloaca_nb as cloaca\nwith cloaca.WorkflowBuilder('w'):\n"
        "    @cloaca.task()\n    def load(context):\n        context['rows'] = [1]\n"
        "    @cloaca.task(dependencies=['load'])\n    def use(context):\n        context['n'] = count()"
    )
    for text in ("rows = [0]", COUNT, block):
        assert cell(text).error is None
    assert SAID in cell("%cloaca_run w --no-panel").err
    cell(LOAD)
    ran = cell(USE.replace("use", "use --try", 1))
    assert (ran.shown[0].count(SAID), ran.err.count(SAID)) == (1, 0)


def test_objects_that_answer_for_every_name_are_left_alone(cell) -> None:
    for text in ("from unittest import mock\nanything = mock.call", COUNT, LOAD, USE):
        assert cell(text).error is None
    assert "calls count()" in cell("%cloaca_run --no-panel").err

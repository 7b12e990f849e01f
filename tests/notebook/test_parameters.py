"""Values of parameters: read as what their defaults are, and derived anew."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, strategies as st
from IPython.core.completer import provisionalcompleter

from cloaca_nb.core.cells import parse_params_cell
from cloaca_nb.core.parameters import with_derived
from cloaca_nb.declare.settings import fit, parse_settings
from cloaca_nb.errors import DefinitionError
from cloaca_nb.notebook.cell_code import CellCode
from cloaca_nb.notebook.parameters import Parameters

DAY = date(2013, 1, 1)
RUN = UUID("01a1fbf7-7c9a-70a7-807e-66a5bd69df43")


@pytest.mark.parametrize(
    ("default", "given_value", "expected"),
    [
        (2013, "2014", 2014),
        (2013, 2014, 2014),
        (0.5, "2", 2.0),
        (0.5, 2, 2.0),
        (0.5, "1e3", 1000.0),
        (True, "false", False),
        (True, "False", False),
        ("UA", "2", "2"),
        ("UA", "1.50", "1.50"),
        ("UA", '"x"', '"x"'),
        ([1], "[2, 3]", [2, 3]),
        ([1], "(2, 3)", [2, 3]),
        ((1,), "[2, 3]", (2, 3)),
        ({1}, "{2, 3}", {2, 3}),
        (frozenset({1}), [2, 3], frozenset({2, 3})),
        ({"a": 1}, '{"b": 2}', {"b": 2}),
        ({"a": 1}, "{'b': 2}", {"b": 2}),
        (None, "3", 3),
        (None, "text", "text"),
        (None, None, None),
        (DAY, "2014-02-03", date(2014, 2, 3)),
        (Path("a"), "b/c", Path("b/c")),
        (Decimal("0.1"), "0.30", Decimal("0.30")),
        (Fraction(1, 2), "1/3", Fraction(1, 3)),
        (RUN, str(RUN), RUN),
    ],
)
def test_a_value_is_read_as_the_defaults_type(default: Any, given_value: Any, expected: Any) -> None:
    found = fit("name", given_value, {"name": default})
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("default", "wrong"),
    [
        (1, "x"),
        (1, "1.5"),
        (1, "true"),
        (1, True),
        (True, "1"),
        (0.5, "fast"),
        ([1], "3"),
        ([1], "x"),
        ({"a": 1}, "[1]"),
        ("UA", 3),
        (DAY, "soon"),
        (Decimal(1), "one"),
        (timedelta(1), "x"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_with_an_example(default: Any, wrong: Any) -> None:
    with pytest.raises(DefinitionError) as caught:
        fit("name", wrong, {"name": default})
    said = str(caught.value)
    assert "'name'" in said
    assert type(default).__name__ in said
    assert repr(default) in said
    assert repr(wrong) in said


@given(st.text())
def test_a_text_stays_as_it_was_typed(text: str) -> None:
    assert fit("name", text, {"name": "default"}) == text


@given(st.integers() | st.floats(allow_nan=False) | st.booleans() | st.lists(st.integers()))
def test_what_python_prints_is_read_back(value: Any) -> None:
    assert fit("name", repr(value).replace("inf", "1e999"), {"name": value}) == value


def test_settings_are_read_from_the_first_equals_sign_on() -> None:
    assert parse_settings(["a=1", "b=x=y", "c="]) == {"a": "1", "b": "x=y", "c": ""}


@pytest.mark.parametrize("wrong", ["a", "=1", "1a=2", "a b=2", ""])
def test_a_setting_is_name_equals_value(wrong: str) -> None:
    with pytest.raises(DefinitionError, match="NAME=VALUE"):
        parse_settings([wrong])


# -- a whole cell

CELL = "%%cloaca_params\nfrom math import floor\nyear = 2013\nnext_year = year + 1\nlabel: str = f'{year}/{next_year}'"


@pytest.fixture
def bound(shell):
    """The parameters of CELL and the notebook's names, after that cell was executed."""
    names: dict[str, Any] = {}
    parameters = Parameters(parse_params_cell(CELL), CellCode(shell, CELL), names)
    parameters.bind()
    return parameters, names


@pytest.mark.parametrize(
    ("notebook", "given_values", "expected"),
    [
        ({}, {}, (2013, 2014, "2013/2014")),
        ({}, {"year": 2000}, (2000, 2001, "2000/2001")),
        ({"year": 2000}, {}, (2000, 2001, "2000/2001")),
        ({"year": 2000}, {"year": 1900}, (1900, 1901, "1900/1901")),
        ({"next_year": 7}, {}, (2013, 7, "2013/7")),
        ({"next_year": 7}, {"year": 2000}, (2000, 7, "2000/7")),
        ({"label": "mine"}, {"year": 2000}, (2000, 2001, "mine")),
        ({}, {"year": 2000, "label": "mine"}, (2000, 2001, "mine")),
        ({"label": "mine"}, {"label": "theirs"}, (2013, 2014, "theirs")),
    ],
)
def test_what_derives_from_a_changed_value_is_computed_again(bound, notebook, given_values, expected) -> None:
    parameters, names = bound
    names.update(notebook)
    before = dict(names)
    found = with_derived(parameters.rules(), parameters.values(), given_values)
    assert tuple(found.values()) == expected
    assert names == before


TWISTED = [
    # the lines of a cell, what is given, what it comes to
    ("year = 1\n_half = year / 2\nlabel = f'{_half}'", {"year": 4}, {"year": 4, "label": "2.0"}),
    ("base = 1\nyear = 10\nyear = year + base", {"base": 2}, {"base": 2, "year": 12}),
    ("base = 1\nyear = 10\nyear = year + base", {"year": 7}, {"base": 1, "year": 7}),
    ("year = 1\na = b = [year]", {"year": 2}, {"year": 2, "a": [2], "b": [2]}),
    ("year = 1\na = b = [year]", {"year": 2, "a": 3}, {"year": 2, "a": 3, "b": [2]}),
    ("later = 2\nyear = 1\nlater = year + 1", {"year": 5}, {"later": 6, "year": 5}),
    ("year = 1\nimport json\ntext = json.dumps([year])", {"year": 2}, {"year": 2, "text": "[2]"}),
]


@pytest.mark.parametrize(("lines", "given_values", "expected"), TWISTED)
def test_rules_go_the_way_that_the_cell_goes(shell, lines, given_values, expected) -> None:
    cell = f"%%cloaca_params\n{lines}"
    parameters = Parameters(parse_params_cell(cell), CellCode(shell, cell), {})
    parameters.bind()
    assert with_derived(parameters.rules(), parameters.values(), given_values) == expected


def test_imports_of_the_cell_are_no_parameters(bound) -> None:
    parameters, names = bound
    assert parameters.names == ("year", "next_year", "label")
    assert callable(names["floor"])


def test_a_deleted_name_has_its_default(bound) -> None:
    parameters, names = bound
    del names["year"]
    assert parameters.values()["year"] == 2013


SECOND = "%%cloaca_params\nmonth = year % 12 + 1"


def test_a_second_cell_adds_its_parameters(shell, bound):
    first, names = bound
    second = Parameters(parse_params_cell(SECOND), CellCode(shell, SECOND), names)
    second.bind()
    second.follow(first)
    assert second.names == ("year", "next_year", "label", "month")
    assert with_derived(second.rules(), second.values(), {"year": 2024})["month"] == 2024 % 12 + 1


def test_a_second_cell_may_not_define_only_some_anew(shell, bound):
    first, names = bound
    second = Parameters(parse_params_cell("%%cloaca_params\nyear = 1"), CellCode(shell, CELL), names)
    with pytest.raises(DefinitionError, match="'year' stands in two %%cloaca_params cells"):
        second.follow(first)


# -- the whole precedence, whoever executes the workflow

PARAMS = "%%cloaca_params\nyear = 1\nlabel = f'of {year}'"
TAKE = "%%cloaca_task take\ntaken = (year, label)"
PRECEDENCE = [
    # the notebook's assignments, the Context, --param, what the task takes
    ("", {}, "", (1, "of 1")),
    ("year = 5", {}, "", (5, "of 5")),
    ("", {"year": 9}, "", (9, "of 9")),
    ("year = 5", {"year": 9}, "", (9, "of 9")),
    ("year = 5", {"label": "mine"}, "", (5, "mine")),
    ("label = 'mine'", {"year": 9}, "", (9, "mine")),
    ("year = 5; label = 'mine'", {"year": 9, "label": "its"}, "", (9, "its")),
    ("year = 5", {}, "year=7", (7, "of 7")),
    ("label = 'mine'", {}, "year=7", (7, "mine")),
    ("label = 'mine'", {}, "label=its", (1, "its")),
]


@pytest.mark.parametrize(("assigned", "context", "setting", "expected"), PRECEDENCE)
def test_a_run_takes_the_setting_the_context_the_notebooks_value_or_the_default(
    cell, assigned, context, setting, expected
) -> None:
    for text in (PARAMS, TAKE, assigned, "import cloaca_nb as cloaca"):
        assert cell(text).error is None
    if setting:
        result = cell(f"%cloaca_run --param {setting}").value
    else:
        result = cell(f"cloaca.DefaultRunner(':memory:').execute('notebook', {context!r})").value
    assert result.final_context["taken"] == expected


def test_a_value_that_changes_between_two_runs_needs_no_magic_in_between(cell) -> None:
    for text in (PARAMS, TAKE, "import cloaca_nb as cloaca"):
        cell(text)
    ran = cell("found = []\nfor year in (5, 6):\n    result = cloaca.DefaultRunner(':memory:').execute('notebook')\n"
               "    found.append(result.final_context['taken'])")  # fmt: skip
    assert ran.error is None
    assert cell.names["found"] == [(5, "of 5"), (6, "of 6")]


def test_a_parameter_that_can_not_be_worked_out_says_from_what(cell) -> None:
    cell("%%cloaca_params\nyear = 1\nshare = 1 / year")
    cell("%%cloaca_task take\ntaken = share")
    assert "Parameter 'share' can't be worked out from year=0" in cell("%cloaca_run --param year=0").out
    assert cell("year = 0").error is None
    assert "Parameter 'share' can't be worked out from year=0" in cell("%cloaca_run").out
    cell("year = 2")
    assert cell("%cloaca_run").value.final_context["taken"] == 0.5


# -- what a rule costs, or that it fails, concerns only who needs its value

LOAD = (
    "asked = []\ndef load(year):\n    asked.append(year)\n    if year > 3:\n        raise OSError('no net')\n"
    "    return [year]"
)
LOADED = [LOAD, "%%cloaca_params\nyear = 1\nrows = load(year)", "%%cloaca_task take\ntaken = rows", "year = 5"]
FREE = [
    # a line, while the notebook has a value on which the rule fails; for which values the rule is executed then
    ("%cloaca_dag", []),
    ("%cloaca_show take", []),
    ("%%cloaca_task other\nkept = rows", []),
    ("%cloaca_workflow", []),
    ("%%cloaca_params\nmore = 1", []),
    ("%cloaca_run --param rows=[7]", []),
    ("%cloaca_run --param rows=[7] --background", []),
    ("%cloaca_run --param year=2", [2]),
    ("%cloaca_run --param year=2 --param rows=[7]", []),
]


@pytest.mark.parametrize(("line", "asked"), FREE)
def test_a_rule_is_executed_only_for_a_value_that_is_needed(cell, line, asked) -> None:
    for text in LOADED:
        assert cell(text).error is None
    assert cell.names["asked"] == [1]
    assert cell(line).error is None
    assert cell.names["asked"] == [1, *asked]


@pytest.mark.parametrize(("typed", "offered"), [("", {"year=", "rows="}), ("rows=", set()), ("year=", {"5"})])
def test_completion_executes_no_rule(cell, typed, offered) -> None:
    for text in LOADED:
        cell(text)
    line = f"%cloaca_run --param {typed}"
    with provisionalcompleter():
        assert {one.text for one in cell.shell.Completer.completions(line, len(line))} == offered
    assert cell.names["asked"] == [1]


def test_a_run_that_needs_the_value_says_why_there_is_none(cell) -> None:
    for text in LOADED:
        cell(text)
    ran = cell("%cloaca_run --no-panel")
    assert "Parameter 'rows' can't be worked out from year=5: OSError: no net" in ran.out
    assert cell.session.history().runs().empty

"""Values of parameters: read as what their defaults are, and derived anew."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, strategies as st

from cloaca_nb.core.cells import parse_params_cell
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
    parameters = Parameters(parse_params_cell(CELL), CellCode(shell, CELL))
    names: dict[str, Any] = {}
    parameters.bind(names)
    return parameters, names


@pytest.mark.parametrize(
    ("notebook", "settings", "expected"),
    [
        ({}, {}, (2013, 2014, "2013/2014")),
        ({}, {"year": "2000"}, (2000, 2001, "2000/2001")),
        ({"year": 2000}, {}, (2000, 2001, "2000/2001")),
        ({"year": 2000}, {"year": "1900"}, (1900, 1901, "1900/1901")),
        ({"next_year": 7}, {}, (2013, 7, "2013/7")),
        ({"next_year": 7}, {"year": "2000"}, (2000, 7, "2000/7")),
        ({"label": "mine"}, {"year": "2000"}, (2000, 2001, "mine")),
        ({}, {"year": "2000", "label": "mine"}, (2000, 2001, "mine")),
    ],
)
def test_what_derives_from_a_changed_value_is_computed_again(bound, notebook, settings, expected) -> None:
    parameters, names = bound
    before = {**names, **notebook}
    now = dict(before)
    assert tuple(parameters.values(now, settings).values()) == expected
    assert now == before


def test_imports_of_the_cell_are_no_parameters(bound) -> None:
    parameters, names = bound
    assert parameters.names == ("year", "next_year", "label")
    assert callable(names["floor"])


def test_a_deleted_name_has_its_default(bound) -> None:
    parameters, names = bound
    del names["year"]
    assert parameters.values(names, {})["year"] == 2013


SECOND = "%%cloaca_params\nmonth = year % 12 + 1"


def test_a_second_cell_adds_its_parameters(shell, bound):
    first, names = bound
    second = Parameters(parse_params_cell(SECOND), CellCode(shell, SECOND))
    second.bind(names)
    second.follow(first)
    assert second.names == ("year", "next_year", "label", "month")
    assert second.values(names, {"year": "2024"})["month"] == 2024 % 12 + 1


def test_a_second_cell_may_not_define_only_some_anew(shell, bound):
    first, _ = bound
    second = Parameters(parse_params_cell("%%cloaca_params\nyear = 1"), CellCode(shell, CELL))
    with pytest.raises(DefinitionError, match="'year' stands in two %%cloaca_params cells"):
        second.follow(first)

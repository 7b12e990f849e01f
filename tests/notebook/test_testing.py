"""Test cells, run where they stand."""

import pandas as pd
import pytest

LOAD = "%%cloaca_task load\nrows = [year, 1]"
PARAMS = "%%cloaca_params\nyear = 2013"


def test_a_test_looks_at_the_last_run_and_calls_tasks(cell) -> None:
    cell(PARAMS)
    cell(LOAD)
    cell("%%cloaca_task total\ntotal = sum(rows)")
    before = cell("%%cloaca_test totals\nassert total == sum(rows)")
    assert "nothing has been run: %cloaca_run" in before.out
    cell("%cloaca_run")
    assert cell("%%cloaca_test totals\nassert total == sum(rows) == year + 1").out == "✓ test_totals passed\n"
    alone = "%%cloaca_test alone\nassert load(cloaca.Context({'year': 3}))['rows'] == [3, 1]"
    assert cell(alone).out == "✓ test_alone passed\n"


def test_what_a_test_changes_is_its_own(cell) -> None:
    cell(PARAMS)
    cell(LOAD)
    cell("%cloaca_run")
    cell("%%cloaca_test a\nrows.append(7)\ncontext['rows'] = 1")
    assert cell.session.last_result.final_context["rows"] == [2013, 1]
    assert "rows" not in cell.names


def test_a_failing_test_shows_its_own_line(cell) -> None:
    cell(PARAMS)
    cell(LOAD)
    cell("%cloaca_run")
    ran = cell("%%cloaca_test totals\nx = 1\nassert rows == [], 'rows there'")
    assert isinstance(ran.error, AssertionError)
    assert "rows there" in ran.out
    assert "line 3" in ran.out or "----> 3" in ran.out
    assert "notebook/testing.py" not in ran.out


def test_a_wrong_directive_is_told_when_its_cell_is_executed(cell) -> None:
    assert "Did you mean 'skip'?" in cell("#| cloaca: skpi\nx = 1").err
    assert cell("#| cloaca: skip\nx = 1").err == ""


class Unshowable:
    """Has no text."""

    def __repr__(self) -> str:
        raise RuntimeError


TOLD = {
    "one line": ("assert len(rows) == 3", ["  len(rows) = 2", "  rows = [2013, 1]"]),
    "a frame": (
        "frame = pd.DataFrame({'a': rows})\nassert frame['a'].max() < 9",
        ["  frame['a'].max() = np.int64(2013)", "  frame ="],
    ),
    "many lines": ("frame = pd.Series(range(50))\nassert frame.empty", ["    11    11", "    … 39 more lines"]),
    "a long line": ("text = 'x' * 5000\nassert not text", ["  text = 'xxx", "…"]),
    "what can't be shown": (
        "assert len(rows) == 0 and strange",
        ["  len(rows) = 2", "<its __repr__ raised RuntimeError>"],
    ),
    "secrets": ("url = f'https://{api_token}@x'\nassert api_token == url", ["  api_token = ••••", "  url = ••••"]),
}


@pytest.mark.parametrize(("body", "told"), TOLD.values(), ids=TOLD)
def test_a_failed_assertion_shows_what_it_looked_at(cell, body: str, told: list[str]) -> None:
    cell(PARAMS)
    cell(LOAD)
    cell("%cloaca_run")
    cell.names.update(pd=pd, strange=Unshowable(), api_token="very-" + "secret")
    ran = cell(f"%%cloaca_test it\n{body}")
    assert isinstance(ran.error, AssertionError)
    for line in told:
        assert line in ran.out
    assert "very-secret" not in ran.out


def test_an_assertion_in_what_a_test_calls_is_its_own_affair(cell) -> None:
    cell("def check(rows):\n    assert rows == [], 'not empty'")
    ran = cell("%%cloaca_test it\nassert check([1]) is None")
    assert "not empty" in ran.out
    assert " = " not in ran.out.split("AssertionError")[-1]

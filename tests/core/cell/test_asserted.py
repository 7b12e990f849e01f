"""What a failed assertion has looked at."""

import ast
from typing import Any, NamedTuple

import pytest

from cloaca_nb.core.cell.asserted import Assertions


class Case(NamedTuple):
    """A test's text, and what is told of the assertion that fails in it."""

    text: str
    told: dict[str, Any]


CASES = {
    "two sides": Case("assert len(rows) == total + 1", {"len(rows)": 3, "total + 1": 5, "rows": [1, 2, 3], "total": 4}),
    "constants stand there": Case("assert len(rows) == -1", {"len(rows)": 3, "rows": [1, 2, 3]}),
    "a sum of constants": Case("assert len(rows) < 0.1 * 2", {"len(rows)": 3, "rows": [1, 2, 3]}),
    "a display of constants": Case("assert rows == [1, (2, 'x')]", {"rows": [1, 2, 3]}),
    "a display with a name": Case("assert rows == [total]", {"[total]": [4], "rows": [1, 2, 3], "total": 4}),
    "a chain": Case(
        "assert 0 < len(rows) < total - 1", {"len(rows)": 3, "total - 1": 3, "rows": [1, 2, 3], "total": 4}
    ),
    "a chain that is over early": Case("assert 9 < len(rows) < 1 / 0", {"len(rows)": 3, "rows": [1, 2, 3]}),
    "a method": Case("assert rows[:1].count(7)", {"rows[:1]": [1], "rows": [1, 2, 3]}),
    "a call": Case("assert bool(total - 4)", {"total - 4": 0, "total": 4}),
    "not": Case("assert not rows.count(1)", {"rows": [1, 2, 3]}),
    "and": Case("assert len(rows) == 3 and total > 9", {"len(rows)": 3, "rows": [1, 2, 3], "total": 4}),
    "a generator": Case("assert all(row < 3 for row in rows)", {"rows": [1, 2, 3]}),
    "a name alone": Case("empty = []\nassert empty, 'nothing'", {"empty": []}),
    "over several lines": Case(
        "assert (\n  len(rows)\n  ==\n  total\n)", {"len(rows)": 3, "rows": [1, 2, 3], "total": 4}
    ),
    "of the last round": Case(
        "for row in rows:\n  assert row < 3 and total / row < 5", {"row": 3, "rows": None, "total": 4}
    ),
    "in a function": Case(
        "def inner(x):\n  assert len(x) == total\ninner(rows)", {"len(x)": 3, "x": [1, 2, 3], "total": 4}
    ),
    "the one that failed": Case("assert total + 0\nassert total - 4", {"total": 4}),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_values_that_were_compared_are_told(case: Case) -> None:
    found = Assertions()
    body = "\n".join(f"  {line}" for line in case.text.splitlines())
    tree = found.visit(ast.parse(f"def test(rows, total):\n{body}"))
    names: dict[str, Any] = {}
    exec(compile(ast.fix_missing_locations(tree), "test", "exec"), names)  # noqa: S102 - the case
    with pytest.raises(AssertionError) as raised:
        names["test"]([1, 2, 3], 4)
    last = raised.traceback[-1]
    told = dict(found.values(last.frame.raw, last.lineno + 1))
    assert told == {key: value for key, value in case.told.items() if value is not None}


def test_each_part_is_evaluated_once_and_in_order() -> None:
    calls: list[int] = []

    def give(value: int) -> int:
        calls.append(value)
        return value

    tree = Assertions().visit(ast.parse("assert give(1) < give(2) < give(3) and not give(0)"))
    exec(compile(ast.fix_missing_locations(tree), "test", "exec"), {"give": give})  # noqa: S102 - the case
    assert calls == [1, 2, 3, 0]

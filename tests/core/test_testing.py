"""The grammar of test cells."""

import pytest

from cloaca_nb.core.testing import function_of_test, is_test_cell, parse_test_cell
from cloaca_nb.errors import CellError

FUNCTIONS = {
    "keys come from the context": (
        "assert total == sum(rows) + LIMIT",
        """def test_it(context):
    total = context["total"]
    rows = context["rows"]
    assert total == sum(rows) + LIMIT
""",
    ),
    "a parameter": (
        "assert year > 2000",
        'def test_it(context):\n    year = context["year"]\n    assert year > 2000\n',
    ),
    "the context itself": ("assert len(context) == 3", "def test_it(context):\n    assert len(context) == 3\n"),
    "nothing of it": ("assert scaled(2) == 6", "def test_it():\n    assert scaled(2) == 6\n"),
    "names of its own": (
        "found = load({})\nassert found",
        "def test_it():\n    found = load({})\n    assert found\n",
    ),
}
WRONG = {
    "no name": ("%%cloaca_test\nassert True", "needs the test's name"),
    "no name for a function": ("%%cloaca_test two words\nassert True", "'words' is one word too many"),
    "no Python": ("%%cloaca_test a\nassert = 1", "Cell line 2"),
    "nothing to fail": ("%%cloaca_test a\n# later", "test_a' says nothing"),
    "an await": ("%%cloaca_test a\nawait load()", "asyncio.run"),
}


@pytest.mark.parametrize("case", FUNCTIONS)
def test_a_test_is_a_function_of_the_context_that_it_looks_at(case) -> None:
    body, text = FUNCTIONS[case]
    found, _ = function_of_test(parse_test_cell(f"%%cloaca_test it\n{body}"), ["total", "rows"], ["year"])
    assert found.text == text
    assert len(found.lines) == text.count("\n")


@pytest.mark.parametrize("case", WRONG)
def test_what_is_no_test_is_refused_kindly(case) -> None:
    text, message = WRONG[case]
    with pytest.raises(CellError, match=message):
        parse_test_cell(text)


def test_a_test_is_told_by_its_magic() -> None:
    assert is_test_cell("\n%%cloaca_test a\nx")
    assert not is_test_cell("%%cloaca_tests a\nx")
    assert parse_test_cell("%%cloaca_test test_a\nx = 1").id == "test_a"

"""Which errors a newer Python may not make."""

import pytest

from cloaca_nb.core.code.newer import hint_of_version

CASES = [
    ("def first[T](xs: list[T]) -> T: ...", "expected '('", True),
    ("  async def first[T](xs): ...", "expected '('", True),
    ("class Box[T]:", "invalid syntax", True),
    ("type Row = list[int]", "invalid syntax", True),
    ("x = f'{d['a']}'", "f-string: unmatched '['", True),
    ("x = = 1", "invalid syntax", False),
    ("def f(:", "invalid syntax", False),
    (None, "unexpected EOF", False),
]


@pytest.mark.parametrize(("line", "said", "is_newer"), CASES)
def test_hints_only_at_syntax_that_came_later(line: str | None, said: str, is_newer: bool) -> None:  # noqa: FBT001 - a column of the table
    found = hint_of_version(SyntaxError(said, ("<cell>", 1, 1, line)))
    assert ("This is Python 3." in found) is is_newer

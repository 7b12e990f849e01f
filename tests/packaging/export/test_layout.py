"""Indenting code changes where it stands, not what it does."""

import ast

import pytest
from hypothesis import given, strategies as st

from cloaca_nb.packaging.export.layout import indented

SNIPPETS = (
    "x = 1",
    "",
    "# a comment",
    "t = '''a\n  b\n'''",
    "t = f'''a{x}\n  {x!r}b\n'''",
    'f(\n    1,\n    """a\nb""",\n)',
    "y = x + \\\n    1",
    "s = 'a\\\nb'",
    "if x:\n\n    y = 2  # beside\n    t = '''\nq'''",
    "d = {\n    1: [\n        2,\n    ],\n}",
)


@given(st.lists(st.sampled_from(SNIPPETS), min_size=1).map("\n".join))
def test_indented_code_is_the_same_code(text: str) -> None:
    moved = ast.parse(f"if 1:\n{indented(text)}\n    pass").body[0]
    assert isinstance(moved, ast.If)
    assert [ast.dump(node) for node in moved.body[:-1]] == [ast.dump(node) for node in ast.parse(text).body]


def test_docstrings_move_along() -> None:
    text = 'def f():\n    """One.\n\n    Two.\n    """'
    assert indented(text) == '    def f():\n        """One.\n\n        Two.\n        """'


@pytest.mark.parametrize("text", ["x = 1\n\n\ny = 2", "\n"])
def test_empty_lines_stay_empty(text: str) -> None:
    assert not any(line.isspace() for line in indented(text).split("\n"))

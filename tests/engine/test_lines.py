"""What a terminal would come to show of pieces of text."""

import pytest
from hypothesis import given, strategies as st

from cloaca_nb.engine.lines import LONGEST, Lines

CASES = [
    ("a line in pieces", ["a", "b\n"], ["", "ab\n"], ""),
    ("lines and a rest", ["a\nb\nc"], ["a\nb\n"], "c"),
    ("empty lines", ["\n\n"], ["\n\n"], ""),
    ("a bar that ends its line", ["\r 0%", "\r50%", "\r100%", "\n"], ["", "", "", "100%\n"], ""),
    ("a bar that doesn't", ["\r 0%", "\r50%"], ["", ""], "50%"),
    ("returns that come last", ["1 of 2\r", "2 of 2\r", "\n"], ["", "", "2 of 2\n"], ""),
    ("a return that comes alone", ["0%", "\r", "100%\n"], ["", "", "100%\n"], ""),
    ("a bar that is wiped out by blanks", ["\r 50%", "\r     ", "\r"], ["", "", ""], ""),
    ("a line after one", ["\r 50%", "\r     \r", "done\n"], ["", "", "done\n"], ""),
    ("a bar that is wiped out by a code", ["\r50%", "\r\x1b[K", "done\n"], ["", "", "done\n"], ""),
    ("a shorter state", ["\rdownloading", "\rdone       \n"], ["", "done\n"], ""),
    ("a line that goes on after a rewrite", ["\r50%", " left", " over\n"], ["", "", "50% left over\n"], ""),
    ("line ends of Windows", ["a \r\nb\r\n"], ["a \nb\n"], ""),
    ("blanks at the end of a line that is no bar", ["a  \n"], ["a  \n"], ""),
    ("a bar among lines", ["a\n\r1%\r2%\nb"], ["a\n2%\n"], "b"),
]


@pytest.mark.parametrize(("what", "pieces", "passed_on", "rest"), CASES, ids=[case[0] for case in CASES])
def test_lines_of(what, pieces, passed_on, rest):
    lines = Lines()
    assert [lines.add(piece) for piece in pieces] == passed_on, what
    assert lines.rest() == rest
    assert lines.rest() == ""


@given(st.lists(st.text(st.sampled_from("ab \n"))))
def test_nothing_is_lost_of_text_without_returns(pieces):
    lines = Lines()
    assert "".join(map(lines.add, pieces)) + lines.rest() == "".join(pieces)


@given(st.text(st.sampled_from("ab \r\n")), st.data())
def test_where_a_text_is_cut_changes_nothing(text, data):
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)))))
    whole, cut = Lines(), Lines()
    expected = whole.add(text) + whole.rest()
    assert (
        "".join(cut.add(text[a:b]) for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)) + cut.rest()
        == expected
    )


def test_a_line_without_end_is_passed_on_as_it_grows():
    lines = Lines()
    passed_on = [lines.add("x") for _ in range(LONGEST + 1)]
    assert passed_on[-1] == "x" * (LONGEST + 1)
    assert lines.rest() == ""

"""The look of an answer: one line, then notes, in text and in HTML."""

import pytest

from cloaca_nb.notebook.answer import Answer, answer_for_parameters

FULL = Answer("clean", (("reads", "df ← load"), ("sets", "<rows>"), ("after", "")), ("not known yet: a & b",))


def test_a_line_of_facts_and_below_it_what_to_mend() -> None:
    assert str(FULL) == "clean  ·  reads df ← load  ·  sets <rows>\n  ! not known yet: a & b"
    assert str(Answer("clean")) == "clean"


def test_html_escapes_what_the_user_wrote_and_needs_no_style_sheet() -> None:
    bundle = FULL._repr_mimebundle_()
    assert bundle["text/plain"] == str(FULL)
    assert "&lt;rows&gt;" in bundle["text/html"]
    assert "a &amp; b" in bundle["text/html"]
    assert "class=" not in bundle["text/html"]
    assert ">after<" not in bundle["text/html"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, "parameters"),
        ({"year": 2013, "carrier": "UA"}, "parameters  ·  year = 2013  ·  carrier = 'UA'"),
        ({"many": list(range(100))}, f"parameters  ·  many = {repr(list(range(100)))[:39]}…"),
    ],
)
def test_parameters_are_listed_with_short_values(values, expected) -> None:
    assert str(answer_for_parameters(values)) == expected

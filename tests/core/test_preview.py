"""Values in one line."""

import datetime as dt

import pandas as pd
import pytest
from hypothesis import given, strategies as st

from cloaca_nb.core.preview import LONGEST, preview

PREVIEWS = [
    (None, "None"),
    (True, "True"),
    (0.1, "0.1"),
    ("late", "'late'"),
    ("two\nlines", r"'two\nlines'"),
    (dt.date(2013, 1, 2), "datetime.date(2013, 1, 2)"),
    ([], "[]"),
    ({"a": [1, (2, 3)]}, "{'a': [1, (2, 3)]}"),
    (list(range(13)), "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, …]  (13 items)"),
    (b"", "bytes, 0 B"),
    (b"x" * 999, "bytes, 999 B"),
    (bytearray(1_234), "bytearray, 1.2 kB"),
    (b"x" * 40_000, "bytes, 40 kB"),
    (b"x" * 999_800, "bytes, 1.0 MB"),
    (pd.DataFrame({"a": range(1_200), "b": 0}), "1,200 × 2 DataFrame"),
    (pd.Series([1.5]), "Series of 1"),
]


@pytest.mark.parametrize(("value", "text"), PREVIEWS, ids=[text[:20] for _, text in PREVIEWS])
def test_a_value_in_one_line(value, text):
    assert preview(value) == text


@given(
    st.recursive(
        st.text() | st.integers() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_it_is_one_short_line_whatever_the_value(value):
    text = preview(value)
    assert len(text) <= LONGEST + len("  (1,000 items)")
    assert "\n" not in text


def test_of_a_large_value_only_the_beginning_is_looked_at():
    class Loud:
        def __repr__(self):
            raise AssertionError("not to be looked at")

    assert preview([0] * 12 + [Loud()]).endswith("(13 items)")


def test_an_object_that_cannot_say_what_it_is_has_a_preview_all_the_same():
    class Broken:
        def __repr__(self):
            raise ValueError("no")

    assert "Broken" in preview(Broken())


def test_of_a_long_text_both_ends_are_shown():
    text = preview(["x" * 100 + "y" * 100])
    assert text.startswith("['xxx")
    assert text.endswith("yyy']")
    assert "x…y" in text

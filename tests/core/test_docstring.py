"""The marked parts of a docstring."""

import pytest

from cloaca_nb.core.docstring import Purpose, read_docstring

CASES = [
    ("none", None, Purpose("", "")),
    ("empty", "  \n ", Purpose("", "")),
    ("unmarked", "Load the flights.\n\n    All of them.\n", Purpose("Load the flights.\n\nAll of them.", "")),
    ("both", "What: load\nthe flights\n\nwhy: they are late\n", Purpose("load\nthe flights", "they are late")),
    ("the other way round", "why: they are late\nwhat: load", Purpose("load", "they are late")),
    ("only why", "Load the flights.\n\nWHY : late", Purpose("Load the flights.", "late")),
    ("text before both", "Ours.\nwhat: load\nwhy: late", Purpose("load", "late")),
    ("not at the start of a line", "This is what: we load.", Purpose("This is what: we load.", "")),
    ("another word", "whatever: load", Purpose("whatever: load", "")),
    ("indented", "\n        what: load\n        why: late\n    ", Purpose("load", "late")),
]


@pytest.mark.parametrize(("what", "text", "purpose"), CASES, ids=[case[0] for case in CASES])
def test_parts(what, text, purpose):
    assert read_docstring(text) == purpose

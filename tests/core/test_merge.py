"""The three-way merge: a table of cases, and what must hold for any values."""

import pytest
from hypothesis import given, strategies as st

from cloaca_nb.core.merge import DELETED, MISSING, Merged, merge

CASES = [
    # what, base, earlier, later, merged, contested
    ("nobody changed it", 1, 1, 1, 1, False),
    ("the earlier one changed it", 1, 2, 1, 2, False),
    ("the later one changed it", 1, 1, 3, 3, False),
    ("both to the same", 1, 2, 2, 2, False),
    ("to different values: the later one", 1, 2, 3, 3, True),
    ("new in both", MISSING, "a", "b", "b", True),
    ("True is not 1", 1, True, 1, True, False),
    ("lists are joined", MISSING, [1, 2], [2, 3], [1, 2, 3], False),
    ("by type and value", MISSING, [1], [True, 1.0], [1, True, 1.0], False),
    ("a removed item stays removed", [1, 2, 3], [1, 3], [1, 2, 3, 4], [1, 3, 4], False),
    ("items that can't be hashed", MISSING, [{"a": 1}], [{"a": 1}, {"b": 2}], [{"a": 1}, {"b": 2}], False),
    ("dicts key by key", {"a": 1}, {"a": 1, "b": 2}, {"a": 5}, {"a": 5, "b": 2}, False),
    ("dicts in dicts", MISSING, {"x": {"a": 1}}, {"x": {"b": 2}}, {"x": {"a": 1, "b": 2}}, False),
    ("a key deleted in a dict", {"a": 1, "b": 2}, {"b": 2}, {"a": 1, "b": 3}, {"b": 3}, False),
    ("a conflict inside a dict", {"a": 1}, {"a": 2}, {"a": 3}, {"a": 3}, True),
    ("deleted in one, untouched in the other", 1, DELETED, 1, DELETED, False),
    ("deleted here, changed there: the later one", 1, DELETED, 2, 2, True),
    ("changed here, deleted there: the later one", 1, 2, DELETED, DELETED, True),
    ("a list against a dict: the later one", MISSING, [1], {"a": 1}, {"a": 1}, True),
]


@pytest.mark.parametrize(("what", "base", "earlier", "later", "value", "contested"), CASES, ids=[c[0] for c in CASES])
def test_a_merge(what, base, earlier, later, value, contested):
    merged = merge(base, earlier, later)
    assert merged == Merged(value, contested), what
    assert type(merged.value) is type(value)


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=6,
)


@given(plain, plain)
def test_an_untouched_branch_never_overwrites(base, changed):
    assert merge(base, base, changed).value == changed
    assert merge(base, changed, base).value == changed


@given(plain, plain)
def test_equal_branches_merge_to_themselves(base, value):
    assert merge(base, value, value) == Merged(value, contested=False)


@given(plain, plain, plain)
def test_it_is_deterministic_and_changes_nothing_in_place(base, earlier, later):
    before = repr((base, earlier, later))
    assert repr(merge(base, earlier, later)) == repr(merge(base, earlier, later))
    assert repr((base, earlier, later)) == before

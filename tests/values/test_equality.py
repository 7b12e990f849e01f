"""Equality: what must hold for any values, and objects whose `__eq__` is odd."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from cloaca_nb.values import describe, equal, key

atoms = (
    st.none()
    | st.booleans()
    | st.integers(-2, 2)
    | st.sampled_from([0.0, -0.0, 1.0, float("nan"), -float("nan"), float("inf")])
    | st.sampled_from(["", "a", "-0.0", "1", "None", "Ellipsis"])
    | st.sampled_from([b"", b"a", complex(0, -0.0), ...])
    | st.decimals()
    | st.datetimes(timezones=st.none() | st.timezones())
    | st.uuids()
)
keys = st.text(max_size=1) | st.integers(-1, 1) | st.tuples(st.integers(0, 1))
values = st.recursive(
    atoms | st.frozensets(st.integers(0, 2)),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(keys, inner, max_size=3)
        | st.tuples(inner)
        | st.tuples(inner, inner)
    ),
    max_leaves=8,
)


@given(values)
def test_a_value_equals_itself_and_what_is_made_alike(value):
    assert equal(value, value) is True
    assert equal([value], [value]) is True


@given(values, values)
def test_equality_key_and_digest_agree(a, b):
    same = equal(a, b)
    assert same is equal(b, a)
    assert same is (key(a) == key(b))
    if describe(a).digest == describe(b).digest:
        assert same, "a digest covers all that is compared"
    elif same:
        assert any(sign in repr((a, b)) for sign in ("-0.0", "nan")), "it tells zeros and NaNs apart, and nothing else"


@given(values, values)
def test_what_is_equal_has_one_type_and_is_equal_to_python(a, b):
    if equal(a, b):
        assert type(a) is type(b)
        assert "nan" in repr(a).lower() or a == b  # a signalling NaN refuses to be compared


class Odd:
    def __init__(self, answer):
        self.answer = answer

    def __eq__(self, other):
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    __hash__ = None


ODD = [(True, True), (False, False), (1, False), ("yes", False), (np.array([True]), False), (ValueError("no"), False)]


@pytest.mark.parametrize(("answer", "expected"), ODD, ids=[repr(answer) for answer, _ in ODD])
def test_only_true_is_a_yes(answer, expected):
    assert equal(Odd(answer), Odd(answer)) is expected
    assert equal([Odd(answer)], [Odd(answer)]) is expected


def test_an_object_is_itself_whatever_it_says():
    odd = Odd(ValueError("no"))
    assert equal({"a": odd}, {"a": odd}) is True


def test_circles_are_equal_if_they_are_alike():
    def circle(length):
        first = last = [1]
        for _ in range(length - 1):
            last.append([1])
            last = last[1]
        last.append(first)
        return first

    assert equal(circle(2), circle(2))
    assert not equal(circle(2), circle(3))
    assert describe(circle(2)).digest == describe(circle(2)).digest
    assert describe(circle(2)).digest != describe(circle(3)).digest

"""numpy's arrays: copies of small ones, read-only views of large ones, and the way out."""

import numpy as np
import pytest

from cloaca_nb.values import describe, equal, hint, isolate, key
from cloaca_nb.values.numpy_arrays import COPIED_BYTES

LARGE = COPIED_BYTES // 8 + 1


def test_up_to_the_limit_an_array_is_copied():
    array = np.zeros(LARGE - 1)
    copy = isolate(array)
    copy[0] = 1
    assert array[0] == 0


def test_above_the_limit_it_is_a_read_only_view():
    array = np.zeros(LARGE)
    view = isolate(array)
    assert np.shares_memory(view, array)
    with pytest.raises(ValueError, match="read-only") as caught:
        view[0] = 1
    assert "`x = x.copy()`" in hint(caught.value)
    array[0] = 1  # the original stays writable


def test_a_copy_keeps_the_memory_order():
    assert isolate(np.asfortranarray(np.zeros((2, 3)))).flags.f_contiguous


def test_a_large_array_of_lists_is_copied_all_the_same():
    array = np.empty(LARGE, object)
    array[0] = [1]
    isolate(array)[0].append(2)
    assert array[0] == [1]


def test_a_memory_map_is_not_read_into_memory(tmp_path):
    array = np.memmap(tmp_path / "a", "f8", "w+", shape=LARGE)
    assert np.shares_memory(isolate(array), array)


@pytest.mark.parametrize("other", [KeyError("read-only"), ValueError("too many values")])
def test_other_errors_get_no_hint(other):
    assert hint(other) == ""


LAYOUTS = [
    np.asfortranarray,
    lambda array: np.repeat(array, 2, axis=1)[:, ::2],
    lambda array: array[::-1].copy()[::-1],
]


@pytest.mark.parametrize("rows", [3, 300_000 // 4])  # more than one block
@pytest.mark.parametrize("layout", LAYOUTS, ids=["order", "strides", "backwards"])
def test_how_an_array_is_stored_does_not_count(layout, rows):
    array = np.arange(rows * 4.0).reshape(rows, 4)
    array[1, 1] = np.nan
    other = layout(array)
    assert equal(array, other)
    assert key(array) == key(other)
    assert describe(array).digest == describe(other).digest


SIGNS = [
    lambda array: np.where(array == 0, -0.0, array),
    lambda array: np.where(np.isnan(array), -np.nan, array),
]


@pytest.mark.parametrize("sign", SIGNS, ids=["zero", "NaN"])
def test_the_sign_of_zero_and_nan_counts_in_the_digest_alone(sign):
    array = np.array([0.0, np.nan])
    other = sign(array)
    assert equal(array, other)
    assert key(array) == key(other)
    assert describe(array).digest != describe(other).digest, "history gives each back as it was"


def test_arrays_longer_than_a_block_are_compared_to_the_end():
    a = np.zeros(300_000)
    b = a.copy()
    b[-1] = 1
    assert not equal(a, b)
    assert describe(a).digest != describe(b).digest


class Quantity(np.ndarray):
    """A subclass with something of its own, as unit libraries have."""

    unit = ""


def quantity(unit):
    value = np.arange(2.0).view(Quantity)
    value.unit = unit
    return value


def test_what_a_subclass_adds_counts():
    assert equal(quantity("m"), quantity("m"))
    assert not equal(quantity("m"), quantity("s"))


def test_a_mask_hides_what_is_under_it():
    a, b = (np.ma.array([1.0, under], mask=[False, True]) for under in (2.0, 3.0))
    assert equal(a, b)
    assert describe(a).digest == describe(b).digest
    assert describe(a).preview == "2 float64: [1.0 --]"

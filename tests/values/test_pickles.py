"""Objects of the user's: what is copied of them, and what their digest depends on."""

import numpy as np
import pandas as pd

from cloaca_nb.values import describe, isolate


class Model:
    def __init__(self, **state):
        self.__dict__.update(state)


def test_large_data_that_an_object_holds_is_not_copied():
    frame, array = pd.DataFrame({"a": np.zeros(10)}), np.zeros(1_000_000)
    copy = isolate(Model(frame=frame, array=array, rows=[1]))
    assert np.shares_memory(copy.array, array)
    assert np.shares_memory(copy.frame["a"].to_numpy(), frame["a"].to_numpy())
    assert copy.frame is not frame


def digest(**state):
    return describe(Model(**state)).digest


def test_the_digest_depends_on_the_state():
    texts = ["ab", "abc"[:2]]  # equal, but not one object
    assert texts[0] is not texts[1]
    assert digest(x=texts[0], y=texts[0]) == digest(x=texts[0], y=texts[1])
    assert digest(x={"a", "b", "c"}) == digest(x={"c", "b", "a"})
    assert digest(x=1) != digest(x=2)
    assert digest(x="a") != digest(x=b"a")


def test_frames_inside_are_taken_by_their_values():
    frame = pd.DataFrame({"a": [1, 2, 3]})
    assert digest(frame=frame[frame.a > 1]) == digest(frame=frame.iloc[1:].copy())
    assert digest(frame=frame) != digest(frame=frame.iloc[1:])


def test_a_copy_has_the_same_digest():
    model = Model(rows=[1, {"a": (2, "x")}], names={"p", "q"}, array=np.arange(5))
    assert describe(isolate(model)).digest == describe(model).digest

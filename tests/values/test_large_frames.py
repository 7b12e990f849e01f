"""Large frames: kept by columns, and put together again as they were."""

import numpy as np
import pandas as pd
import pytest

from cloaca_nb.values import codec, describe, equal, large_frames


@pytest.fixture(autouse=True)
def _every_frame_is_large(monkeypatch):
    monkeypatch.setattr(large_frames, "LARGE", 0)


def flights(**columns):
    rows = 3000
    numbers = np.arange(rows)
    return pd.DataFrame(
        {
            "month": numbers % 12,
            "delay": np.where(numbers % 7 == 0, np.nan, numbers - 5.0),
            "late": numbers % 2 == 0,
            "carrier": pd.Categorical.from_codes(numbers % 3, ["AA", "B6", "UA"], ordered=True),
            "origin": [f"O{number % 3}" if number % 5 else None for number in range(rows)],
            "hour": pd.date_range("2013", periods=rows, freq="h", tz="America/New_York"),
            "day": pd.date_range("2013", periods=rows, freq="h").normalize(),
            "length": pd.to_timedelta(numbers, unit="s"),
            "seats": pd.array([None, *range(1, rows)], "Int64"),
        }
        | columns
    )


def renamed(labels):
    frame = flights()
    frame.columns = labels
    return frame


def described(frame):
    frame.attrs = {"unit": ("min", 1), "$": [1]}
    return frame


FRAMES = {
    "as it is": flights,
    "attrs": lambda: described(flights()),
    "rows with names": lambda: flights().set_index("hour"),
    "levels": lambda: flights().set_index(["carrier", "month"]),
    "a part": lambda: flights().iloc[10:2000:3],
    "one name twice": lambda: renamed(["a", *"abcdefgh"]),
    "levels of labels": lambda: renamed(pd.MultiIndex.from_product([["a", "b", "c"], [1, 2, 3]], names=["x", None])),
    "one array": lambda: pd.DataFrame(np.arange(6000.0).reshape(-1, 3), columns=[0, 1, -0.0]),
    "one column twice": lambda: pd.concat([flights()[["delay"]], flights()[["delay"]]], axis=1),
    "no rows": lambda: flights().iloc[:0],
    "signs": lambda: pd.DataFrame({"a": [0.0, -0.0, -np.nan], "b": [1, 2, 3]}),
}


@pytest.mark.parametrize("make", FRAMES.values(), ids=FRAMES)
def test_a_frame_comes_back_as_it_was(make):
    frame = make()
    encoded, data = codec.in_memory(frame)
    assert (encoded.format, encoded.note) == ("json", "")
    assert codec.parts_of(data)
    found = codec.decode("json", bytes(data))
    pd.testing.assert_frame_equal(found, frame, check_freq=True)
    assert type(found.index) is type(frame.index)
    assert found.attrs == frame.attrs
    assert equal(found, frame)
    assert describe(found).digest == describe(frame).digest
    if len(found):
        found.iloc[0, 0] = found.iloc[-1, 0]


def no_duplicates():
    return flights().set_flags(allows_duplicate_labels=False)


class Flights(pd.DataFrame):
    """A subclass may hold more."""


OTHERS = {
    "objects": lambda: flights(tags=[["a"]] * 3000),
    "flags": no_duplicates,
    "subclass": lambda: Flights(flights()),
    "one column": lambda: flights()[["delay"]],
    "series": lambda: flights()["delay"],
    "array": lambda: np.zeros(9999),
}


@pytest.mark.parametrize("make", OTHERS.values(), ids=OTHERS)
def test_what_has_no_columns_of_its_own_is_kept_whole(make):
    assert not large_frames.fits(make())


def test_attrs_that_only_pickle_holds_are_kept_with_the_frame():
    frame = flights()
    frame.attrs = {"code": len}
    assert codec.in_memory(frame)[0].format == "pickle"

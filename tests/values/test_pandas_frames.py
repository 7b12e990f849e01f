"""pandas' frames: nothing is copied, and how they are stored doesn't count."""

import numpy as np
import pandas as pd
import pytest

from cloaca_nb.values import describe, equal, isolate, key

ROWS = 1000


@pytest.fixture
def flights():
    return pd.DataFrame(
        {
            "month": np.arange(ROWS) % 12,
            "delay": np.where(np.arange(ROWS) % 7, np.arange(ROWS) / 3, np.nan),
            "carrier": [f"C{n % 5}" if n % 11 else None for n in range(ROWS)],
            "origin": pd.Categorical([f"O{n % 3}" for n in range(ROWS)]),
            "hour": pd.date_range("2013", periods=ROWS, freq="h", tz="America/New_York"),
            "tail": pd.Series([f"N{n}" if n % 13 else None for n in range(ROWS)], dtype=object),
        }
    )


def test_no_data_is_copied(flights):
    copy = isolate(flights)
    assert copy is not flights
    assert np.shares_memory(copy["delay"].to_numpy(), flights["delay"].to_numpy())


def test_both_may_be_changed(flights):
    untouched = flights.copy(deep=True)
    copy = isolate(flights)
    copy["delay"] = 0.0
    copy.loc[copy["month"] == 3, "carrier"] = "changed"
    copy.insert(0, "new", 1)
    copy.index.name = "changed"
    pd.testing.assert_frame_equal(flights, untouched)
    flights.loc[:, "month"] = 0
    assert copy["month"].max() == 11


WAYS = [
    lambda flights: flights[flights["month"] == 3],
    lambda flights: flights.iloc[3::12],
    lambda flights: flights.query("month == 3").copy(),
    lambda flights: pd.concat([flights.iloc[3:500:12], flights.iloc[507::12]]),
]


@pytest.mark.parametrize("way", WAYS, ids=["mask", "slice", "query", "concat"])
def test_however_a_frame_was_made(flights, way):
    expected = WAYS[0](flights)
    assert equal(way(flights), expected)
    assert key(way(flights)) == key(expected)
    listed = [frame.set_axis(frame.index.to_list()) for frame in (way(flights), expected)]
    assert len({describe(frame).digest for frame in listed}) == 1


def test_a_range_index_equals_the_same_numbers(flights):
    listed = flights.set_axis(pd.Index(list(range(ROWS))))
    assert equal(flights, listed)
    assert key(flights) == key(listed)
    assert describe(flights).digest != describe(listed).digest, "history gives each back as it was"


def test_a_frequency_is_part_of_the_digest_alone():
    index = pd.date_range("2020", periods=3)
    listed = pd.DatetimeIndex(list(index))
    assert equal(index, listed)
    assert key(index) == key(listed)
    assert describe(index).digest != describe(listed).digest


def test_the_preview_of_a_frame(flights):
    assert describe(flights).preview.startswith("1000 rows × 6 columns: month int64, delay float64, carrier str, ")
    assert describe(flights["month"]).preview == "1000 rows: month int64"

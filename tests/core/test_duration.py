"""The words for a duration."""

import pytest

from cloaca_nb.core.duration import duration

DURATIONS = [
    (None, ""),
    (-0.2, "< 1 ms"),
    (0.0, "< 1 ms"),
    (0.0004, "< 1 ms"),
    (0.0006, "1 ms"),
    (0.0421, "42 ms"),
    (0.9994, "999 ms"),
    (0.9996, "1.0 s"),
    (59.94, "59.9 s"),
    (59.96, "1 m 00 s"),
    (3599.4, "59 m 59 s"),
    (3720, "1 h 02 m"),
    (90_000, "25 h 00 m"),
]


@pytest.mark.parametrize(("seconds", "words"), DURATIONS)
def test_durations_are_for_people(seconds, words):
    assert duration(seconds) == words

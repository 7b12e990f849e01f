"""Masks for times within a run and paths below its folders."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from cloaca_nb.values.masks import Masks

BEGAN = datetime(2026, 5, 1, 12, tzinfo=UTC)
MASKS = Masks(BEGAN, BEGAN + timedelta(minutes=1), ("/home/ada/work", "/srv/x"))
NOW = BEGAN + timedelta(seconds=30)
CASES = {
    "a time within": (NOW, "<time>"),
    "without a zone": (NOW.replace(tzinfo=None), "<time>"),
    "as on the clocks here": (NOW.astimezone().replace(tzinfo=None), "<time>"),
    "before": (BEGAN - timedelta(hours=30), BEGAN - timedelta(hours=30)),
    "a date": (date(2026, 5, 1), date(2026, 5, 1)),
    "seconds": (NOW.timestamp(), "<time>"),
    "a number": (2.5, 2.5),
    "in a text": ("made 2026-05-01T12:00:30Z here", "made <time> here"),
    "with a space": ("2026-05-01 12:00:30.123456+00:00", "<time>"),
    "another time in a text": ("due 2013-01-01T00:00", "due 2013-01-01T00:00"),
    "no time at all": ("2026-99-99T99:99", "2026-99-99T99:99"),
    "a path": (Path("/home/ada/work/out.csv"), "<path>"),
    "a folder itself": (Path("/srv/x"), "<path>"),
    "another path": (Path("/home/adam/out.csv"), Path("/home/adam/out.csv")),
    "a path in a text": ("in '/srv/x/abc/y.csv', twice", "in '<path>', twice"),
    "a longer name": ("/srv/xyz/a", "/srv/xyz/a"),
    "in containers": ([(NOW,), {"at": NOW, "n": 1}], [("<time>",), {"at": "<time>", "n": 1}]),
    "a whole number stays what it is": (True, True),
}


@pytest.mark.parametrize("case", CASES)
def test_only_what_is_new_in_each_run_is_masked(case) -> None:
    value, masked = CASES[case]
    found = MASKS.masked(value)
    assert found == masked
    assert type(found) is type(masked)

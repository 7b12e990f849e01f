"""Time and run ids: the only place that asks the machine for either."""

import os
import time
from datetime import UTC, datetime
from typing import ClassVar

__all__ = ["RunClock", "elapsed", "new_run_id", "now", "rfc3339"]

now = time.time  # seconds since the Unix epoch
elapsed = time.monotonic  # seconds since some moment, whatever is done to the clock


class RunClock:
    """The time of one run: the wall clock's when it begins, and from there on nobody can set it.

    So nothing in a run ends before it begins. Nor does a run begin before another of this process was over: the latest
    run is the one that began last, whatever was done to the wall clock in between.

    Attributes:
        zero: what `now` says when `elapsed` is 0, for who can't spare a call.
    """

    _latest: ClassVar[float] = 0.0  # what any of them has said

    def __init__(self) -> None:
        self.zero = max(time.time(), self._latest) - elapsed()

    def now(self) -> float:
        """Return the seconds since the Unix epoch."""
        at = self.zero + elapsed()
        RunClock._latest = max(at, self._latest)
        return at


def new_run_id(at: float) -> str:
    """Return a UUIDv7 (RFC 9562, section 5.7): its first 48 bits are the time in milliseconds, so ids sort by time.

    Args:
        at: seconds since the Unix epoch.
    """
    value = int(at * 1000) << 80 | int.from_bytes(os.urandom(10))
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    text = f"{value:032x}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def rfc3339(seconds: float) -> str:
    """Return a time as text in UTC: "2026-01-31T12:00:00.000000+00:00"."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds")

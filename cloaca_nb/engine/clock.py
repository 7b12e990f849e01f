"""Time and run ids: the only place that asks the machine for either."""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import ClassVar, Final

__all__ = ["RunClock", "elapsed", "new_run_id", "now", "passed", "rfc3339"]

now = time.time  # seconds since the Unix epoch
# Seconds since some moment, whatever is done to the clock; for timeouts, so that the machine's sleep counts for none.
elapsed = time.monotonic
# The same with the time that the machine has slept, where it says so: some 50 ns dearer. For when things happened.
passed: Final[Callable[[], float]] = (
    partial(time.clock_gettime, time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic
)


class RunClock:
    """The time of one run: the wall clock's when it begins, and from there on nobody can set it, nor does it sleep.

    So nothing in a run ends before it begins. Nor does a run begin before another of this process was over: the latest
    run is the one that began last, whatever was done to the wall clock in between.

    Attributes:
        zero: what `now` says when `passed` is 0, for who can't spare a call.
    """

    _latest: ClassVar[float] = 0.0  # what any of them has said

    def __init__(self) -> None:
        self.zero = max(time.time(), self._latest) - passed()

    def now(self) -> float:
        """Return the seconds since the Unix epoch."""
        at = self.zero + passed()
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

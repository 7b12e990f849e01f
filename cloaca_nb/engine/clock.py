"""Time and run ids: the only place that asks the machine for either."""

import os
import time
from datetime import UTC, datetime

__all__ = ["elapsed", "new_run_id", "now", "rfc3339"]

now = time.time  # seconds since the Unix epoch
elapsed = time.monotonic  # seconds since some moment, whatever is done to the clock


def new_run_id() -> str:
    """Return a UUIDv7 (RFC 9562, section 5.7): its first 48 bits are the time in milliseconds, so ids sort by time."""
    value = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10))
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    text = f"{value:032x}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def rfc3339(seconds: float) -> str:
    """Return a time as text in UTC: "2026-01-31T12:00:00.000000+00:00"."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds")

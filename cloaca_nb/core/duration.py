"""The words for a duration: the same in panel, picture, tables and results."""

from typing import Final

__all__ = ["duration"]

MINUTE: Final = 60  # seconds
HOUR: Final = 3600


def duration(seconds: float | None) -> str:
    """Return a duration for people; empty for None.

    Args:
        seconds: how long; what is below zero counts as nothing.

    >>> duration(0.00004), duration(0.0421), duration(3.14159), duration(75), duration(3720)
    ('< 1 ms', '42 ms', '3.1 s', '1 m 15 s', '1 h 02 m')
    """
    if seconds is None:
        return ""
    milliseconds = round(max(seconds, 0.0) * 1000)
    if milliseconds < 1:
        return "< 1 ms"
    if milliseconds < 1000:  # noqa: PLR2004 - a second
        return f"{milliseconds} ms"
    if seconds < MINUTE - 0.05:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < HOUR:
        return f"{whole // MINUTE} m {whole % MINUTE:02d} s"
    return f"{whole // HOUR} h {whole % HOUR // MINUTE:02d} m"

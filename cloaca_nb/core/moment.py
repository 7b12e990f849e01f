"""The words for a moment: the same in every table and message."""

from datetime import UTC, datetime, tzinfo

__all__ = ["moment"]


def moment(at: datetime, zone: tzinfo | None = None) -> str:
    """Return a moment for people: as on the clocks here, with what these are ahead of UTC.

    Args:
        at: in UTC, without a zone: as history keeps it, and as its frames hold it.
        zone: whose clocks; None: this computer's.

    >>> from datetime import timedelta, timezone
    >>> moment(datetime(2026, 1, 31, 23, 30), timezone(timedelta(hours=5, minutes=30)))
    '2026-02-01 05:00:00+05:30'
    """
    return at.replace(tzinfo=UTC).astimezone(zone).isoformat(" ", "seconds")

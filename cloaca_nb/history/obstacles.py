"""What keeps a history from being used just now, in words that say what to do."""

import errno
import os
from typing import Final

from cloaca_nb.errors import HistoryError
from cloaca_nb.history.location import ELSEWHERE, Location

__all__ = ["held", "is_full", "read_only", "unreadable", "unrecordable", "unusable"]

NO_ROOM: Final = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)
NO_LOCKS: Final = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP)


def held(location: Location, why: str) -> HistoryError:
    """Say that somebody else is at it, and who."""
    return HistoryError(
        f"History {location} can't be used now: {why}. What was recorded is safe in its journals. "
        "Close the other connection, or read through cloaca_nb's own sql()."
    )


def read_only(location: Location) -> HistoryError:
    """Say that it can't be written to."""
    path = location.path
    if path is not None and not path.parent.is_dir():
        return HistoryError(f"History {path} is gone: there is no folder {path.parent} any more.")
    return HistoryError(
        f"History {location} can't be written to. Make the file and its folder writable, or {ELSEWHERE}."
    )


def unusable(location: Location, error: OSError) -> HistoryError:
    """Say what the system refuses."""
    hint = (
        "Its drive keeps no locks, and by these processes take turns: " if error.errno in NO_LOCKS else "Mend that, or "
    )
    return HistoryError(f"History {location} can't be used: {error}. {hint}{ELSEWHERE}.")


def unrecordable(location: Location, error: OSError) -> HistoryError:
    """Say why no run can be recorded."""
    hint = "Free some space" if is_full(error) else "Make its folder writable"
    return HistoryError(f"Runs can't be recorded in {location}: {error}. {hint}, or {ELSEWHERE}.")


def unreadable(location: Location, error: Exception) -> HistoryError:
    """Say what DuckDB says of it."""
    said = f"{error}".rstrip(".")
    if is_full(error):
        return HistoryError(
            f"History {location} can't be written: {said}. Free some space. What was recorded until now is "
            "safe, in the database and in the journals beside it."
        )
    return HistoryError(
        f"History {location} can't be opened: {said}. "
        "If it is another program's file, name another one for the history; if it is damaged, move it away "
        "and a new one is begun. What isn't in it yet is safe in its journals."
    )


def is_full(error: BaseException) -> bool:
    """Return whether there was no room on the disk; DuckDB says so in the words of the system."""
    return any(os.strerror(code) in str(error) for code in NO_ROOM)

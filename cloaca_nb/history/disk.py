"""Having files on the disk itself, where they outlive the machine: as each system lets a program ask for it."""

import contextlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

__all__ = ["sync", "sync_folder"]


def sync_on(platform: str) -> Callable[[int], object]:
    """Return what has the bytes of an open file, given by its descriptor, on the disk.

    Args:
        platform: as `sys.platform` names it.
    """
    return _through_the_drive if platform == "darwin" else getattr(os, "fdatasync", os.fsync)


def _through_the_drive(descriptor: int) -> None:
    """Do so on macOS, where fsync leaves them in the drive's own memory, which a power cut empties (fsync(2) there)."""
    import fcntl  # noqa: PLC0415 - Windows has none

    try:
        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)  # type: ignore[attr-defined]  # macOS has it
    except OSError:  # a drive of another kind, as in the network: it can no more than this
        os.fsync(descriptor)


# Raises OSError if the disk fails.
sync: Final = sync_on(sys.platform)


def sync_folder(folder: Path) -> None:
    """Make a new file's name durable, where a folder can be opened (not on Windows)."""
    with contextlib.suppress(PermissionError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

"""What the journals of a folder hold, and which of their processes live: the reading side of `journal`."""

import contextlib
import errno
import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cloaca_nb.history.journal import is_held, lock_path, native_lock, remove_lock

__all__ = ["Backlog", "Segment"]

SEGMENT_SUFFIX: Final = ".jsonl"
LOCK_SUFFIX: Final = ".lock"
FORBIDDEN: Final = (errno.EACCES, errno.EPERM, errno.EROFS)


@dataclass(frozen=True, slots=True)
class Segment:
    """One file of a journal."""

    journal: str
    number: int
    path: Path

    @property
    def size(self) -> int:
        """Its bytes on disk; 0 if its process has just removed it."""
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            return 0

    def read(self, start: int, enough: int = -1) -> list[bytes]:
        """Return the whole lines from a place on, with their line ends; what follows the last of them is left out.

        Args:
            start: where a line begins, in bytes.
            enough: bytes after which no further line is begun; negative: all there are.
        """
        try:
            file = self.path.open("rb")
        except FileNotFoundError:  # its process has just removed it, because it held nothing
            return []
        with file:
            file.seek(start)
            block = file.read(enough)
            if enough >= 0 and not block.endswith(b"\n"):
                block += file.readline()
        lines = block.splitlines(keepends=True)
        return lines if not lines or lines[-1].endswith(b"\n") else lines[:-1]

    def schema(self) -> int | None:
        """Return for which schema version it was written, or None if even its first line isn't whole."""
        with self.path.open("rb") as file:
            first = file.readline()
        return int(json.loads(first)["schema"]) if first.endswith(b"\n") else None


@dataclass(frozen=True, slots=True)
class Backlog:
    """The journals of one folder."""

    folder: Path

    def journals(self) -> dict[str, list[Segment]]:
        """Return every journal's segments in order; a journal may have none."""
        found: dict[str, list[Segment]] = defaultdict(list)
        for path in sorted(self.folder.iterdir()) if self.folder.is_dir() else ():
            if path.suffix == LOCK_SUFFIX:
                found[path.stem].extend(())
            elif path.suffix == SEGMENT_SUFFIX:
                journal, _, number = path.stem.rpartition(".")
                if number.isdecimal():
                    found[journal].append(Segment(journal, int(number), path))
        return found

    def is_dead(self, journal: str) -> bool:
        """Return whether the process of a journal is dead; then it stays so: no other takes up its name.

        On a drive that several machines share this needs a server that keeps locks for all of them, as those of NFS 4
        and SMB do. Where each machine keeps its own, a run on another one looks Interrupted while it goes on; that
        process is told that its journal was deleted, and goes on in a new one.
        """
        lock = native_lock(lock_path(self.folder, journal))
        try:
            lock.acquire(blocking=False)
        except OSError as error:  # held by its process; or a folder where nothing can be locked, so nobody knows
            return error.errno in FORBIDDEN and not self._is_held(journal)
        lock.release()
        return True

    def _is_held(self, journal: str) -> bool:
        with contextlib.suppress(OSError):
            return is_held(lock_path(self.folder, journal))
        return True  # nor can it be read

    def forget(self, journal: str) -> None:
        """Remove the lock of a journal that is over; not of one that its process has only just begun, and holds now."""
        lock = native_lock(lock_path(self.folder, journal))
        try:
            lock.acquire(blocking=False)
        except OSError:
            return
        remove_lock(self.folder, journal)
        lock.release()

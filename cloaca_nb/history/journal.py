"""A process's own journal: lines that are on disk when `sync` returns, written without asking any other process.

A journal is one or more segments ``<name>.<number>.jsonl`` beside ``<name>.lock``. The process holds the lock for as
long as it may write: that lock, and nothing else, is the mark that it lives. Only the last segment grows. A reader may
take any whole line at any time; what stands after the last line end is still being written, or was torn by a crash.
"""

import contextlib
import os
import secrets
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, Protocol

from cloaca_nb.history.disk import sync, sync_folder

if TYPE_CHECKING:
    from filelock import BaseFileLock

__all__ = [
    "SEGMENT_SIZE",
    "FileJournal",
    "Journal",
    "MemoryJournal",
    "is_held",
    "lock_path",
    "native_lock",
    "remove_lock",
    "segment_path",
]

PATIENCE: Final = 1.0  # seconds for a lock of our own: who looks whether a process lives holds it for a moment
TICK: Final = 0.002  # seconds between two tries
SEGMENT_SIZE: Final = 8 << 20  # bytes after which a journal goes on in a new segment, and the old one can be merged


class Journal(Protocol):
    """Where lines go, and from where the store takes them."""

    @property
    def name(self) -> str:
        """Unique over processes and hosts; sorts by time."""

    @property
    def error(self) -> Exception | None:
        """Why what was appended isn't all durable; None when it is."""

    def append(self, line: bytes) -> None:
        """Have one line, given without its line end, outlive this process. Never raises: what fails is kept."""

    def sync(self) -> None:
        """Have all lines on disk, where they outlive the machine. Never raises: what fails is tried the next time."""

    def close(self) -> None:
        """Write what is left, and let others know that nothing more comes."""


class MemoryJournal:
    """The lines of a history that has no file."""

    def __init__(self) -> None:
        self.name = _new_name()
        self.error: Exception | None = None
        self._lines: list[bytes] = []

    def append(self, line: bytes) -> None:
        """Keep one line."""
        self._lines.append(line)

    def sync(self) -> None:
        """Do nothing: there is no disk."""

    def lines(self) -> list[bytes]:
        """Return the lines that aren't forgotten."""
        return self._lines.copy()

    def forget(self, count: int) -> None:
        """Forget the first lines: they are merged."""
        del self._lines[:count]

    def close(self) -> None:
        """Do nothing: the lines can still be read."""


class Deleted(FileNotFoundError):  # noqa: N818 - what has happened to a file
    """What was written is in a file that has no name any more."""


class FileJournal:
    """The journal of this process in a folder that many share; for one thread, but for reading `error`.

    Args:
        folder: where the journals of one history lie; made if it isn't there.
        header: makes of the journal's name what the first line of every segment says.
        on_segment: called when a segment is complete.
        segment_size: bytes after which the next segment begins.

    Raises:
        OSError: if the folder can't be written to.
    """

    def __init__(
        self,
        folder: Path,
        header: Callable[[str], bytes],
        on_segment: Callable[[], None],
        *,
        segment_size: int = SEGMENT_SIZE,
    ) -> None:
        self.name = _new_name()
        self.error: Exception | None = None
        self._folder = folder
        self._header = header(self.name)
        self._segment_size = segment_size
        self._on_segment = on_segment
        self._number = 0
        self._recent = b""  # the lines since the last sync
        self._written = 0  # so many bytes of them are in the file
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = native_lock(lock_path(folder, self.name))
        self._lock.acquire(timeout=PATIENCE, poll_interval=TICK)
        try:
            self._next_segment()
        except OSError:
            self._remove()
            raise

    def append(self, line: bytes) -> None:
        """Have the line in the file on return, else in memory and the reason in `error`."""
        self._recent += line + b"\n"
        if self.error is None:
            self._try(self._write)

    def sync(self) -> None:
        """Have all lines on disk on return, else in memory and the reason in `error`."""
        if isinstance(self.error, Deleted):
            self._begin_again()
        elif self._recent or self.error is not None:
            self._try(self._write_durably)
        if self.error is None and self._size >= self._segment_size:
            self._rotate()

    def close(self) -> None:
        """Write what is left and give the lock back; a journal that holds nothing but its header is removed."""
        if self._recent:
            self._try(self._write_durably)
        self._file.close()
        if self._number == 1 and self._size == len(self._header) + 1 and not self._recent:
            self._remove()
        self._lock.release()

    def _try(self, write: Callable[[], None]) -> None:
        """Write; if that fails, all since the last sync is written again the next time, over what is there of it."""
        try:
            write()
        except OSError as error:
            self.error, self._written = error, 0

    def _write(self) -> None:
        _write(self._file, self._size + self._written, memoryview(self._recent)[self._written :])
        self._written = len(self._recent)

    def _write_durably(self) -> None:
        self._write()
        _have_on_disk(self._file)
        self._size += len(self._recent)
        self._recent, self._written, self.error = b"", 0, None

    def _begin_again(self) -> None:
        """Go on in a new segment: the last one was deleted, and perhaps all that is in the folder."""
        deleted = self._file
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if not lock_path(self._folder, self.name).exists():
                self._lock.release()
                self._lock = native_lock(lock_path(self._folder, self.name))
                self._lock.acquire(timeout=PATIENCE, poll_interval=TICK)
            self._next_segment()
        except OSError:
            return  # the next sync tries again
        deleted.close()
        self._try(self._write_durably)

    def _rotate(self) -> None:
        full = self._file
        try:
            self._next_segment()
        except OSError as error:
            self.error = error  # what was appended is safe; the next sync tries again
            return
        full.close()
        self._on_segment()

    def _next_segment(self) -> None:
        file = segment_path(self._folder, self.name, self._number + 1).open("wb", buffering=0)
        try:
            _write(file, 0, self._header + b"\n")
            _have_on_disk(file)
            sync_folder(self._folder)
        except OSError:
            file.close()
            raise
        self._file, self._size, self._written = file, len(self._header) + 1, 0
        self._number += 1

    def _remove(self) -> None:
        segment_path(self._folder, self.name, 1).unlink(missing_ok=True)
        remove_lock(self._folder, self.name)


def lock_path(folder: Path, name: str) -> Path:
    """Return the file whose lock marks that the journal's process lives."""
    return folder / f"{name}.lock"


def segment_path(folder: Path, name: str, number: int) -> Path:
    """Return the file of a journal's segment, counted from 1."""
    return folder / f"{name}.{number:06d}.jsonl"


def remove_lock(folder: Path, name: str) -> None:
    """Remove a journal's lock, which the caller holds."""
    with contextlib.suppress(PermissionError):  # Windows keeps a file that is open; giving the lock back removes it
        lock_path(folder, name).unlink(missing_ok=True)


def native_lock(path: Path) -> "BaseFileLock":
    """Return a lock on a file that ends with its process, however that ends."""
    from filelock import FileLock  # noqa: PLC0415 - importing the package loads the standard library only

    return FileLock(path, thread_local=False, fallback_to_soft=False)  # a soft lock would outlive its process


def is_held(path: Path) -> bool:
    """Return whether a process holds the lock of a file that the caller may only read."""
    if sys.platform == "win32":
        return True  # there such a lock can't be asked for: nobody knows
    import fcntl  # noqa: PLC0415 - Windows has none

    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _new_name() -> str:
    return f"{time.time_ns():016x}-{secrets.token_hex(4)}"


def _write(file: IO[bytes], start: int, data: bytes | memoryview) -> None:
    """Write at a place."""
    file.seek(start)
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest) :]


def _have_on_disk(file: IO[bytes]) -> None:
    """Return when what was written is on the disk.

    Raises:
        OSError: if the disk fails, or if the file was deleted, so that no reader will ever find it.
    """
    sync(file.fileno())
    if os.fstat(file.fileno()).st_nlink == 0:
        raise Deleted(f"{file.name} was deleted while it was in use")

"""A process's own journal: lines that are on disk when `append` returns, written without asking any other process.

A journal is one or more segments ``<name>.<number>.jsonl`` beside ``<name>.lock``. The process holds the lock for as
long as it may write: that lock, and nothing else, is the mark that it lives. Only the last segment grows. A reader may
take any whole line at any time; what stands after the last line end is still being written, or was torn by a crash.
"""

import contextlib
import os
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from filelock import BaseFileLock

__all__ = [
    "SEGMENT_SIZE",
    "FileJournal",
    "Journal",
    "MemoryJournal",
    "lock_path",
    "native_lock",
    "remove_lock",
    "segment_path",
    "sync_folder",
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
        """Keep one line, given without its line end. Never raises: what fails is kept for the next time."""

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
    """The journal of this process in a folder that many share; `append` and `close` are for one thread.

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
        self._unwritten = b""
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = native_lock(lock_path(folder, self.name))
        self._lock.acquire(timeout=PATIENCE, poll_interval=TICK)
        try:
            self._next_segment()
        except OSError:
            self._remove()
            raise

    def append(self, line: bytes) -> None:
        """Have the line on disk on return, else in memory and the reason in `error`."""
        self._unwritten += line + b"\n"
        if isinstance(self.error, Deleted):
            self._begin_again()
        else:
            self._write()
        if self.error is None and self._size >= self._segment_size:
            self._rotate()

    def close(self) -> None:
        """Write what is left and give the lock back; a journal that holds nothing but its header is removed."""
        if self._unwritten:
            self._write()
        self._file.close()
        if self._number == 1 and self._size == len(self._header) + 1 and not self._unwritten:
            self._remove()
        self._lock.release()

    def _write(self) -> None:
        """Write what isn't on disk yet, always from the end of what is: a write that failed half way is overwritten."""
        try:
            _write_durably(self._file, self._size, self._unwritten)
        except OSError as error:
            self.error = error
        else:
            self._size += len(self._unwritten)
            self._unwritten = b""
            self.error = None

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
            return  # the next append tries again
        deleted.close()
        self._write()

    def _rotate(self) -> None:
        full = self._file
        try:
            self._next_segment()
        except OSError as error:
            self.error = error  # what was appended is safe; the next append tries again
            return
        full.close()
        self._on_segment()

    def _next_segment(self) -> None:
        file = segment_path(self._folder, self.name, self._number + 1).open("wb", buffering=0)
        try:
            _write_durably(file, 0, self._header + b"\n")
            sync_folder(self._folder)
        except OSError:
            file.close()
            raise
        self._file, self._size = file, len(self._header) + 1
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

    return FileLock(path, thread_local=False)


def _new_name() -> str:
    return f"{time.time_ns():016x}-{secrets.token_hex(4)}"


def _write_durably(file: IO[bytes], start: int, data: bytes) -> None:
    """Write at a place and return when it is on the disk.

    Raises:
        OSError: if the disk fails, or if the file was deleted, so that no reader will ever find it.
    """
    file.seek(start)
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest) :]
    _sync(file.fileno())
    if os.fstat(file.fileno()).st_nlink == 0:
        raise Deleted(f"{file.name} was deleted while it was in use")


_sync: Final = getattr(os, "fdatasync", os.fsync)


def sync_folder(folder: Path) -> None:
    """Make a new file's name durable, where a folder can be opened (not on Windows)."""
    with contextlib.suppress(PermissionError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

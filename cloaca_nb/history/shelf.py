"""Where artifacts lie: in files beside the database, or in memory; each is written once, whole, and never changed.

In a folder, an artifact is ``ab/abcd….FORMAT``. It is written under another name, is on the disk, and only then gets
its own: whoever finds it finds all of it. What is found again gets a new time, and `remove` takes nothing young, so
no value goes between the moment in which it is found and that in which history refers to it.
"""

import contextlib
import mmap
import os
import re
import secrets
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import IO, Any, Final, Protocol

from cloaca_nb.history.disk import sync, sync_folder

__all__ = ["FileShelf", "MemoryShelf", "Shelf", "Write"]

Write = Callable[[IO[bytes]], None]
NAME: Final = re.compile(r"[0-9a-f]{32}\.[a-z]+")
LEFT_OVER: Final = re.compile(r"[0-9a-f]{32}\.[a-z0-9.]+\.(part|damaged|removing)")  # by a crash in the middle


class Shelf(Protocol):
    """Keeps bytes under names."""

    def write(self, write: Write) -> tuple[Any, Callable[[str | None], None]]:
        """Write something; return it as a buffer, and what gives it its name (None: it isn't wanted)."""

    def find(self, name: str) -> bool:
        """Return whether there is such an artifact; if so, it stays for the time being."""

    def read(self, name: str) -> Any:
        """Return an artifact as a buffer whose changes never reach it; KeyError if there is none."""

    def names(self) -> Iterator[tuple[str, int]]:
        """Yield name and size in bytes of each artifact."""

    def remove(self, name: str, older_than: float) -> bool:
        """Remove an artifact that wasn't found for so many seconds; return whether it is gone."""

    def set_aside(self, name: str) -> None:
        """Make room for a new copy of an artifact that is damaged."""


class MemoryShelf:
    """The artifacts of a history that has no file."""

    def __init__(self) -> None:
        self._items: dict[str, bytes] = {}

    def write(self, write: Write) -> tuple[bytes, Callable[[str | None], None]]:
        """Keep the bytes."""
        file = BytesIO()
        write(file)
        data = file.getvalue()

        def name_it(name: str | None) -> None:
            if name is not None:
                self._items.setdefault(name, data)

        return data, name_it

    def find(self, name: str) -> bool:
        """Return whether it is there."""
        return name in self._items

    def read(self, name: str) -> bytes:
        """Return the bytes."""
        return self._items[name]

    def names(self) -> Iterator[tuple[str, int]]:
        """Yield what is there."""
        return iter([(name, len(data)) for name, data in self._items.items()])

    def remove(self, name: str, older_than: float) -> bool:  # noqa: ARG002 - no other process can be about to refer to it
        """Forget it."""
        return self._items.pop(name, None) is not None

    def set_aside(self, name: str) -> None:
        """Forget it."""
        self._items.pop(name, None)


class FileShelf:
    """The artifacts in a folder that many processes share.

    Args:
        folder: made when the first artifact is written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._safe: set[Path] = set()  # of which this process has made sure that their names outlive a power cut

    def write(self, write: Write) -> tuple[Any, Callable[[str | None], None]]:
        """Write a file and have it on the disk.

        Raises:
            OSError: if the disk fails or is full; nothing is left of the file.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{secrets.token_hex(16)}.new.part"
        try:
            with path.open("wb") as file:
                write(file)
                file.flush()
                sync(file.fileno())
            data = _mapped(path)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return data, lambda name: self._settle(path, name)

    def find(self, name: str) -> bool:
        """Return whether it is there, and make it young."""
        try:
            os.utime(self._path(name))
        except FileNotFoundError:
            return False
        self._make_safe(name)
        return True

    def read(self, name: str) -> Any:
        """Map the file into memory, privately: it can be written to, and no change reaches the file."""
        path = self._path(name)
        for place in (path, _marked(path, "removing"), path):  # it may be coming back, see `remove`
            with contextlib.suppress(FileNotFoundError):
                return _mapped(place)
        raise KeyError(name)

    def names(self) -> Iterator[tuple[str, int]]:
        """Yield what is there; other files aren't looked at."""
        for path in sorted(self._folder.glob("[0-9a-f][0-9a-f]/*")):
            if NAME.fullmatch(path.name) and path.name.startswith(path.parent.name):
                with contextlib.suppress(FileNotFoundError):
                    yield path.name, path.stat().st_size

    def remove(self, name: str, older_than: float) -> bool:
        """Remove a file unless somebody found it lately: it is moved first, so that who looks now writes it anew."""
        path = self._path(name)
        moved = _marked(path, "removing")
        try:
            if not _is_old(path, older_than):
                return False
            path.replace(moved)
            if not _is_old(moved, older_than):  # found between the two: it goes back
                moved.replace(path)
                return False
            moved.unlink()
        except (FileNotFoundError, PermissionError):  # another was faster; Windows keeps what is mapped
            return False
        self._safe.discard(path)
        return True

    def sweep(self, older_than: float) -> None:
        """Remove what a crash left half done; an artifact on its way out goes back to its place, and can go again."""
        for path in [*self._folder.glob("*.part"), *self._folder.glob("[0-9a-f][0-9a-f]/*.*.*")]:
            with contextlib.suppress(FileNotFoundError, PermissionError):
                if LEFT_OVER.fullmatch(path.name) and _is_old(path, older_than):
                    if path.suffix == ".removing" and not path.with_suffix("").exists():
                        path.replace(path.with_suffix(""))
                    else:
                        path.unlink()

    def set_aside(self, name: str) -> None:
        """Rename a damaged file, so that the next run writes it anew."""
        path = self._path(name)
        with contextlib.suppress(FileNotFoundError, PermissionError):
            path.replace(_marked(path, "damaged"))

    def _settle(self, path: Path, name: str | None) -> None:
        if name is None or self.find(name):
            path.unlink(missing_ok=True)
            return
        target = self._path(name)
        try:
            target.parent.mkdir(exist_ok=True)
            path.replace(target)
        except OSError:
            path.unlink(missing_ok=True)
            raise
        self._make_safe(name)

    def _make_safe(self, name: str) -> None:
        path = self._path(name)
        for one in (path, path.parent, self._folder):
            if one not in self._safe:
                sync_folder(one.parent)
                self._safe.add(one)

    def _path(self, name: str) -> Path:
        return self._folder / name[:2] / name


def _mapped(path: Path) -> Any:
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_size == 0:
            return b""
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)


def _marked(path: Path, mark: str) -> Path:
    return path.with_name(f"{path.name}.{mark}")


def _is_old(path: Path, seconds: float) -> bool:
    return time.time() - path.stat().st_mtime >= seconds

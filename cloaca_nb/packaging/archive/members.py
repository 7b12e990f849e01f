"""An archive's members, read without trust: a bzip2 tar is unpacked under limits, and no member is written unchecked.

First the whole stream is decompressed into a file without a name, which the system takes back however this process
ends; what is too much, or has too many members, ends there. Then every header is read, with a budget that stops those
which expand without end. Members are written only by `Archive.extract`, and only after all of them were found to be
plain files in plain folders.
"""

import bz2
import os
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from time import monotonic
from typing import IO, Final, NamedTuple

from cloaca_nb.errors import PackageError
from cloaca_nb.packaging.archive.counting import MemberCount, too_many
from cloaca_nb.packaging.archive.limits import MB, Limits
from cloaca_nb.packaging.archive.member_names import collisions, name_problem, shown, tidy

__all__ = ["CHUNK", "Archive", "Limits", "Member", "archive_in", "open_archive"]

CHUNK: Final = 256 * 1024  # bytes
BLOCK: Final = tarfile.BLOCKSIZE
MOST_PROBLEMS: Final = 20  # that are worth reading
_KINDS: Final = {
    tarfile.SYMTYPE: "a symbolic link",
    tarfile.LNKTYPE: "a hard link",
    tarfile.CHRTYPE: "a device",
    tarfile.BLKTYPE: "a device",
    tarfile.FIFOTYPE: "a FIFO",
    tarfile.GNUTYPE_SPARSE: "a sparse file",
}
_OTHER_FORMATS: Final = {
    b"\x1f\x8b": "gzip",
    b"\xfd7zXZ": "xz",
    b"PK\x03\x04": "a zip file",
    b"\x28\xb5\x2f\xfd": "zstd",
}


class Member(NamedTuple):
    """A file in an archive: where its bytes lie in the unpacked stream."""

    path: str
    start: int
    length: int
    is_executable: bool


@dataclass(frozen=True, slots=True)
class Archive:
    """An archive whose members are known.

    Attributes:
        members: the files by path, in the archive's order; of those that `problems` names, none.
        problems: why members are refused; with any of these nothing is extracted.
        packed: the archive's size in bytes.
        unpacked: the size of all files in bytes.
    """

    members: Mapping[str, Member]
    problems: tuple[str, ...]
    packed: int
    unpacked: int
    _stream: IO[bytes] = field(repr=False)

    def chunks(self, path: str) -> Iterator[bytes]:
        """Yield the bytes of a member, piece by piece."""
        member = self.members[path]
        for done in range(0, member.length, CHUNK):
            self._stream.seek(member.start + done)
            yield self._stream.read(min(CHUNK, member.length - done))

    def read(self, path: str) -> bytes:
        """Return the bytes of a member that is known to be small."""
        return b"".join(self.chunks(path))

    def extract(self, folder: Path) -> None:
        """Write every member below a folder that is empty and nobody else writes to.

        Raises:
            PackageError: if a member is refused, or the disk doesn't take it.
        """
        if self.problems:
            raise PackageError(self.problems[0], self.problems)
        try:
            for path, member in self.members.items():
                target = folder / path
                target.parent.mkdir(parents=True, exist_ok=True)
                with target.open("xb") as file:
                    file.writelines(self.chunks(path))
                if member.is_executable:
                    target.chmod(0o700)
        except OSError as error:
            raise PackageError(f"The archive can't be unpacked: {error}.") from error


@contextmanager
def open_archive(
    path: Path, limits: Limits | None = None, *, clock: Callable[[], float] = monotonic
) -> Iterator[Archive]:
    """Read which members an archive has; its bytes can be read for the length of the block.

    Args:
        path: the file.
        limits: what it may cost; None: the usual.
        clock: seconds, from whenever.

    Raises:
        PackageError: if it is no bzip2 tar, is damaged, or breaks a limit.
    """
    within = limits or Limits()
    with tempfile.TemporaryFile() as stream:
        packed = _decompress(path, stream, within)
        yield archive_in(stream, packed, within, clock=clock)


def archive_in(stream: IO[bytes], packed: int, limits: Limits, *, clock: Callable[[], float] = monotonic) -> Archive:
    """Read which members an archive has whose tar stream is there already.

    Args:
        stream: the tar, uncompressed.
        packed: the archive's size in bytes.
        limits: what it may cost.
        clock: seconds, from whenever.

    Raises:
        PackageError: if it is no tar, is damaged, or breaks a limit.
    """
    _check_size(stream.seek(0, os.SEEK_END), packed, limits)
    members, problems = _members(stream, limits, clock)
    unpacked = sum(member.length for member in members.values())
    return Archive(members, tuple(problems), packed, unpacked, stream)


def _decompress(path: Path, stream: IO[bytes], limits: Limits) -> int:
    """Write what an archive unpacks to, and return the archive's size."""
    try:
        with path.open("rb") as file:
            _check_format(path, file.read(BLOCK))
            packed = os.fstat(file.fileno()).st_size
        count = MemberCount(limits.members)
        with bz2.open(path) as source:
            while chunk := source.read(CHUNK):
                stream.write(chunk)
                _check_size(stream.tell(), packed, limits)
                count.take(chunk)
    except EOFError as error:
        raise PackageError(f"{path.name} is cut off: its compressed data ends too early. Copy it again.") from error
    except OSError as error:
        raise PackageError(f"{path.name} can't be read: {error}.") from error
    return packed


def _check_format(path: Path, begin: bytes) -> None:
    if begin.startswith(b"BZh"):
        return
    other = next((name for magic, name in _OTHER_FORMATS.items() if begin.startswith(magic)), None)
    what = other or ("an uncompressed tar" if begin[257:262] == b"ustar" else "something else")
    what = "empty" if not begin else what
    raise PackageError(f"{path.name} is no bzip2 tar: it is {what}. Make it with `tar -cjf` or `cloaca-nb pack`.")


def _check_size(unpacked: int, packed: int, limits: Limits) -> None:
    if unpacked > limits.unpacked:
        raise PackageError(f"It unpacks to more than {limits.unpacked // MB} MB, which is the most that is loaded.")
    if unpacked > max(limits.ratio_from, limits.ratio * packed):
        raise PackageError(
            f"It unpacks to more than {limits.ratio} times its size, beyond {limits.ratio_from // MB} MB: a "
            "decompression bomb looks like that."
        )


def _members(stream: IO[bytes], limits: Limits, clock: Callable[[], float]) -> tuple[dict[str, Member], list[str]]:
    """Return the files by path, and what is wrong with members."""
    end = stream.seek(0, os.SEEK_END)
    files: dict[str, Member] = {}
    problems: list[str] = []
    for info in _headers(stream, end, limits, clock):
        path = tidy(info.name)
        problem = _problem(info, path)
        if problem is None and info.isfile():
            problem = f"There are two members {shown(path)}." if path in files else None
            files.setdefault(path, Member(path, info.offset_data, info.size, bool(info.mode & 0o100)))
        if problem is not None:
            problems.append(problem)
    problems += islice(collisions(files), MOST_PROBLEMS)
    more = len(problems) - MOST_PROBLEMS
    return files, [*problems[:MOST_PROBLEMS], *([f"{more} more members are refused."] if more > 0 else [])]


def _problem(info: tarfile.TarInfo, path: str) -> str | None:
    """Return why a member is refused, or None."""
    if info.type in _KINDS or info.issparse():
        kind = _KINDS.get(info.type, "a sparse file")
        return f"Member {shown(info.name)} is {kind}; only files and folders are loaded."
    if info.type not in (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.DIRTYPE):
        return f"Member {shown(info.name)} is of an unknown kind; only files and folders are loaded."
    if (problem := name_problem(info.name)) is not None:
        return problem
    if not path and info.isfile():
        return f"Member {shown(info.name)} has no name."
    return _refused_by_tarfile(info)


def _refused_by_tarfile(info: tarfile.TarInfo) -> str | None:
    """Return what the standard library's own filter has against a member; it came with Python 3.11.4."""
    data_filter = getattr(tarfile, "data_filter", None)
    if data_filter is None:
        return None
    try:
        data_filter(info, "/package")
    except tarfile.FilterError as error:
        return f"Member {shown(info.name)} is refused: {error}."
    return None


def _headers(stream: IO[bytes], end: int, limits: Limits, clock: Callable[[], float]) -> Iterator[tarfile.TarInfo]:
    """Yield the header of each member; what lies behind the last one has to be the end of the archive."""
    deadline = clock() + limits.reading
    metered = _Metered(stream, limits.header)
    stream.seek(0)
    count, before = 0, -1
    with _damage():
        tar = tarfile.open(fileobj=metered, mode="r:", encoding="utf-8")  # type: ignore[call-overload]  # noqa: SIM115 - the stream is closed by whoever opened it; reading takes no more than `_Metered` has
    while (info := _next(tar)) is not None:
        metered.left = limits.header
        count += 1
        if count > limits.members:
            raise too_many(limits.members)
        if clock() > deadline:
            raise PackageError(f"Its headers take longer than {limits.reading:g} s to read.")
        if tar.offset <= before or info.size < 0 or info.offset_data + info.size > end:
            raise PackageError("The tar is damaged: a member doesn't end where its header says.")
        before = tar.offset
        yield info
    stream.seek(tar.offset)
    if tar.offset + BLOCK > end or stream.read(BLOCK).strip(b"\0"):
        raise PackageError(f"The tar is damaged: behind member {count} comes neither another one nor its end.")


def _next(tar: tarfile.TarFile) -> tarfile.TarInfo | None:
    with _damage():
        info = tar.next()
    tar.members = []  # type: ignore[attr-defined]  # it would keep them all
    return info


@contextmanager
def _damage() -> Iterator[None]:
    """Call whatever tarfile makes of a header by its name: a damaged one raises errors of a dozen kinds."""
    try:
        yield
    except PackageError:
        raise
    except Exception as error:
        raise PackageError(f"The tar is damaged: {type(error).__name__}: {error}.") from error


class _Metered:
    """The stream as tarfile reads it: no header makes it read more than is left."""

    def __init__(self, stream: IO[bytes], left: int) -> None:
        self._stream = stream
        self.left = left

    def read(self, size: int) -> bytes:
        self.left -= size
        if self.left < 0 or size < 0:
            raise PackageError("The headers of one member are larger than any name needs.")
        return self._stream.read(size)

    def seek(self, place: int) -> int:
        return self._stream.seek(place)

    def tell(self) -> int:
        return self._stream.tell()

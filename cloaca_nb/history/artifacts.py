"""The values of a history: small ones stand in its rows, large ones are artifacts beside it, named by their digests.

An artifact is written once, however many tasks pass its value on; frames and arrays in a container are artifacts of
their own. It is on the disk when `keep` returns, so the row that refers to it comes afterwards.
"""

import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

from cloaca_nb.errors import HistoryError
from cloaca_nb.history.shelf import FileShelf, MemoryShelf, Shelf, Write
from cloaca_nb.values import codec
from cloaca_nb.values.codec import Damaged, Encoded, Part, Unreadable, Unstorable
from cloaca_nb.values.digests import Describer, Description, describe, digest as digest_of
from cloaca_nb.values.outlines import Found, tables_in
from cloaca_nb.values.tagged import Tagger, Unsuitable, document

__all__ = ["INLINE", "ArtifactStore", "Kept", "artifacts_folder"]

T = TypeVar("T")
INLINE: Final = 4096  # bytes up to which a value stands in its row: a durable file costs about a millisecond
GRACE: Final = 3600.0  # seconds: far longer than from keeping a value to the row that refers to it
PLAIN: Final = frozenset({bool, dict, float, int, list, str, tuple, type(None)})  # most values, and all are JSON
FORMATS: Final = ("pandas", "json", "npy", "pyarrow", "polars", "pickle")
_AGAIN: Final = "Run the task again that makes it."


class Kept(NamedTuple):
    """How a value is kept; what the row of the value says."""

    codec: str | None  # the format; None: the value isn't kept
    data: str | None = (
        None  # the value itself where it is small: JSON, or any other format in base64; None: an artifact
    )
    problem: str = ""  # why it isn't kept, or what of it isn't as it should be


class ArtifactStore:
    """Keeps values and gives them back; safe for several threads and processes.

    Args:
        folder: where the artifacts lie, see `artifacts_folder`; None: in memory.
    """

    def __init__(self, folder: Path | None) -> None:
        self._shelf: Shelf = MemoryShelf() if folder is None else FileShelf(folder)
        self._describer = Describer()

    def describe(self, value: Any) -> Description:
        """Describe a value; of a large frame that is kept next its columns needn't be digested again."""
        return self._describer.describe(value)

    def keep(self, value: Any, digest: str, size: int) -> Kept:
        """Keep a value; whatever keeps it from being kept is said in `Kept.problem`.

        Args:
            value: an isolated copy, of which `digest` was made.
            digest: `describe(value).digest`.
            size: `describe(value).size`, in bytes.

        Raises:
            HistoryError: if the disk fails or is full; nothing is left half written, and it can be tried again.
        """
        try:
            if size <= INLINE and type(value) in PLAIN and (text := _plain(value)) is not None:
                return Kept("json", text)
            found = self._find(digest) if size > INLINE else None
            return Kept(found) if found else self._write(value, digest, size)
        except Unstorable as reason:
            return Kept(None, problem=str(reason))
        except OSError as error:
            raise HistoryError(
                f"A {type(value).__qualname__} of {size:,} bytes can't be written beside the history: {error}. "
                "Free some space, or make the folder writable."
            ) from error
        except Exception as error:  # noqa: BLE001 - a value's own code may raise anything: said, and the run goes on
            return Kept(None, problem=f"A {type(value).__qualname__} can't be kept: {type(error).__name__}: {error}.")

    def load(self, digest: str, kept: Kept, *, allow_pickle: bool = False, verify: bool = True) -> Any:
        """Return a value that was kept: equal, of the same type, and the caller's own to change.

        Args:
            digest: the value's.
            kept: what its row says.
            allow_pickle: whether pickles may be read (code!) and modules imported to find a class.
            verify: whether the digest is made again and compared, which reads all of a large frame (1 GB/s).

        Raises:
            HistoryError: if the value wasn't kept, is missing or damaged, or can't be read here; says what to do.
        """
        if kept.codec is None:
            raise HistoryError(f"This value isn't in the history. {kept.problem or _AGAIN}")
        name = f"{digest}.{kept.codec}"
        data = self._data(name, kept)
        try:
            value = codec.decode(
                kept.codec, data, self._reader(allow_pickle=allow_pickle, verify=verify), allow_pickle=allow_pickle
            )
            if verify and not _holds_pickle(kept.codec, data):
                _check(value, digest)
        except Damaged as error:
            self._shelf.set_aside(name)
            raise HistoryError(f"The artifact {name} is damaged: {error}. {_AGAIN}") from error
        except Unreadable as error:
            raise HistoryError(str(error)) from error
        return value

    def tables(self, digest: str, kept: Kept) -> dict[str, Found]:
        """Return what may be tables of a value, see `tables_in`; what is missing or damaged isn't told of."""

        def data_of(part: Part) -> Any:
            return self._data(f"{part.digest}.{part.format}", Kept(part.format))

        def find() -> dict[str, Found]:
            return tables_in(str(kept.codec), self._data(f"{digest}.{kept.codec}", kept), data_of)

        return {path: one._replace(look=partial(_told, one.look)) for path, one in (_told(find) or {}).items()}

    def remove_unused(self, used: Iterable[str], *, grace: float = GRACE) -> int:
        """Remove the artifacts that no row refers to, and what crashes left; return how many bytes that freed.

        Args:
            used: the digests of all rows, those that are only in journals included.
            grace: seconds, at the time of this call, for which an artifact stays after it was last kept: its row may be
                on its way.
        """
        called = time.time()
        unused = self.unused(used)
        if isinstance(self._shelf, FileShelf):
            self._shelf.sweep(grace)
        # What is kept from now on is young, however long this takes.
        return sum(
            size for name, size in unused.items() if self._shelf.remove(name, grace and grace + time.time() - called)
        )

    def unused(self, used: Iterable[str]) -> dict[str, int]:
        """Return the artifacts that no row refers to, with their sizes in bytes; see `remove_unused`."""
        there = dict(self._shelf.names())
        wanted = self._with_parts(set(used), there)
        return {name: size for name, size in there.items() if name.partition(".")[0] not in wanted}

    @property
    def size(self) -> int:
        """The bytes of all artifacts."""
        return sum(size for _, size in self._shelf.names())

    def _find(self, digest: str) -> str | None:
        """Return the format of an artifact that is there."""
        for format_ in FORMATS:
            name = f"{digest}.{format_}"
            if self._shelf.find(name) and (format_ != "json" or self._has_parts(name)):
                return format_
        return None

    def _has_parts(self, name: str) -> bool:
        """Whether what a document refers to is there as well, and stays."""
        parts = [part for part in codec.parts_of(bytes(self._shelf.read(name))) if part.data is None]
        return all(self._find(part.digest) for part in parts)

    def _write(self, value: Any, digest: str, size: int) -> Kept:
        shelf = MemoryShelf() if size <= INLINE else self._shelf
        drafts: list[tuple[Any, Callable[[str | None], None]]] = []
        name: str | None = None

        def sink(write: Write) -> Any:
            drafts.append(shelf.write(write))
            return drafts[-1][0]

        try:
            read = self._reader(allow_pickle=True, verify=False)
            columns = self._describer.columns_of(digest)
            encoded = codec.encode(value, digest, sink, self._keep_part, read, columns)
            data = drafts[-1][0]
            if len(data) <= INLINE and not encoded.refers:
                return Kept(encoded.format, _inline(encoded, bytes(data)), encoded.note)
            name = f"{digest}.{encoded.format}"
            if shelf is not self._shelf:
                drafts.append(self._shelf.write(lambda file: _write(file, data)))
        finally:
            for draft in drafts[:-1]:
                draft[1](None)
            if drafts:
                drafts[-1][1](name)
        return Kept(encoded.format, problem=encoded.note)

    def _keep_part(self, value: Any, digest: str = "") -> Part:
        if codec.is_opaque(value):
            return self._keep_opaque(codec.pack_opaque(value))
        if digest:
            size = int(value.nbytes)
        else:
            _, digest, size, *_ = describe(value)
        found = self._find(digest) if size > INLINE else None
        if found:
            return Part(found, digest, None)
        kept = self._write(value, digest, size)
        assert kept.codec is not None  # noqa: S101 - `_write` raises where it keeps nothing
        return Part(kept.codec, digest, None if kept.data is None else _bytes_of(kept.codec, kept.data))

    def _keep_opaque(self, data: bytes) -> Part:
        digest = blake2b(data, digest_size=16).hexdigest()
        if len(data) <= codec.EMBEDDED:
            return Part("pickle", digest, data)
        self._shelf.write(lambda file: _write(file, data))[1](f"{digest}.pickle")
        return Part("pickle", digest, None)

    def _reader(self, *, allow_pickle: bool, verify: bool) -> Callable[[Part], Any]:
        return lambda part: self.load(part.digest, Kept(part.format), allow_pickle=allow_pickle, verify=verify)

    def _data(self, name: str, kept: Kept) -> Any:
        if kept.data is not None:
            return _bytes_of(str(kept.codec), kept.data)
        try:
            return self._shelf.read(name)
        except KeyError:
            raise HistoryError(f"The artifact {name} isn't beside the history any more. {_AGAIN}") from None
        except OSError as error:
            raise HistoryError(f"The artifact {name} can't be read: {error}.") from error

    def _with_parts(self, used: set[str], there: dict[str, int]) -> set[str]:
        """Return the digests that are used, those included that used documents refer to."""
        wanted: set[str] = set()
        while used:
            digest = used.pop()
            wanted.add(digest)
            name = f"{digest}.json"
            if name in there:
                parts = codec.parts_of(bytes(self._shelf.read(name)))
                used |= {part.digest for part in parts if part.data is None} - wanted
        return wanted


def _told(look: Callable[[], T]) -> T | None:
    try:
        return look()
    except Exception:  # noqa: BLE001 - who reads the value is told what to do; who only looks does without
        return None


def artifacts_folder(database: Path) -> Path:
    """Return the folder of the artifacts beside a database."""
    return database.with_name(f"{database.name}-artifacts")


def _plain(value: Any) -> str | None:
    """Return what `codec.encode` makes of a small value of plain types, at a fraction of its time; None: ask that."""
    tagger = Tagger(None, _is_in_no_form_of_its_own)
    try:
        data = document(tagger(value))
    except Unsuitable:
        return None
    return data.decode() if tagger.certain and len(data) <= INLINE else None


def _is_in_no_form_of_its_own(_value: Any) -> bool:
    return False


def _inline(encoded: Encoded, data: bytes) -> str:
    return (data if encoded.format == "json" else b64encode(data)).decode()


def _bytes_of(format_: str, text: str) -> bytes:
    return text.encode() if format_ == "json" else b64decode(text)


def _holds_pickle(format_: str, data: Any) -> bool:
    """Whether a value holds objects whose digest need not come back; their pickle has a check of its own."""
    return format_ == "pickle" or (
        format_ == "json" and any(part.format == "pickle" for part in codec.parts_of(bytes(data)))
    )


def _check(value: Any, digest: str) -> None:
    if digest_of(value).hex() != digest:
        raise Damaged("its content isn't what was written")


def _write(file: Any, data: Any) -> None:
    file.write(data)

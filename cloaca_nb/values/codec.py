"""Values as bytes and back: each in the plainest form that holds it exactly, which is found by reading it back.

Plain values as JSON (`tagged`), frames as Arrow files (`frames`), large ones by columns (`large_frames`), arrays as
numpy's, and only what nothing else can hold as a pickle. Nothing but a pickle is code, and a pickle is only read where
the caller allows it.
"""

import pickle
from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b
from io import BytesIO
from itertools import repeat
from typing import IO, Any, Final, NamedTuple

from cloaca_nb.errors import CloacaError
from cloaca_nb.values import arrays, frames, large_frames, pickles
from cloaca_nb.values.arrays import Buffer
from cloaca_nb.values.digests import digest as digest_of
from cloaca_nb.values.equality import equal
from cloaca_nb.values.frames import Write
from cloaca_nb.values.records import Missing
from cloaca_nb.values.tagged import TAG, Part, Tagger, Unsuitable, document, parts_of, value_of

__all__ = [
    "EMBEDDED",
    "Damaged",
    "Encoded",
    "Part",
    "Sink",
    "Unreadable",
    "Unstorable",
    "decode",
    "encode",
    "in_memory",
    "is_opaque",
    "pack_opaque",
    "parts_of",
]

EMBEDDED: Final = 4096  # bytes: up to here a part stands in the document that refers to it
_CHECK: Final = 16  # bytes of the hash before a pickle: damaged bytes are never unpickled
Sink = Callable[[Write], Buffer]  # writes, from the start again each time, and returns all that was written
Keep = Callable[..., Part]  # (value, digest): empty where that isn't known
Read = Callable[[Part], Any]


class Unstorable(CloacaError, ValueError):  # noqa: N818 - what is the matter with a value, not with the program
    """A value can't be kept; the message says its type and why."""


class Unreadable(CloacaError, ValueError):  # noqa: N818 - see `Unstorable`
    """What was kept can't be read here; the message says why and what to do."""


class Damaged(Unreadable):
    """What was kept isn't whole any more."""


class Encoded(NamedTuple):
    """How a value was written."""

    format: str  # json, npy, pandas, pyarrow, polars, pickle
    note: str = ""  # what isn't as it should be: a pickled object that doesn't compare equal when it is read back
    refers: bool = False  # whether it is a document with parts that are kept on their own


def encode(
    value: Any, digest: str, sink: Sink, keep: Keep, read: Read | None = None, columns: Sequence[str] = ()
) -> Encoded:
    """Write a value to a sink in the plainest form that gives it back, equal and of its type.

    Args:
        value: nobody may change it meanwhile (see `isolate`); if somebody does, that is found.
        digest: what `describe` says of it.
        sink: where it is written.
        keep: keeps the frames and arrays that a container holds.
        read: reads what `keep` has kept on its own.
        columns: the digests of a frame's columns, where they are known; see `Describer`.

    Raises:
        Unstorable: if no form holds it, e.g. because it can't be pickled.
        OSError: what the sink raises.
    """
    obstacle = ""
    for attempt in _attempts(value, keep, columns):
        try:
            form, write, certain = attempt()
        except Unsuitable as reason:
            obstacle = str(reason)
            continue
        data = sink(write)
        difference = "" if certain else _difference(value, digest, form.format, data, read)
        if not difference or form.format == "pickle":
            return form._replace(note=difference)
        obstacle = difference
    raise Unstorable(f"A {type(value).__qualname__} can't be kept: {obstacle}.")


def decode(format_: str, data: Buffer, read: Read | None = None, *, allow_pickle: bool = False) -> Any:
    """Return the value that was written in a format.

    Args:
        format_: what `encode` said.
        data: bytes, or a private writable memory map: frames and arrays then lie on it.
        read: reads a part that is kept on its own.
        allow_pickle: whether pickles may be read, which runs code that they name, and modules be imported to find the
            class of a value. Never for a file of someone else's.

    Raises:
        Unreadable: if it needs `allow_pickle`, or a class or library that isn't there; `Damaged` if it isn't whole.
    """

    def read_part(part: Part) -> Any:
        if part.data is not None:
            return decode(part.format, part.data, allow_pickle=allow_pickle)
        if read is None:
            raise Unreadable(f"The value refers to an artifact of its own, {part.digest}; read it from its history.")
        return read(part)

    if format_ == "pickle":
        return _unpickle(data, allow_pickle=allow_pickle)
    try:
        if format_ == "json":
            return value_of(bytes(data), read_part, load=allow_pickle)
        return arrays.read(data) if format_ == "npy" else frames.read(format_, data)
    except CloacaError:  # a part's own
        raise
    except (Missing, ImportError) as error:
        raise Unreadable(str(error.args[0] if error.args else error)) from error
    except Exception as error:  # damaged bytes may make the libraries raise anything
        raise Damaged(f"a value in the form {format_} can't be read ({type(error).__name__}: {error})") from error


def in_memory(value: Any) -> tuple[Encoded, bytes]:
    """Encode a value, all its parts included, as bytes.

    Raises:
        Unstorable: if it can't be.
    """
    written = b""

    def sink(write: Write) -> bytes:
        nonlocal written
        file = BytesIO()
        write(file)
        written = file.getvalue()
        return written

    def keep(part: Any, _digest: str = "") -> Part:
        found, data = (Encoded("pickle"), pack_opaque(part)) if isinstance(part, _Opaque) else in_memory(part)
        return Part(found.format, "", data)

    return encode(value, digest_of(value).hex(), sink, keep), written


class _Opaque(list[Any]):
    """The objects of one value that only pickle can hold."""


def pack_opaque(value: Any) -> bytes:
    """Return a value as a pickle behind its hash.

    Raises:
        Unsuitable: if it can't be pickled, or not be unpickled.
    """
    value = list(value) if isinstance(value, _Opaque) else value
    try:
        data = pickles.to_pickle(value)
        pickle.loads(data)  # noqa: S301 - our own bytes: many an exception can be pickled, but not unpickled
    except Exception as error:  # a user's `__reduce__` may raise anything
        raise Unsuitable(f"it can't be pickled ({type(error).__name__}: {error})") from error
    return blake2b(data, digest_size=_CHECK).digest() + data


def is_opaque(value: Any) -> bool:
    """Whether what is to be kept are the objects of a value that only pickle can hold."""
    return isinstance(value, _Opaque)


_Form = tuple[Encoded, Write, bool]  # ..., whether it needs no reading back


def _attempts(value: Any, keep: Keep, columns: Sequence[str]) -> Iterator[Callable[[], _Form]]:
    """Yield what prepares each form that may hold a value, the plainest first."""
    if large_frames.fits(value):
        yield lambda: _in_columns(value, keep, columns)
    if _has_own_form(value):
        yield lambda: _own_form(value)
    else:
        yield lambda: _as_json(value, keep)
    yield lambda: _as_pickle(value)


def _has_own_form(value: Any) -> bool:
    library = str(type(value).__module__).partition(".")[0]
    return (library == "numpy" and arrays.fits(value)) or frames.fits(value)


def _own_form(value: Any) -> _Form:
    if str(type(value).__module__).partition(".")[0] == "numpy":
        if not repr(value.dtype).isascii():
            raise Unsuitable("the names of its fields aren't ASCII")
        return Encoded("npy"), lambda file: arrays.write(value, file), False
    try:
        format_, write = frames.prepare(value)
    except Unsuitable:
        raise
    except Exception as error:  # the libraries raise many things for what they can't hold
        raise Unsuitable(f"{type(error).__name__}: {error}") from error
    return Encoded(format_), write, False


def _in_columns(value: Any, keep: Keep, known: Sequence[str]) -> _Form:
    """Refer to the columns, each of which is kept, and read back, on its own."""
    tagger = Tagger(keep, _has_own_form)
    *axes, columns = large_frames.take_apart(value)
    tagged_axes = tagger(axes)
    if tagger.opaque:
        raise Unsuitable("its attrs have no JSON form")
    parts = [*tagger.parts, *map(keep, columns, known or repeat(""))]
    places = [{TAG: "part", "v": place} for place in range(len(tagger.parts), len(parts))]
    data = document({TAG: large_frames.TAG, "v": [*tagged_axes, places]}, parts)
    refers = any(part.data is None for part in parts)
    return Encoded("json", refers=refers), lambda file: _write_bytes(file, data), True


def _as_json(value: Any, keep: Keep) -> _Form:
    tagger = Tagger(keep, _has_own_form)
    tagged = tagger(value)
    if tagged == {"$": "opaque", "v": 0} and tagger.opaque:
        raise Unsuitable("it has no JSON form")  # the value itself, not something in it
    parts = [*tagger.parts, *([keep(_Opaque(tagger.opaque))] if tagger.opaque else [])]
    data = document(tagged, parts)
    refers = any(part.data is None for part in parts)
    return Encoded("json", refers=refers), lambda file: _write_bytes(file, data), tagger.certain


def _as_pickle(value: Any) -> _Form:
    data = pack_opaque(value)
    return Encoded("pickle"), lambda file: _write_bytes(file, data), False


def _write_bytes(file: IO[bytes], data: bytes) -> None:
    file.write(data)


def _difference(value: Any, digest: str, format_: str, data: Buffer, read: Read | None) -> str:
    """Return in what the value that was written differs from the one that was to be; empty if in nothing."""
    try:
        found = decode(format_, data, read, allow_pickle=True)
    except Unreadable as error:
        return str(error)
    if type(found) is not type(value) and type(found).__qualname__ != type(value).__qualname__:
        return f"it comes back as a {type(found).__qualname__}"
    if digest_of(found).hex() == digest:
        return ""
    if digest_of(value).hex() != digest:
        raise Unstorable(f"A {type(value).__qualname__} can't be kept: it was changed while it was being written.")
    if format_ == "pickle" and equal(found, value):  # an object whose pickled form says more than its `__eq__` sees
        return ""
    return "it doesn't compare equal to itself when it is read back"


def _unpickle(data: Buffer, *, allow_pickle: bool) -> Any:
    if not allow_pickle:
        raise Unreadable(
            "The value is kept as a pickle, which is code: read it with allow_pickle=True if you trust it."
        )
    check, body = bytes(data[:_CHECK]), bytes(data[_CHECK:])
    if blake2b(body, digest_size=_CHECK).digest() != check:
        raise Damaged("the bytes of a pickle aren't those that were written")
    try:
        return pickle.loads(body)  # noqa: S301 - allowed, and what was written
    except Exception as error:  # the code of a pickle may raise anything
        raise Unreadable(f"A pickled value can't be read: {type(error).__name__}: {error}.") from error

"""What identifies a value wherever it is computed, and what a person sees of it.

Large runs of bytes, as the columns of a frame are, count by their XXH3 (128 bits), which is made where they lie: some
20 times as fast as a cryptographic hash, so a GB costs 0.15 s instead of 3. Two values that differ by chance never
share a digest; nobody should trust it against somebody who makes two values for that purpose.
"""

import sys
from collections.abc import Callable, Hashable, Iterator, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Final, NamedTuple

from cloaca_nb.values import pickles
from cloaca_nb.values.adapter import Apart, Behind, Code, Either, Raw
from cloaca_nb.values.plain import EXACT_LEAVES, LEAVES
from cloaca_nb.values.registry import adapter_of, type_name

__all__ = ["Describer", "Description", "canonical_digest", "content_digest", "describe", "digest", "key"]

_DIGEST_BYTES: Final = 16
_PREVIEW_CHARACTERS: Final = 200
_BUFFERED_CHUNKS: Final = 4096  # one update of the hash for many small chunks
_LARGE: Final = 1 << 16  # bytes: what is longer counts by its own hash
_KEYED_BY_THEMSELVES: Final = frozenset({str, int, bytes})


class Description(NamedTuple):
    """What history keeps of a value beside the value."""

    type: str  # "dict", "pandas.DataFrame", "__main__.Point"
    digest: str  # 32 hexadecimal digits: the same for the same value, across processes and machines
    size: int  # bytes of the form that was digested
    preview: str  # one line of at most 200 characters
    exact: bool = True  # whether the digest is made of all that the value holds: equal digests mean equal values
    behind: frozenset[Code] = frozenset()  # its classes, and modules of functions in it, that aren't Python's own


def describe(value: Any) -> Description:
    """Describe any value; never raises.

    The digest covers what `equal` compares, and what history gives back besides: -0.0 and 0.0 have two digests, and so
    have a RangeIndex and an index that lists its numbers. For an object that no adapter knows it is made from its
    pickled form, with classes taken by their names: data, not code. What can't be pickled is digested by its type and
    its repr without addresses, and the preview says so.
    """
    return _description_of_leaf(value) or _description(value, _Sink())


class Describer:
    """Describes values, and tells of the frame that it described last what its columns' digests are."""

    def __init__(self) -> None:
        self._last: tuple[str, Sequence[str]] = "", ()

    def describe(self, value: Any) -> Description:
        """Describe any value, see `describe`."""
        leaf = _description_of_leaf(value)
        if leaf is not None:
            return leaf
        sink = _Sink()
        description = _description(value, sink)
        if sink.apart:
            self._last = description.digest, [one.hex() for one in sink.apart]
        return description

    def columns_of(self, digest: str) -> Sequence[str]:
        """Return the digest of each column of the frame that has a digest; empty if it wasn't described just now."""
        last, columns = self._last
        return columns if last == digest else ()


def _description_of_leaf(value: Any) -> Description | None:
    """Describe a number, a text or the like at a third of the cost: what a sink would write is known beforehand."""
    kind = type(value)
    leaf = EXACT_LEAVES.get(kind)
    payload = leaf(value) if leaf else None
    if payload is None or len(payload) > _LARGE:
        return None
    if kind in _KEYED_BY_THEMSELVES and len(payload) <= _PREVIEW_CHARACTERS:
        return _frequent(value, payload)
    return _of_payload(value, payload)


def _of_payload(value: Any, payload: bytes) -> Description:
    kind = type(value)
    written = b"%s:%d:%s" % (_tag(kind), len(payload), payload)
    hexadecimal = blake2b(written, digest_size=_DIGEST_BYTES).hexdigest()
    return Description(type_name(kind), hexadecimal, len(written), _preview(value, []))


# Who takes a task from history and who records that come to the same values, one soon after the other.
_frequent: Final[Callable[[Any, bytes], Description]] = lru_cache(4096, typed=True)(_of_payload)


def _description(value: Any, sink: "_Sink") -> Description:
    sink.walk(value)
    hexadecimal = sink.finish().hex()
    return Description(
        type_name(type(value)),
        hexadecimal,
        sink.size,
        _preview(value, sink.unreadable),
        not sink.unreadable,
        frozenset(one for one in sink.behind if not _is_pythons_own(one)),
    )


def digest(value: Any) -> bytes:
    """Return the 16 bytes that `describe` shows in hexadecimal."""
    if type(value) in _KEYED_BY_THEMSELVES and (leaf := _description_of_leaf(value)) is not None:
        return bytes.fromhex(leaf.digest)
    sink = _Sink()
    sink.walk(value)
    return sink.finish()


def canonical_digest(value: Any) -> bytes:
    """Return 16 bytes that are the same for equal values, but for those that only their own `__eq__` can compare."""
    sink = _Sink(exact=False)
    sink.walk(value)
    return sink.finish()


def content_digest(value: Any) -> str | None:
    """Return the digest that `describe` shows; None if that isn't made of all that the value holds."""
    sink = _Sink()
    sink.walk(value)
    return None if sink.unreadable else sink.finish().hex()


def key(value: Any) -> Hashable | None:
    """Return a stand-in to find a value in a set: two keys are equal exactly if `equal` says so of the values.

    None if there is none: the value is, or holds, an object that only its own `__eq__` can compare.
    """
    if type(value) in _KEYED_BY_THEMSELVES:
        return value  # type: ignore[no-any-return]  # str, int, bytes
    sink = _Sink(exact=False)
    sink.walk(value)
    return None if sink.opaque else (type(value), sink.finish())


class _Sink:
    """One walk through a value, without recursion, that writes what it meets into a hash.

    A leaf is written as its type, length and bytes, another value as its type and its parts in brackets, and a
    value inside itself by the depth at which it is open: no two different values give the same bytes.

    Args:
        exact: whether it writes all that there is, or no more than decides whether two values are equal.
    """

    __slots__ = (
        *("_chunks", "_depths", "_exact", "_hash", "_leaves", "_open"),
        *("apart", "behind", "opaque", "size", "unreadable"),
    )

    def __init__(self, *, exact: bool = True) -> None:
        self._exact = exact
        self._leaves = EXACT_LEAVES if exact else LEAVES
        self._hash = blake2b(digest_size=_DIGEST_BYTES)
        self._chunks: list[bytes] = []
        self._open: list[tuple[Iterator[Any], Any]] = []
        self._depths: dict[int, int] = {}
        self.size = 0
        self.apart: list[bytes] = []  # digests of what counts by its own
        self.behind: set[Code] = set()  # the classes of what was taken apart, and the code that it leads to
        self.opaque = False  # an object was met that only its own `__eq__` can compare
        self.unreadable: list[str] = []  # types of what couldn't be taken apart

    def walk(self, value: Any) -> None:
        self._write(value)
        while self._open:
            parts, owner = self._open[-1]
            try:
                if all(map(self._write, parts)):
                    self._close(owner)
            except Exception:  # noqa: BLE001 - a user's `__reduce__` may raise anything: recorded by type and repr
                self._give_up(owner)

    def finish(self) -> bytes:
        self._flush()
        return self._hash.digest()

    def _write(self, value: Any) -> bool:
        """Write a leaf and return True, or open the parts of another value and return False."""
        kind = type(value)
        leaf = self._leaves.get(kind)
        payload = leaf(value) if leaf else None
        if payload is None:
            return self._enter(value, kind)
        self._write_bytes(kind, payload)
        return True

    def _write_bytes(self, kind: type, payload: Any) -> None:
        length = len(payload)
        if length > _LARGE:
            self.size += length
            payload = _fast_hash(payload)
        self._chunks += (b"%s:%d:" % (_tag(kind), length), payload)
        if len(self._chunks) > _BUFFERED_CHUNKS:
            self._flush()

    def _enter(self, value: Any, kind: type) -> bool:
        if kind is Either:
            return self._write(value.exact() if self._exact else value.canonical())
        if kind is Apart:
            self.apart.append(self._nested(value.value))
            self._write_bytes(kind, self.apart[-1])
            return True
        if kind is Behind:
            self.behind |= value.code
            return True
        if kind is Raw:
            self._write_bytes(kind, value.data if len(value.data) > _LARGE else bytes(value.data))
            return True
        depth = self._depths.get(id(value))
        if depth is not None:
            self._chunks.append(b"^%d;" % depth)
            return True
        self._chunks.append(b"(%s:" % _tag(kind))
        self._depths[id(value)] = len(self._open)
        self._open.append((self._parts(value, kind), value))
        return False

    def _parts(self, value: Any, kind: type) -> Iterator[Any]:
        self.behind.add(kind)
        adapter = adapter_of(kind)
        self.opaque = self.opaque or adapter.equal is pickles.equal
        yield from adapter.parts(value, self._nested)

    def _nested(self, value: Any) -> bytes:
        sink = _Sink(exact=self._exact)
        sink.walk(value)
        self.opaque = self.opaque or sink.opaque
        self.unreadable += sink.unreadable
        self.behind |= sink.behind
        found = sink.finish()
        self.size += sink.size
        return found

    def _close(self, owner: Any) -> None:
        self._open.pop()
        del self._depths[id(owner)]
        self._chunks.append(b")")

    def _give_up(self, owner: Any) -> None:
        self.opaque = True
        self.unreadable.append(type_name(type(owner)))
        self._chunks += (b"?", pickles.outline(owner).encode(errors="backslashreplace"))
        self._close(owner)

    def _flush(self) -> None:
        data = b"".join(self._chunks)
        self.size += len(data)
        self._hash.update(data)
        self._chunks.clear()


def _is_pythons_own(code: Code) -> bool:
    module = code if isinstance(code, str) else str(code.__module__)
    return module.partition(".")[0] in sys.stdlib_module_names


def _fast_hash(data: Any) -> bytes:
    import xxhash

    return xxhash.xxh3_128(data).digest()


def _name(kind: type) -> bytes:
    return type_name(kind).encode(errors="backslashreplace")


_tag: Final[Callable[[type], bytes]] = lru_cache(512)(_name)


def _preview(value: Any, unreadable: list[str]) -> str:
    try:
        text = adapter_of(type(value)).preview(value)
    except Exception:  # noqa: BLE001 - a user's `__repr__` may raise anything
        text = pickles.outline(value)
    if unreadable:
        text = f"can't be pickled ({', '.join(dict.fromkeys(unreadable))}): {text}"
    text = pickles.without_addresses(" ".join(text.split("\n")))
    return text if len(text) <= _PREVIEW_CHARACTERS else text[: _PREVIEW_CHARACTERS - 1] + "…"

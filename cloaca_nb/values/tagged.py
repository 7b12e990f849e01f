"""The JSON form of plain values: what JSON holds as it is, anything else as an object with its type under ``$``.

A document is one line, or two where the value holds parts that are kept in another form (frames, arrays, and all
objects that only pickle can hold, together): then the first line lists these, and the second refers to them by place.
"""

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Mapping
from math import isfinite
from types import NoneType
from typing import Any, Final, NamedTuple

from cloaca_nb.values import large_frames, records, scalars

__all__ = ["TAG", "Part", "Tagger", "Unsuitable", "document", "parts_of", "value_of"]

TAG: Final = "$"
_QUOTED_TAG: Final = b'"$"'
DEPTH: Final = 100  # what is nested deeper isn't written as JSON: its readers recurse
_NATIVE: Final = frozenset({NoneType, bool, str})
_NUMBERS: Final = frozenset({int, float})
_FLAT: Final = _NATIVE | _NUMBERS
_BITS: Final = 1023  # larger whole numbers are written in hexadecimal, which has no limit of digits
_PAIR: Final = re.compile("[\ud800-\udbff][\udc00-\udfff]")
_dump, _dump_ascii = (
    json.JSONEncoder(separators=(",", ":"), allow_nan=False, check_circular=False, ensure_ascii=ascii_only).encode
    for ascii_only in (False, True)
)


class Unsuitable(Exception):  # noqa: N818 - no error: the next form is tried, or the reason is what the user reads
    """A form can't hold a value; the message says why."""


class Part(NamedTuple):
    """What a document refers to."""

    format: str
    digest: str
    data: bytes | None  # None: it is kept on its own, under its digest


class Tagger:
    """One walk through a value that makes JSON's types of it.

    Args:
        keep: keeps a value that has a better form than JSON, e.g. a frame; None where there may be none.
        fits: whether `keep` takes a value.
    """

    def __init__(self, keep: Callable[[Any], Part] | None, fits: Callable[[Any], bool]) -> None:
        self._keep = keep
        self._fits = fits
        self._places: dict[int, int] = {}
        self.parts: list[Part] = []
        self.opaque: list[Any] = []  # what only pickle can hold
        self.certain = True  # only the types of the standard library were met: no need to read it back

    def __call__(self, value: Any, depth: int = 0) -> Any:
        """Return what stands for the value.

        Raises:
            Unsuitable: if it is nested too deep, e.g. in a circle.
        """
        kind = type(value)
        if kind in _NATIVE or (kind is float and isfinite(value)) or (kind is int and value.bit_length() <= _BITS):
            return value
        if depth > DEPTH:
            raise Unsuitable(f"it is nested more than {DEPTH} levels deep, or holds itself")
        if kind is list:
            return value if _is_flat(value) else [self(item, depth + 1) for item in value]
        if kind is dict:
            return self._dict(value, depth)
        return self._tagged(value, kind, depth)

    def _dict(self, value: dict[Any, Any], depth: int) -> Any:
        if all(type(name) is str for name in value) and TAG not in value:
            return {name: self(item, depth + 1) for name, item in value.items()}
        return {TAG: "dict", "v": [[self(name, depth + 1), self(item, depth + 1)] for name, item in value.items()]}

    def _tagged(self, value: Any, kind: type, depth: int) -> Any:
        shape = scalars.WRITERS.get(kind)
        found = (shape[0], shape[1](value)) if shape else records.take_apart(value)
        if found is None and (found := scalars.from_library(value)) is not None:
            self.certain = False
        if found is not None and found[1] is not None:
            return {TAG: found[0], "v": self(found[1], depth + 1)}
        return self._part(value) if self._keep is not None and self._fits(value) else self._opaque(value)

    def _part(self, value: Any) -> Any:
        place = self._places.get(id(value))
        if place is None:
            assert self._keep is not None  # noqa: S101 - `_tagged` has looked
            place = self._places[id(value)] = len(self.parts)
            self.parts.append(self._keep(value))
        self.certain = False
        return {TAG: "part", "v": place}

    def _opaque(self, value: Any) -> Any:
        if self._keep is None:
            raise Unsuitable(f"a {type(value).__qualname__} has no JSON form")
        self.certain = False
        self.opaque.append(value)
        return {TAG: "opaque", "v": len(self.opaque) - 1}


def document(tagged: Any, parts: Iterable[Part] = ()) -> bytes:
    """Return a document of what a `Tagger` made."""
    listed = [
        [part.format, part.digest, None if part.data is None else b64encode(part.data).decode()] for part in parts
    ]
    return _line(listed) + b"\n" + _line(tagged) if listed else _line(tagged)


def _line(tagged: Any) -> bytes:
    text = repr(tagged) if type(tagged) is int else _dump(tagged)  # the same, at a tenth of the cost
    try:
        return text.encode()
    except UnicodeEncodeError:  # halves of surrogate pairs; two that follow each other would be read as one character
        if _PAIR.search(text):
            raise Unsuitable("its text holds two halves of a character, one after the other") from None
        return _dump_ascii(tagged).encode()


def parts_of(data: bytes) -> list[Part]:
    """Return what a document refers to."""
    head, line_end, _ = data.partition(b"\n")
    if not line_end:
        return []
    rows = json.loads(head)
    return [Part(format_, digest, None if text is None else b64decode(text)) for format_, digest, text in rows]


def value_of(data: bytes, read: Callable[[Part], Any], *, load: bool) -> Any:
    """Return the value of a document.

    Args:
        data: the document.
        read: reads a part.
        load: whether modules may be imported to find the class of a record or enum member.

    Raises:
        LookupError: if a class isn't to be found, or has other fields or members than it had.
    """
    if _QUOTED_TAG not in data:  # all of it is what JSON holds as it is
        return json.loads(data.decode())
    parts = parts_of(data)
    read_parts = [read(part) for part in parts]
    opaque: list[Any] = next(
        (value for part, value in zip(parts, read_parts, strict=True) if part.format == "pickle"), []
    )
    own: Mapping[str, Callable[[Any], Any]] = {
        "dict": dict,
        large_frames.TAG: large_frames.join,
        "part": read_parts.__getitem__,
        "opaque": opaque.__getitem__,
        **records.readers(load=load),
    }

    def untag(found: dict[str, Any]) -> Any:
        if TAG not in found:
            return found
        make = own.get(found[TAG]) or scalars.reader(found[TAG])
        return make(found["v"])

    return json.loads(data.rpartition(b"\n")[2], object_hook=untag)


def _is_flat(items: list[Any]) -> bool:
    """Whether JSON holds a list as it is, found at the speed of C."""
    kinds = set(map(type, items))
    if not kinds <= _FLAT:
        return False
    try:
        return all(map(isfinite, items if kinds <= _NUMBERS else (item for item in items if type(item) in _NUMBERS)))
    except OverflowError:  # a whole number beyond every float
        return False

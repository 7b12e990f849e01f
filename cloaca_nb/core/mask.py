"""What hides the secrets of a run: in the values that are told of it, and wherever their texts occur.

A secret is the value of a secret key, in the context or in a dict or list that the context holds; None, empty values,
True and False are none. A value that holds the text of a secret, as a URL may, is hidden as a whole. Texts are hidden
from a length on: below it they would stand in every other word.
"""

import json
import re
from base64 import b64encode
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from types import FunctionType, ModuleType
from typing import Any, Final
from urllib.parse import quote, quote_plus

from cloaca_nb.core.merge import DELETED, MISSING
from cloaca_nb.core.secret import MASK, Secret, SecretKeys

__all__ = ["SHORTEST", "Mask", "masked"]

SHORTEST: Final = 5  # characters of a text that is hidden where it occurs
WIDEST: Final = 256  # entries of a dict or list that is looked into for secret keys: settings have fewer than data
MOST: Final = 100_000  # containers and objects that are looked into for the texts of secrets
NO_SECRETS: Final = (None, DELETED, MISSING, True, False)
DICTS: Final = frozenset({dict, OrderedDict, defaultdict})
NESTING: Final = DICTS | {list, tuple}
CONTAINERS: Final = NESTING | {set, frozenset}
TEXTS: Final = frozenset({str, bytes, bytearray})
NUMBERS: Final = frozenset({int, float, bool, complex, type(None)})


class Mask:
    """Hides the secrets of one run. Several threads may ask it; they take turns to tell it more.

    Args:
        keys: those that are secret.
    """

    def __init__(self, keys: SecretKeys) -> None:
        self.keys = keys
        self.hides = False  # whether there is anything to hide; as long as there isn't, it needn't be asked
        self._plain: set[str] = set()  # keys that are known not to be secret
        self._texts: frozenset[str] = frozenset()
        self._pattern: re.Pattern[str] | None = None

    # -- finding

    def meet(self, values: Mapping[str, Any]) -> None:
        """Take note of the secrets among values; next to nothing if there are none."""
        if values.keys() <= self._plain and NESTING.isdisjoint(map(type, values.values())):
            return
        found = [one for key, value in values.items() for one in self._secrets_in(key, value)]
        self._plain.update(key for key in values if key not in self.keys)
        if found:
            self.meet_secrets(found)

    def meet_secrets(self, secrets: Iterable[Any]) -> None:
        """Take note of values that are secret."""
        found = {text for one in secrets for text in _texts(one)}
        texts = self._texts.union(form for text in found for form in _forms(text) if len(form) >= SHORTEST)
        if texts != self._texts:
            longest_first = sorted(texts, key=len, reverse=True)
            self._pattern = re.compile("|".join(map(re.escape, longest_first)))
            self._texts = texts
        self.hides = True

    def _secrets_in(self, key: Any, value: Any) -> Iterator[Any]:
        waiting = [(key, value)]
        seen: set[int] = set()
        while waiting:
            name, one = waiting.pop()
            if name in self.keys and _is_secret(one):
                yield one
            elif type(one) in NESTING and id(one) not in seen and len(one) <= WIDEST:
                seen.add(id(one))
                waiting += list(one.items()) if type(one) in DICTS else [(None, each) for each in one]

    # -- hiding

    def text(self, text: str) -> str:
        """Return a text with the secrets in it masked."""
        return text if self._pattern is None else self._pattern.sub(MASK, text)

    def values(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return values with a `Secret` in the place of each that is secret, or holds one."""
        hidden = {key: Secret(value) for key, value in values.items() if self._is_hidden(key, value)}
        return {**values, **hidden} if hidden else values

    def _is_hidden(self, key: str, value: Any) -> bool:
        if type(value) is Secret:
            return False
        return next(self._secrets_in(key, value), MISSING) is not MISSING or self._tells(value)

    def _tells(self, value: Any) -> bool:
        """Say whether the text of a secret occurs in a value."""
        if self._pattern is None:
            return False
        waiting = [value]
        seen: set[int] = set()
        while waiting:
            one = waiting.pop()
            if type(one) in TEXTS:
                if self._pattern.search(one if isinstance(one, str) else one.decode("latin-1")):
                    return True
            elif id(one) not in seen and len(seen) < MOST:
                seen.add(id(one))
                waiting += _inside(one)
        return False


def masked(values: Mapping[str, Any], keys: SecretKeys = SecretKeys()) -> Mapping[str, Any]:  # noqa: B008 - never changed
    """Return values as they may be shown, by which keys are secret alone."""
    mask = Mask(keys)
    mask.meet(values)
    return mask.values(values) if mask.hides else values


def _is_secret(value: Any) -> bool:
    """Say whether a value under a secret key is worth hiding."""
    if any(value is one for one in NO_SECRETS):
        return False
    return not (type(value) in CONTAINERS | TEXTS and len(value) == 0)


def _inside(value: Any) -> Iterable[Any]:
    """Return what a value holds that may be texts."""
    if type(value) in DICTS:
        return [*value, *value.values()]
    if type(value) in CONTAINERS:
        return () if NUMBERS.issuperset(map(type, value)) else value
    return _held(value)


def _texts(value: Any) -> Iterator[str]:
    """Yield the texts that would tell a secret."""
    waiting, seen = [value], set()
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, bytes | bytearray):
            yield bytes(one).decode("utf-8", "backslashreplace")
        elif isinstance(one, int | float) and not isinstance(one, bool):
            yield str(one)
        elif id(one) not in seen:
            seen.add(id(one))
            waiting += one.values() if type(one) in DICTS else one if type(one) in CONTAINERS else _held(one)


def _held(value: Any) -> Iterable[Any]:
    """Return what an object of a user's class holds."""
    if isinstance(value, type | ModuleType | FunctionType):
        return ()
    try:
        return list(vars(value).values())
    except Exception:  # noqa: BLE001 - a number or a frame holds none; a value's own code may raise anything
        return ()


def _forms(text: str) -> Iterator[str]:
    """Yield a secret as it may be spelled: in a repr, in JSON, in a URL, in a header, and line by line."""
    yield text
    yield repr(text)[1:-1]
    yield json.dumps(text)[1:-1]
    data = text.encode("utf-8", "surrogatepass")
    yield quote(data, safe="")
    yield quote_plus(data)
    yield from _encoded(data)
    if "\n" in text:
        yield from (line.strip() for line in text.splitlines() if not line.startswith("-----"))


def _encoded(data: bytes) -> Iterator[str]:
    """Yield what is the same in base64 wherever the secret stands, as behind ``user:`` in a header."""
    for before in range(3):
        whole = b64encode(bytes(before) + data).decode().rstrip("=")
        first, last = -(-before * 8 // 6), (before + len(data)) * 8 // 6
        yield whole[first:last]

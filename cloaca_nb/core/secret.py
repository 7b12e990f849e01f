"""Which keys are secret, and what stands for their values wherever a run is told of."""

import re
from collections.abc import Iterable
from typing import Any, Final, NoReturn

from cloaca_nb.errors import DefinitionError

__all__ = ["MASK", "Secret", "SecretKeys"]

MASK: Final = "••••"
# Whole words, so that n_tokens, token_count and secretary are what they are: counts and a person.
USUAL: Final = re.compile(
    r"(^|_)(passwords?|passwd|pwd|passphrase|secrets?|credentials?|(api|access|private)_?keys?)(_|$)|(^|_)token$",
    re.IGNORECASE,
)
_SEAM: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[\W_]+")  # between the words of apiKey, api-key, API_KEY


class Secret:
    """Stands for a value that nobody is to see: its text is a mask, and it can't be pickled.

    Args:
        value: the value itself.
    """

    __slots__ = ("_value",)

    def __init__(self, value: Any) -> None:
        self._value = value

    def reveal(self) -> Any:
        """Return the value itself: for whom compares it, and never shows or writes it."""
        return self._value

    def __repr__(self) -> str:
        return MASK

    def __reduce__(self) -> NoReturn:
        raise TypeError("A secret is not to be pickled.")


class SecretKeys:
    """The keys whose values are secret: the usual ones, those that a pattern is found in, and those that are named.

    Args:
        pattern: a regular expression that tells more keys than the usual, searched in a key as it is and as snake_case;
            empty: only the usual; None: only what is named.
        named: keys.

    Raises:
        DefinitionError: a ValueError, for a pattern that is none.

    >>> keys = SecretKeys("^pin", named=["station"])
    >>> [key for key in ("dbPassword", "API_KEY", "session_token", "n_tokens", "pinCode", "station") if key in keys]
    ['dbPassword', 'API_KEY', 'session_token', 'pinCode', 'station']
    """

    def __init__(self, pattern: str | None = "", named: Iterable[str] = ()) -> None:
        self.pattern = pattern
        self.named = frozenset(named)
        try:
            own = [] if not pattern else [re.compile(pattern, re.IGNORECASE)]
        except re.error as error:
            raise DefinitionError(
                f"The pattern of secret keys, {pattern!r}, is no regular expression: {error}."
            ) from None
        self._patterns = [] if pattern is None else [USUAL, *own]

    def and_named(self, keys: Iterable[str]) -> "SecretKeys":
        """Return these keys and some more."""
        return SecretKeys(self.pattern, self.named.union(keys))

    def __contains__(self, key: object) -> bool:
        if not isinstance(key, str):
            return False
        spellings = (key, _SEAM.sub("_", key))
        return key in self.named or any(one.search(text) for one in self._patterns for text in spellings)

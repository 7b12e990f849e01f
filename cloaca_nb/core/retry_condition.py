"""Which errors are worth another attempt."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cloaca_nb.errors import DefinitionError, near_miss

__all__ = ["CONDITIONS", "RetryCondition"]

TRANSIENT_WORDS: Final = ("timeout", "connection", "network", "temporary", "unavailable")
TRANSIENT_TYPES: Final = (ConnectionError, TimeoutError)


@dataclass(frozen=True, slots=True, repr=False)
class RetryCondition:
    """Which errors are worth another attempt; made by `never`, `transient_only`, `all_errors` or `error_pattern`.

    The decorator's words are short for three of them: ``retry_condition="all"`` is ``RetryCondition.all_errors()``.

    Attributes:
        words: one of them stands in the class name or the text of such an error, in upper or lower case; an empty text
            stands in all.
        types: an error of one of these types is one whatever it says.
    """

    words: tuple[str, ...] = ()
    types: tuple[type[BaseException], ...] = ()

    @classmethod
    def never(cls) -> "RetryCondition":
        """No error is."""
        return cls()

    @classmethod
    def transient_only(cls) -> "RetryCondition":
        """Errors that may pass by themselves: ConnectionError, TimeoutError, and what sounds like a network's."""
        return cls(TRANSIENT_WORDS, TRANSIENT_TYPES)

    @classmethod
    def all_errors(cls) -> "RetryCondition":
        """Every error is."""
        return cls(("",))

    @classmethod
    def error_pattern(cls, patterns: Iterable[str]) -> "RetryCondition":
        """Errors with one of these texts in their class name or message, in upper or lower case.

        Raises:
            DefinitionError: a ValueError, for anything but a list of texts.
        """
        texts = () if isinstance(patterns, str) or not isinstance(patterns, Iterable) else tuple(patterns)
        if not texts or not all(isinstance(text, str) and text for text in texts):
            raise DefinitionError(f"error_pattern takes a list of texts, like ['rate limit', '503'], not {patterns!r}.")
        return cls(tuple(text.lower() for text in texts))

    @classmethod
    def of(cls, word: Any) -> "RetryCondition":
        """Return what a word of the decorator's `retry_condition` stands for.

        Raises:
            DefinitionError: a ValueError that lists the words, for another one.
        """
        if not isinstance(word, str) or word not in CONDITIONS:
            known = ", ".join(map(repr, CONDITIONS))
            raise DefinitionError(
                f"retry_condition is {word!r}, but must be one of {known}.{near_miss(str(word), CONDITIONS)}"
            )
        return CONDITIONS[word]

    def holds(self, error: BaseException | str) -> bool:
        """Say whether an error, or one of that text, is worth another attempt."""
        if isinstance(error, self.types):
            return True
        if self.words in ((), ("",)):  # the text of an error may be long, or refuse to be read
            return bool(self.words)
        text = (error if isinstance(error, str) else f"{type(error).__name__} {error}").lower()
        return any(word in text for word in self.words)

    def __repr__(self) -> str:
        way = {
            CONDITIONS["never"]: "never()",
            CONDITIONS["transient"]: "transient_only()",
            CONDITIONS["all"]: "all_errors()",
        }
        return f"RetryCondition.{way.get(self, f'error_pattern({list(self.words)})')}"


CONDITIONS: Final[Mapping[str, RetryCondition]] = {
    "never": RetryCondition.never(),
    "transient": RetryCondition.transient_only(),
    "all": RetryCondition.all_errors(),
}

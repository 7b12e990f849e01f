"""How the delay between the attempts of a task grows."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from cloaca_nb.errors import DefinitionError, near_miss

__all__ = ["BACKOFFS", "BackoffStrategy"]


@dataclass(frozen=True, slots=True, repr=False)
class BackoffStrategy:
    """How the delay between attempts grows; made by `fixed`, `linear` or `exponential`.

    The decorator's words are short for three of them: ``retry_backoff="linear"`` is ``BackoffStrategy.linear(1)``.

    Attributes:
        kind: "fixed", "linear" or "exponential".
        multiplier: stretches the delay.
        base: what an exponential delay is multiplied by from one retry to the next.

    Raises:
        DefinitionError: a ValueError, for an unknown kind, or a number that isn't above 0.

    >>> [BackoffStrategy.exponential(2).factor(retry) for retry in (1, 2, 3, 4)]
    [1.0, 2.0, 4.0, 8.0]
    """

    kind: Literal["fixed", "linear", "exponential"]
    multiplier: float = 1.0
    base: float = 1.0

    def __post_init__(self) -> None:
        if self.kind not in ("fixed", "linear", "exponential"):
            raise DefinitionError(f"A backoff strategy is BackoffStrategy.{_WAYS}, not {self.kind!r}.")
        for name in ("multiplier", "base"):
            _check_positive(name, getattr(self, name))

    @classmethod
    def fixed(cls) -> "BackoffStrategy":
        """Wait equally long before every retry."""
        return cls("fixed")

    @classmethod
    def linear(cls, multiplier: float) -> "BackoffStrategy":
        """Wait ``multiplier · retry`` times the first delay."""
        return cls("linear", multiplier)

    @classmethod
    def exponential(cls, base: float, multiplier: float = 1.0) -> "BackoffStrategy":
        """Wait ``multiplier · base ** (retry - 1)`` times the first delay."""
        return cls("exponential", multiplier, base)

    @classmethod
    def of(cls, word: Any) -> "BackoffStrategy":
        """Return what a word of the decorator's `retry_backoff` stands for.

        Raises:
            DefinitionError: a ValueError that lists the words, for another one.
        """
        if not isinstance(word, str) or word not in BACKOFFS:
            known = ", ".join(map(repr, BACKOFFS))
            raise DefinitionError(
                f"retry_backoff is {word!r}, but must be one of {known}.{near_miss(str(word), BACKOFFS)}"
            )
        return BACKOFFS[word]

    def factor(self, retry: int) -> float:
        """Return how many times the first delay to wait before retry `retry` (from 1)."""
        steps = retry if self.kind == "linear" else 1
        try:
            return float(self.multiplier * steps * self.base ** (retry - 1))
        except OverflowError:
            return math.inf

    def __repr__(self) -> str:
        numbers = {"fixed": (), "linear": (self.multiplier,), "exponential": (self.base, self.multiplier)}[self.kind]
        return f"BackoffStrategy.{self.kind}({', '.join(map(str, numbers))})"


def _check_positive(name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        raise DefinitionError(f"A backoff's {name} is {value!r}, but must be a number above 0, like 2.")


_WAYS: Final = "fixed(), .linear(multiplier) or .exponential(base)"
BACKOFFS: Final[Mapping[str, BackoffStrategy]] = {
    "fixed": BackoffStrategy.fixed(),
    "linear": BackoffStrategy.linear(1.0),
    "exponential": BackoffStrategy.exponential(2.0),
}

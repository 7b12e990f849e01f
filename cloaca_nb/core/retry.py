"""When a failed attempt is tried again, and after how long."""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

from cloaca_nb.errors import DefinitionError, near_miss

__all__ = ["NO_RETRY", "Backoff", "Condition", "RetryPolicy"]

Backoff: TypeAlias = Literal["fixed", "linear", "exponential"]
Condition: TypeAlias = Literal["never", "transient", "all"]

JITTER: Final = 0.25  # a delay varies by up to this share of itself, either way
TRANSIENT_WORDS: Final = ("timeout", "connection", "network", "temporary", "unavailable")


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often, when and after how long a task is tried again.

    Attributes:
        attempts: attempts after the first, at least 0.
        backoff: how the delay grows: ``d``, ``d·k`` or ``d·2**(k-1)`` before retry ``k``.
        delay_s: the delay ``d``, in seconds.
        max_delay_s: no delay is longer, in seconds (before jitter).
        condition: which errors are worth another attempt.
        jitter: vary each delay by up to 25%, so that many tasks don't retry in step.

    Raises:
        DefinitionError: for an unknown word or a negative number.
    """

    attempts: int = 0
    backoff: Backoff = "exponential"
    delay_s: float = 1.0
    max_delay_s: float = 60.0
    condition: Condition = "all"
    jitter: bool = True

    def __post_init__(self) -> None:
        _check_word("retry_backoff", self.backoff, get_args(Backoff))
        _check_word("retry_condition", self.condition, get_args(Condition))
        for name, value in (
            ("retry_attempts", self.attempts),
            ("retry_delay_ms", self.delay_s),
            ("retry_max_delay_ms", self.max_delay_s),
        ):
            if value < 0:
                raise DefinitionError(f"{name} is {value}, but it can't be negative.")

    def delay(self, retry: int, spread: float = 0.0) -> float:
        """Return the seconds to wait before retry `retry` (from 1).

        Args:
            retry: which retry.
            spread: a number from -1 to 1 that places the delay within the jitter; 0 is the middle.

        >>> RetryPolicy(attempts=5, delay_s=1).delay(3)
        4.0
        """
        grown = {"fixed": 1, "linear": retry, "exponential": 2 ** min(retry - 1, 62)}[self.backoff] * self.delay_s
        capped = min(grown, self.max_delay_s)
        return float(capped * (1 + JITTER * spread) if self.jitter else capped)

    def wants(self, error: BaseException, retry: int) -> bool:
        """Say whether `error` is worth retry number `retry` (from 1)."""
        if retry > self.attempts or self.condition == "never":
            return False
        return self.condition == "all" or _is_transient(error)


def _check_word(option: str, word: str, known: tuple[str, ...]) -> None:
    if word not in known:
        words = ", ".join(repr(one) for one in known)
        raise DefinitionError(f"{option} is {word!r}, but must be one of {words}.{near_miss(str(word), known)}")


def _is_transient(error: BaseException) -> bool:
    if isinstance(error, ConnectionError | TimeoutError):
        return True
    text = f"{type(error).__name__} {error}".lower()
    return any(word in text for word in TRANSIENT_WORDS)


NO_RETRY: Final = RetryPolicy()

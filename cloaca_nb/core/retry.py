"""When a failed attempt is tried again, and after how long."""

import math
from dataclasses import dataclass, replace
from typing import Any, Final

from cloaca_nb.core.backoff import BACKOFFS, BackoffStrategy
from cloaca_nb.core.retry_condition import CONDITIONS, RetryCondition
from cloaca_nb.errors import DefinitionError

__all__ = ["NO_RETRY", "RetryPolicy", "RetryPolicyBuilder"]

JITTER: Final = 0.25  # a delay varies by up to this share of itself, either way


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often, when and after how long a task is tried again.

    Attributes:
        max_attempts: how many attempts there are in all, at least 1.
        initial_delay: before the first retry, in seconds.
        max_delay: no delay is longer, in seconds (before jitter).
        backoff_strategy: how the delay grows from one retry to the next.
        retry_condition: which errors are worth another attempt.
        with_jitter: vary each delay by up to 25%, so that many tasks don't retry in step.

    Raises:
        DefinitionError: a ValueError, for a value that isn't as described.

    >>> RetryPolicy(max_attempts=5, initial_delay=1).calculate_delay(3)
    4.0
    """

    max_attempts: int = 3
    initial_delay: float = 1.0
    max_delay: float = 60.0
    backoff_strategy: BackoffStrategy = BACKOFFS["exponential"]
    retry_condition: RetryCondition = CONDITIONS["all"]
    with_jitter: bool = True

    def __post_init__(self) -> None:
        attempts = self.max_attempts
        if isinstance(attempts, bool) or not isinstance(attempts, int) or attempts < 1:
            raise DefinitionError(
                f"max_attempts is {attempts!r}, but must be a whole number from 1 (no retry), like 3."
            )
        for name in ("initial_delay", "max_delay"):
            _check_seconds(name, getattr(self, name))
        for name, kind, example in (
            ("backoff_strategy", BackoffStrategy, "BackoffStrategy.fixed()"),
            ("retry_condition", RetryCondition, "RetryCondition.transient_only()"),
            ("with_jitter", bool, "True"),
        ):
            if not isinstance(getattr(self, name), kind):
                raise DefinitionError(
                    f"{name} is {getattr(self, name)!r}, but must be a {kind.__name__}, like {example}."
                )

    @classmethod
    def default(cls) -> "RetryPolicy":
        """Return the policy with all defaults: 3 attempts, exponential from 1 s to 60 s, all errors, jitter."""
        return cls()

    @classmethod
    def builder(cls) -> "RetryPolicyBuilder":
        """Return a builder that starts from the defaults, for code that prefers it to keywords."""
        return RetryPolicyBuilder(cls())

    def calculate_delay(self, attempt: int, spread: float = 0.0) -> float:
        """Return the seconds to wait after attempt `attempt` (from 1) before the next one.

        Args:
            attempt: the number of the attempt that has failed.
            spread: a number from -1 to 1 that places the delay within the jitter; 0 is the middle.
        """
        grown = self.initial_delay and self.initial_delay * self.backoff_strategy.factor(attempt)
        capped = min(grown, self.max_delay)
        return float(capped * (1 + JITTER * spread) if self.with_jitter else capped)

    def should_retry(self, attempt: int, error: BaseException | str) -> bool:
        """Say whether another attempt follows attempt `attempt` (from 1), which has failed with `error`.

        Args:
            attempt: the number of the attempt that has failed.
            error: the exception, or its text.
        """
        return attempt < self.max_attempts and self.retry_condition.holds(error)


@dataclass(frozen=True, slots=True)
class RetryPolicyBuilder:
    """Puts a retry policy together; each method returns a new builder, and names the field that it sets.

    >>> RetryPolicy.builder().max_attempts(5).initial_delay(0.5).build().max_attempts
    5
    """

    _policy: RetryPolicy

    def max_attempts(self, attempts: int) -> "RetryPolicyBuilder":
        """Set how many attempts there are in all, at least 1."""
        return self._with(max_attempts=attempts)

    def initial_delay(self, seconds: float) -> "RetryPolicyBuilder":
        """Set the delay before the first retry."""
        return self._with(initial_delay=seconds)

    def max_delay(self, seconds: float) -> "RetryPolicyBuilder":
        """Set the longest delay."""
        return self._with(max_delay=seconds)

    def backoff_strategy(self, strategy: BackoffStrategy) -> "RetryPolicyBuilder":
        """Set how the delay grows."""
        return self._with(backoff_strategy=strategy)

    def retry_condition(self, condition: RetryCondition) -> "RetryPolicyBuilder":
        """Set which errors are worth another attempt."""
        return self._with(retry_condition=condition)

    def with_jitter(self, jitter: bool) -> "RetryPolicyBuilder":  # noqa: FBT001 - the reference API's
        """Set whether delays vary by up to 25%."""
        return self._with(with_jitter=jitter)

    def build(self) -> RetryPolicy:
        """Return the policy."""
        return self._policy

    def _with(self, **field: Any) -> "RetryPolicyBuilder":
        return RetryPolicyBuilder(replace(self._policy, **field))


def _check_seconds(name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise DefinitionError(f"{name} is {value!r}, but must be a number of seconds from 0, like 0.5.")


NO_RETRY: Final = RetryPolicy(max_attempts=1)

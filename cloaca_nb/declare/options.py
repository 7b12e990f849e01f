"""The options of a task as a user writes them, checked and turned into what the core knows."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Final

from cloaca_nb.core.retry import NO_RETRY, RetryPolicy
from cloaca_nb.errors import DefinitionError

__all__ = ["HANDLE_NAMES", "handle_parameter", "retry_policy"]

HANDLE_NAMES: Final = ("handle", "task_handle")
MS: Final = 1000.0


def retry_policy(options: Mapping[str, Any], policy: RetryPolicy | None = None) -> RetryPolicy:
    """Make a policy of the `retry_*` options that were given.

    Args:
        options: those that the user gave: ``retry_attempts retry_backoff retry_delay_ms retry_max_delay_ms
            retry_condition retry_jitter``; others are passed over.
        policy: the whole policy, where the user gave that.

    Raises:
        DefinitionError: a ValueError, for both at once, an unknown word or a negative number.
    """
    given = {name: value for name, value in options.items() if name.startswith("retry_") and value is not None}
    if policy is not None and given:
        raise DefinitionError(f"Give retry= or {', '.join(f'{name}=' for name in given)}, not both.")
    if policy is not None or not given:
        return policy or NO_RETRY
    return RetryPolicy(
        attempts=given.get("retry_attempts", 0),
        backoff=given.get("retry_backoff", "exponential"),
        delay_s=given.get("retry_delay_ms", 1000) / MS,
        max_delay_s=given.get("retry_max_delay_ms", 60_000) / MS,
        condition=given.get("retry_condition", "all"),
        jitter=given.get("retry_jitter", True),
    )


def handle_parameter(function: Callable[..., Any]) -> str | None:
    """Return the name of the second parameter if it asks for a task handle."""
    try:
        names = list(inspect.signature(function).parameters)
    except (TypeError, ValueError):  # some built-in callables have no signature
        return None
    return names[1] if len(names) > 1 and names[1] in HANDLE_NAMES else None

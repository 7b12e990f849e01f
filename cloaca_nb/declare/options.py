"""The options of a task as a user writes them, checked and turned into what the core knows."""

import inspect
import math
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from datetime import timedelta
from typing import Any, Final

from cloaca_nb.core.backoff import BackoffStrategy
from cloaca_nb.core.cell.option_values import EXECUTORS
from cloaca_nb.core.retry import NO_RETRY, RetryPolicy
from cloaca_nb.core.retry_condition import RetryCondition
from cloaca_nb.core.rules import Rule
from cloaca_nb.errors import DefinitionError, near_miss

__all__ = [
    "cache_option",
    "check_callback",
    "check_executor",
    "check_function",
    "check_rule",
    "check_timeout",
    "handle_parameter",
    "name_of",
    "retry_policy",
]

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
    if policy is not None and not isinstance(policy, RetryPolicy):
        raise DefinitionError(f"retry is {policy!r}, but must be a policy: retry=RetryPolicy(max_attempts=3).")
    if policy is not None or not given:
        return policy or NO_RETRY
    _check_retry_options(given)
    return RetryPolicy(
        max_attempts=1 + given.get("retry_attempts", 0),
        initial_delay=given.get("retry_delay_ms", 1000) / MS,
        max_delay=given.get("retry_max_delay_ms", 60_000) / MS,
        backoff_strategy=BackoffStrategy.of(given.get("retry_backoff", "exponential")),
        retry_condition=RetryCondition.of(given.get("retry_condition", "all")),
        with_jitter=given.get("retry_jitter", True),
    )


def _check_retry_options(given: Mapping[str, Any]) -> None:
    attempts = given.get("retry_attempts", 0)
    if not isinstance(attempts, int) or isinstance(attempts, bool):
        raise DefinitionError(f"retry_attempts is {attempts!r}, but must be a whole number, like 3.")
    for name in ("retry_attempts", "retry_delay_ms", "retry_max_delay_ms"):
        if _is_number(given.get(name)) and given[name] < 0:
            raise DefinitionError(f"{name} is {given[name]}, but it can't be negative.")
    for name in ("retry_delay_ms", "retry_max_delay_ms"):
        if name in given and not _is_number(given[name]):
            raise DefinitionError(f"{name} is {given[name]!r}, but must be a number of milliseconds, like 500.")
    if not isinstance(given.get("retry_jitter", True), bool):
        raise DefinitionError(f"retry_jitter is {given['retry_jitter']!r}, but must be True or False.")


def check_timeout(timeout: Any) -> None:
    """Raise a DefinitionError unless `timeout` is None or a number of seconds above 0."""
    if timeout is not None and not (_is_number(timeout) and timeout > 0):
        raise DefinitionError(
            f"timeout is {timeout!r}, but must be a number of seconds above 0, like 30 (None: no limit)."
        )


def cache_option(cache: Any) -> bool | float | None:
    """Return what `cache` means: True, False, a number of seconds, or None.

    Raises:
        DefinitionError: a ValueError, for anything but these and a `timedelta`.
    """
    seconds = cache.total_seconds() if isinstance(cache, timedelta) else cache
    if seconds is None or isinstance(seconds, bool):
        return seconds
    if not _is_number(seconds) or seconds <= 0:
        raise DefinitionError(
            f"cache is {cache!r}, but must be True, False, or how long ago the earlier run may be: a number of seconds "
            "above 0, or a timedelta, like 3600."
        )
    return float(seconds)


def check_callback(option: str, callback: Any) -> None:
    """Raise a DefinitionError unless `callback` is None or can be called."""
    if callback is not None and not callable(callback):
        arguments = "task_id, context" if option == "on_success" else "task_id, error, context"
        raise DefinitionError(f"{option} is {callback!r}, but must be a function that takes ({arguments}).")


def check_rule(rule: Any) -> None:
    """Raise a DefinitionError unless `rule` is None or a trigger rule."""
    if rule is not None and not isinstance(rule, Rule):
        raise DefinitionError(
            f"trigger_rules is {name_of(rule)}, but must be a rule, like task_failed('load'). "
            "all_of(…), any_of(…) and none_of(…) join several."
        )


def check_executor(executor: Any) -> None:
    """Raise a DefinitionError unless tasks can run there."""
    if executor is None or executor in EXECUTORS or isinstance(executor, Executor):
        return
    if hasattr(executor, "get_executor"):  # a Dask client
        raise DefinitionError(
            "executor is a Dask client, but must be an executor: executor=client.get_executor(pure=False)."
        )
    known = 'None or "thread" for a thread, "process", or a concurrent.futures.Executor'
    raise DefinitionError(f"executor is {executor!r}, but must be {known}.{near_miss(str(executor), EXECUTORS)}")


def check_function(task_id: str, function: Callable[..., Any]) -> None:
    """Raise a DefinitionError unless `function` can be called with a context, and with a handle if it asks for one."""
    arguments = (None, None) if handle_parameter(function) else (None,)
    try:
        inspect.signature(function).bind(*arguments)
    except TypeError as error:
        raise DefinitionError(
            f"Task {task_id!r} is called with its context alone, which its function doesn't take ({error}): "
            f"write `def {task_id}(context):`, or `(context, handle)` for a task handle."
        ) from None
    except ValueError:  # some built-in callables have no signature
        return


def handle_parameter(function: Callable[..., Any]) -> str | None:
    """Return the name of the second parameter if it asks for a task handle."""
    try:
        names = list(inspect.signature(function).parameters)
    except (TypeError, ValueError):  # some built-in callables have no signature
        return None
    return names[1] if len(names) > 1 and names[1] in HANDLE_NAMES else None


def name_of(value: Any) -> str:
    """Return what a user calls a value: a function's name, anything else as it is written."""
    name = getattr(value, "__name__", None)
    return name if isinstance(name, str) else repr(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)

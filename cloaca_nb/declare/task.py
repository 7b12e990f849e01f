"""The decorator that makes a function a task."""

import inspect
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any, Never, TypeVar

from cloaca_nb.core.docstring import read_docstring
from cloaca_nb.core.keywords import suggesting
from cloaca_nb.core.retry import RetryPolicy
from cloaca_nb.core.rules import Rule
from cloaca_nb.core.task import Task
from cloaca_nb.declare.options import (
    cache_option,
    check_callback,
    check_executor,
    check_function,
    check_rule,
    check_timeout,
    handle_parameter,
    name_of,
    retry_policy,
)
from cloaca_nb.declare.place import caller, define, line_of
from cloaca_nb.declare.registry import REGISTRY
from cloaca_nb.errors import DefinitionError

__all__ = ["task"]

Function = TypeVar("Function", bound=Callable[..., Any])


@suggesting
def task(  # noqa: PLR0913 - the reference API's options, all by keyword
    *bare: Never,
    id: str | None = None,  # noqa: A002 - the reference API's name
    dependencies: Iterable[str | Callable[..., Any]] | None = None,
    retry: RetryPolicy | None = None,
    retry_attempts: int | None = None,
    retry_backoff: str | None = None,
    retry_delay_ms: int | None = None,
    retry_max_delay_ms: int | None = None,
    retry_condition: str | None = None,
    retry_jitter: bool | None = None,
    on_success: Callable[..., Any] | None = None,
    on_failure: Callable[..., Any] | None = None,
    trigger_rules: Rule | None = None,
    timeout: float | None = None,
    executor: Any = None,
    cache: bool | float | timedelta | None = None,
) -> Callable[[Function], Function]:
    """Make a function a task of the `with WorkflowBuilder` block around it, or a loose one of its module.

    The function itself comes back, still callable in tests. Its body takes the context and returns it or None.

    Args:
        bare: nothing: every option is given by its name.
        id: the task's id; by default the function's name.
        dependencies: ids, or functions that are tasks; None: infer them from the keys that the body reads.
        retry: the whole retry policy; instead of any `retry_*`.
        retry_attempts: attempts after the first; by default 0.
        retry_backoff: "fixed", "linear" or "exponential" (the default).
        retry_delay_ms: the first delay in milliseconds; by default 1000.
        retry_max_delay_ms: the longest delay in milliseconds; by default 60000.
        retry_condition: "never", "transient" or "all" (the default).
        retry_jitter: whether delays vary by up to 25%; by default they do.
        on_success: called with (task_id, context) after success.
        on_failure: called with (task_id, error, context) after the last attempt.
        trigger_rules: a rule that replaces the default condition for running, e.g. ``task_failed("load")``.
        timeout: seconds per attempt; None: no limit.
        executor: None for a thread, "process", or a `concurrent.futures.Executor`.
        cache: whether the task is taken from history if its code and what it reads are unchanged. True: in every run.
            A number of seconds or a timedelta: likewise, if it was executed no longer ago than that. False: in no run,
            resumed ones included. None: in runs that are resumed or ``cached=True``.

    Raises:
        DefinitionError: a ValueError, for a wrong value; the message lists the right ones.
    """
    if bare:
        raise DefinitionError("@task needs parentheses, and its options are given by name: @cloaca.task(id='load').")
    retry_options = {
        "retry_attempts": retry_attempts,
        "retry_backoff": retry_backoff,
        "retry_delay_ms": retry_delay_ms,
        "retry_max_delay_ms": retry_max_delay_ms,
        "retry_condition": retry_condition,
        "retry_jitter": retry_jitter,
    }
    try:
        policy = retry_policy(retry_options, retry)
        check_timeout(timeout)
        check_callback("on_success", on_success)
        check_callback("on_failure", on_failure)
        check_rule(trigger_rules)
        check_executor(executor)
        remembered = cache_option(cache)
    except DefinitionError as error:
        where = line_of(caller())
        raise DefinitionError(f"{f'Task {id!r} ({where})' if id else f'The task at {where}'}: {error}") from None

    def declare(function: Function) -> Function:
        name = _task_id(id, function)
        check_function(name, function)
        definition, purpose = define(function), read_docstring(inspect.getdoc(function))
        REGISTRY.declare(
            function.__module__,
            Task(
                id=name,
                function=function,
                dependencies=None if dependencies is None else _dependency_ids(name, dependencies),
                retry=policy,
                on_success=on_success,
                on_failure=on_failure,
                rule=trigger_rules,
                timeout=timeout,
                executor=executor,
                cache=remembered,
                handle=handle_parameter(function),
                is_async=inspect.iscoroutinefunction(function),
                keys=definition.keys,
                source=definition.source,
                where=definition.where,
                description=purpose.what,
                why=purpose.why,
            ),
        )
        REGISTRY.remember(function, name)
        return function

    return declare


def _task_id(given: Any, function: Callable[..., Any]) -> str:
    if not callable(function):
        raise DefinitionError(f"@task makes a task of a function, not of {function!r}: put it above a `def`.")
    found = getattr(function, "__name__", "") if given is None else given
    if not isinstance(found, str) or not found:
        raise DefinitionError(f"A task's id is a text, not {found!r}: @cloaca.task(id='load').")
    return found


def _dependency_ids(task_id: str, dependencies: Iterable[str | Callable[..., Any]]) -> tuple[str, ...]:
    if isinstance(dependencies, str) or not isinstance(dependencies, Iterable):
        raise DefinitionError(
            f"The dependencies of task {task_id!r} are a list: write dependencies=[{name_of(dependencies)}]."
        )
    return tuple(dict.fromkeys(_dependency_id(task_id, one) for one in dependencies))


def _dependency_id(task_id: str, dependency: str | Callable[..., Any]) -> str:
    if isinstance(dependency, str):
        return dependency
    known = REGISTRY.id_of(dependency) if callable(dependency) else None
    if known is None:
        raise DefinitionError(
            f"Task {task_id!r} depends on {name_of(dependency)}, which is neither an id nor a function that is a task: "
            "write the id as a text, or put @task above that function."
        )
    return known

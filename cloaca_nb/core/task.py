"""A task: one function of a workflow, and how it is to be run."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cloaca_nb.core.names import UNKNOWN, Keys
from cloaca_nb.core.retry import NO_RETRY, RetryPolicy
from cloaca_nb.core.rules import Rule

__all__ = ["Task"]


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """One function of a workflow, and how it is to be run. Compared by identity.

    Attributes:
        id: its name within a workflow.
        function: the body: takes the context, and returns it or None.
        dependencies: ids of the tasks that must be over first; None: infer them from the keys.
        after: further dependencies, which leave the inference on.
        retry: when a failed attempt is tried again.
        on_success: called with (task_id, context) when the task has completed.
        on_failure: called with (task_id, error, context) when its last attempt has failed.
        rule: replaces the default condition for running; see `core.rules`.
        timeout: seconds per attempt; None: no limit.
        executor: where the body runs: None for a thread, "process", or a `concurrent.futures.Executor`.
        cache: whether the task is taken from an earlier run, if that has it unchanged: True, always; False, never; a
            number, as True, of runs no longer ago than that, in seconds; None, as the run says.
        handle: the name of the parameter that wants a task handle, or None.
        is_async: whether the body is an ``async def``.
        keys: what the body does with its context, as far as its source tells.
        source: the text of the function or cell; empty where there is none.
        where: the place of its definition: "Cell In[3]", "flows.py:12", or empty.
        description: what it does: its docstring, or what follows the docstring's ``what:``.
        why: what follows the docstring's ``why:``; empty where there is none.
    """

    id: str
    function: Callable[..., Any]
    dependencies: tuple[str, ...] | None = None
    after: tuple[str, ...] = ()
    retry: RetryPolicy = NO_RETRY
    on_success: Callable[..., Any] | None = None
    on_failure: Callable[..., Any] | None = None
    rule: Rule | None = None
    timeout: float | None = None
    executor: Any = None
    cache: bool | float | None = None
    handle: str | None = None
    is_async: bool = False
    keys: Keys = UNKNOWN
    source: str = ""
    where: str = ""
    description: str = ""
    why: str = ""

    @property
    def named(self) -> str:
        """Its id and where it was defined, as error messages name it: ``'clean' (Cell In[3])``."""
        return f"{self.id!r} ({self.where})" if self.where else repr(self.id)

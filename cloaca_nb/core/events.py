"""The facts of a run: frozen, said once by the engine, in the order in which they happened.

Of one run: `RunStarted` comes first and `RunFinished` last; every task has exactly one `TaskFinished`; an attempt's
output and progress stand between its `AttemptStarted` and its end. Times (`at`) are seconds since the Unix epoch.
Tuples rather than dataclasses: making one costs a quarter, and a run makes two per task.
"""

from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from cloaca_nb.core.conflict import Conflict
    from cloaca_nb.core.graph import Workflow
    from cloaca_nb.core.status import Outcome, Status

__all__ = [
    "AttemptFailed",
    "AttemptStarted",
    "Event",
    "Failure",
    "Observer",
    "OutputWritten",
    "ProgressMade",
    "RunFinished",
    "RunStarted",
    "TaskFinished",
]


NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


class Failure(NamedTuple):
    """Why an attempt failed, as the user sees it."""

    exception: str  # the type's name: "ValueError"
    message: str  # str(exception)
    where: str  # "Cell In[3], line 2, in clean", or "" where no user code is on the stack
    traceback: str  # the user's own frames only, with source lines


class RunStarted(NamedTuple):
    """A run began: nothing of it has been executed yet."""

    at: float
    run_id: str  # a UUIDv7: sorts by time
    workflow: "Workflow"
    kind: str  # "run", or "try" for one task on its own
    initial: Mapping[str, Any]  # the initial context
    resumed_from: str = ""  # the id of the run that this one goes on with
    given: Collection[str] = ()  # keys of the initial context that somebody gave; the others are the workflow's own


class AttemptStarted(NamedTuple):
    """A worker begins an attempt of a task."""

    at: float
    run_id: str
    task_id: str
    attempt: int  # from 1


class OutputWritten(NamedTuple):
    """An attempt wrote whole lines (or, at its end, the rest of one)."""

    at: float
    run_id: str
    task_id: str
    attempt: int
    stream: str  # "stdout", "stderr", or "display": the text of what was displayed
    text: str


class ProgressMade(NamedTuple):
    """An attempt reported how far it is."""

    at: float
    run_id: str
    task_id: str
    attempt: int
    done: float
    total: float | None  # None: not known
    message: str


class AttemptFailed(NamedTuple):
    """An attempt ended with an error."""

    at: float
    run_id: str
    task_id: str
    attempt: int
    failure: Failure
    retry_in: float | None  # seconds until the next attempt; None: this was the last


class TaskFinished(NamedTuple):
    """A task is over."""

    at: float
    run_id: str
    task_id: str
    attempt: int  # of the last attempt; 0: it never started
    outcome: "Outcome"
    changes: Mapping[str, Any]  # what it set; a deleted key maps to context.DELETED; empty unless Completed
    failure: Failure | None  # set if and only if the outcome is Failed
    reason: str  # why it was skipped, cancelled, taken from history, or not taken; empty where nothing is to be said
    reads: Mapping[str, Any] = NOTHING  # what it inherited under the keys that it asked for; MISSING: nothing
    taken_from: str = ""  # the id of the run whose values these are; empty if it was executed


class RunFinished(NamedTuple):
    """A run is over: no task of it will start or change anything."""

    at: float
    run_id: str
    status: "Status"
    final: Mapping[str, Any]  # the final context
    error: str  # which task, which exception, where; empty unless Failed
    conflicts: tuple["Conflict", ...] = ()  # the choices that tasks read, and those of the final context, once each


Event: TypeAlias = (
    RunStarted | AttemptStarted | OutputWritten | ProgressMade | AttemptFailed | TaskFinished | RunFinished
)

# Called from whichever thread says the fact, so quick and thread-safe; the engine reports one that raises and goes on.
Observer: TypeAlias = Callable[[Event], None]

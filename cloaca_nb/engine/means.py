"""What runs are driven with: threads, an event loop, and what the engine was told about values and history."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from cloaca_nb.core.merge import Sameness
from cloaca_nb.core.secret import SecretKeys
from cloaca_nb.engine.deadlines import Deadlines
from cloaca_nb.engine.loop import Loop
from cloaca_nb.engine.processes import Processes
from cloaca_nb.engine.turns import Turns
from cloaca_nb.engine.workers import Workers

__all__ = ["Means"]


@dataclass(frozen=True, slots=True)
class Means:
    """What all runs of one engine share.

    Attributes:
        workers: the threads that plain bodies run on.
        processes: those that plain bodies run in which ask for it.
        loop: runs async bodies, and keeps the time.
        deadlines: the timeouts of attempts and runs.
        turns: how many async bodies may run at once.
        isolate: gives a task its own copy of a value.
        same: what it means that two values are one.
        frame: makes a table of rows, for results.
        secret_keys: those whose values are hidden in all that is said of a run.
        settle: called with a run's id after its last event; the run is over when it returns.
        settle_task: called with the run's id when a task is over, before what depends on it starts; None: no need.
        task_timeout: seconds per attempt of a task that names none; None: no limit.
        lost: given what a task read, its copy of that and what it set, says whether it has changed the copy and not
            passed that on; None: nobody asks.
        on_error: given (run id, task id, exception) of each task that fails; for a debugger, which needs the frames.
    """

    workers: Workers
    processes: Processes
    loop: Loop
    deadlines: Deadlines
    turns: Turns
    isolate: Callable[[Any], Any]
    same: Sameness
    frame: Callable[[list[dict[str, Any]]], Any]
    secret_keys: SecretKeys
    settle: Callable[[str], None]
    settle_task: Callable[[str], None] | None = None
    task_timeout: float | None = None
    lost: Callable[[Any, Any, Iterable[Any]], bool] | None = None
    on_error: Callable[[str, str, BaseException], object] | None = None

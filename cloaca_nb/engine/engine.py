"""The engine: threads and an event loop that drive runs, and say what happens to whoever was passed in to listen."""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cloaca_nb.core.events import Observer
from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.merge import Sameness
from cloaca_nb.engine.execution import Execution
from cloaca_nb.engine.loop import Loop
from cloaca_nb.engine.means import Means
from cloaca_nb.engine.run import Run
from cloaca_nb.engine.workers import Workers
from cloaca_nb.errors import ConfigurationError

__all__ = ["Engine", "default_concurrency"]


def default_concurrency() -> int:
    """Return how many tasks run at once unless told otherwise: cores + 4, at most 32."""
    return min((os.cpu_count() or 1) + 4, 32)


class Engine:
    """Drives runs.

    Args:
        max_concurrent_tasks: how many plain bodies run at once.
        isolate: gives a task its own copy of a value.
        same: what it means that two values are one.
        frame: makes a table of rows, for results.
        observers: told every event of every run.
        settle: called after the last event of a run; the run is over when it returns.
    """

    def __init__(
        self,
        *,
        max_concurrent_tasks: int,
        isolate: Callable[[Any], Any],
        same: Sameness,
        frame: Callable[[list[dict[str, Any]]], Any],
        observers: Sequence[Observer] = (),
        settle: Callable[[], None] = lambda: None,
    ) -> None:
        self._means = Means(Workers(max_concurrent_tasks), Loop(), isolate, same, frame, settle)
        self._observers = tuple(observers)

    def start(
        self, workflow: Workflow, initial: Mapping[str, Any], *, kind: str = "run", observers: Sequence[Observer] = ()
    ) -> Run:
        """Start a run and return at once.

        Args:
            workflow: what to execute.
            initial: the initial context; the workflow's parameters fill it up.
            kind: "run", or "try" for one task on its own.
            observers: told every event of this run.

        Raises:
            ConfigurationError: if a task asks for an executor that is not to be had.
        """
        for task in workflow.tasks:
            if task.executor not in (None, "thread"):
                raise ConfigurationError(
                    f"Task {task.named} asks for executor={task.executor!r}; so far tasks run on threads: "
                    "leave `executor` away."
                )
        execution = Execution(self._means, workflow, initial, kind, (*self._observers, *observers))
        execution.start()
        return Run(execution)

    def close(self) -> None:
        """End the threads; what runs now may finish."""
        self._means.workers.close()
        self._means.loop.close()

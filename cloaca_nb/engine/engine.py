"""The engine: threads and an event loop that drive runs, and say what happens to whoever was passed in to listen."""

import os
import threading
import weakref
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from cloaca_nb.core.events import Observer
from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.merge import Sameness
from cloaca_nb.core.recall import Recall
from cloaca_nb.core.secret import SecretKeys
from cloaca_nb.core.task import Task
from cloaca_nb.declare.options import check_executor
from cloaca_nb.engine.around import check_not_again, inside
from cloaca_nb.engine.deadlines import Deadlines
from cloaca_nb.engine.execution import Execution
from cloaca_nb.engine.loop import Loop
from cloaca_nb.engine.means import Means
from cloaca_nb.engine.processes import Processes, check_loky
from cloaca_nb.engine.run import Run
from cloaca_nb.engine.turns import MOST_ASYNC, Turns
from cloaca_nb.engine.workers import Workers
from cloaca_nb.errors import ConfigurationError, DefinitionError, MissingExtraError

__all__ = ["Engine", "default_concurrency"]

PATIENCE: Final = 10.0  # seconds that closing waits for what is left to say of a run that ends at the same time


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
        secret_keys: keys whose values are hidden in all that is said of a run, besides those that a workflow names.
        observers: told every event of every run.
        settle: called with a run's id after its last event; the run is over when it returns.
        settle_task: called with the run's id when a task is over, before what depends on it starts; None: no need.
        task_timeout: seconds per attempt of a task that names none; None: no limit.
        max_concurrent_async: how many async bodies run at once.
        lost: says whether a task has changed its copy of a value in vain; see `Means`.
        on_error: given (run id, task id, exception) of each task that fails, with its frames; quick.
    """

    def __init__(  # noqa: PLR0913 - what an engine is told, all by keyword
        self,
        *,
        max_concurrent_tasks: int,
        isolate: Callable[[Any], Any],
        same: Sameness,
        frame: Callable[[list[dict[str, Any]]], Any],
        secret_keys: SecretKeys = SecretKeys(),  # noqa: B008 - never changed
        observers: Sequence[Observer] = (),
        settle: Callable[[str], None] = lambda _run_id: None,
        settle_task: Callable[[str], None] | None = None,
        task_timeout: float | None = None,
        max_concurrent_async: int = MOST_ASYNC,
        lost: Callable[[Any, Any, Iterable[Any]], bool] | None = None,
        on_error: Callable[[str, str, BaseException], object] | None = None,
    ) -> None:
        loop = Loop()
        self._means = Means(
            workers=Workers(max_concurrent_tasks),
            processes=Processes(),
            loop=loop,
            deadlines=Deadlines(loop),
            turns=Turns(max_concurrent_async),
            isolate=isolate,
            same=same,
            frame=frame,
            secret_keys=secret_keys,
            settle=settle,
            settle_task=settle_task,
            task_timeout=task_timeout,
            lost=lost,
            on_error=on_error,
        )
        self._observers = tuple(observers)
        self._runs: weakref.WeakSet[Execution] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._closed = False
        self._process = os.getpid()

    def start(
        self,
        workflow: Workflow,
        initial: Mapping[str, Any],
        *,
        kind: str = "run",
        observers: Sequence[Observer] = (),
        timeout: float | None = None,
        resumed_from: str = "",
        recall: Recall | None = None,
        given: Collection[str] | None = None,
    ) -> Run:
        """Start a run and return at once.

        Args:
            workflow: what to execute.
            initial: the initial context; the workflow's parameters fill it up.
            kind: "run", or "try" for one task on its own.
            observers: told every event of this run.
            timeout: seconds after which the run fails; None: no limit.
            resumed_from: the id of the run that this one goes on with.
            recall: asked before a task is executed; None: all are.
            given: keys of the initial context that somebody gave; None: all of `initial`.

        Raises:
            ConfigurationError: if a task asks for an executor that there isn't; or if the engine is closed, or was made
                by another process.
            DefinitionError: a ValueError, if an observer is no function.
            MissingExtraError: if a task asks for a process, and the library for that isn't installed.
            WorkflowValidationError: a ValueError, in a task of a run that does the same.
        """
        self._check_open()
        check_not_again(workflow, initial, self._means.same.equal)
        _check_observers(observers)
        for task in workflow.tasks:
            if task.executor is not None:
                _check_executor(task)
        with inside(workflow, initial):
            execution = Execution(
                self._means,
                workflow,
                initial,
                kind=kind,
                observers=(*self._observers, *observers),
                resumed_from=resumed_from,
                recall=recall,
                given=given,
            )
        run = Run(execution)
        try:
            execution.start(timeout)
        except BaseException:  # an interrupt: nobody would hold the run
            run.cancel()
            raise
        with self._lock:
            self._runs.add(execution)
        if self._closed:  # meanwhile
            run.cancel()
        return run

    def close(self) -> None:
        """Cancel the runs that go on, and end the threads; does nothing when called again."""
        with self._lock:
            self._closed = True
            going_on = [execution for execution in self._runs if not execution.ending.over.is_set()]
        for execution in going_on:
            Run(execution).cancel()
        for execution in going_on:
            execution.ending.over.wait(PATIENCE)
        self._means.workers.close()
        self._means.processes.close()
        self._means.loop.close()

    def _check_open(self) -> None:
        if self._closed:
            raise ConfigurationError("This runner was shut down, so it can't execute anything; make a new one.")
        if os.getpid() != self._process:
            raise ConfigurationError(
                "This runner was made by the process that this one was forked from, and its threads stayed there; "
                "make a new one in this process."
            )


def _check_observers(observers: Any) -> None:
    if not isinstance(observers, Iterable) or not all(map(callable, observers)):
        raise DefinitionError(
            f"observers is {observers!r}, but must be a list of functions that take an event: observers=[print]."
        )


def _check_executor(task: Task) -> None:
    try:
        check_executor(task.executor)
        if task.executor == "process":
            check_loky()
    except (DefinitionError, MissingExtraError) as error:
        kind = MissingExtraError if isinstance(error, MissingExtraError) else ConfigurationError
        raise kind(f"Task {task.named}: {error}") from None

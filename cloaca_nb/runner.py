"""The runner: one registry, one engine and one history. The only place that picks implementations."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from cloaca_nb.config import DefaultRunnerConfig
from cloaca_nb.core.context import Context
from cloaca_nb.core.events import Observer
from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.keywords import suggesting
from cloaca_nb.core.live import Live
from cloaca_nb.core.merge import Sameness
from cloaca_nb.core.secret import SecretKeys
from cloaca_nb.declare.entry import import_entry_module
from cloaca_nb.declare.options import check_timeout
from cloaca_nb.declare.random_generators import meet_generators
from cloaca_nb.declare.registry import REGISTRY, Registry
from cloaca_nb.declare.variables import secrets_for
from cloaca_nb.engine.echo import Echo
from cloaca_nb.engine.engine import Engine, default_concurrency
from cloaca_nb.engine.result import WorkflowResult
from cloaca_nb.engine.run import Run
from cloaca_nb.errors import ConfigurationError, DefinitionError, WorkflowNotFoundError, near_miss
from cloaca_nb.history.beginning import Beginning
from cloaca_nb.history.history import History
from cloaca_nb.history.tables import to_frame
from cloaca_nb.values import equal, isolate, key, lost
from cloaca_nb.values.digests import content_digest

__all__ = ["DURABILITIES", "DefaultRunner", "check_durability"]

DURABILITIES: Final = ("run", "task")
_notes_said: Final[set[str]] = set()


class DefaultRunner(Live):
    """Executes workflows and keeps every run in its history.

    Args:
        url: where the history lies: a path, ``duckdb:///file.duckdb``, ``:memory:``; None: ``CLOACA_HISTORY``, else the
            nearest ``.cloaca/history.duckdb`` upward from the working directory, else a new one there.
        config: how to execute; None: cores + 4 tasks at once (at most 32), and no timeouts.
        schema: a name that keeps this runner's history apart from others in the same database.
        registry: where workflows are looked for by name.
        echo_output: shows what tasks print; an observer. None: below the cell or on the terminal, at most 64 kB of each
            task, the whole being in history; ``cloaca_nb.engine.echo.Echo(per_task=...).observe`` for another figure.
        on_error: given (run id, task id, exception) of each task that fails: for a debugger, which needs its frames.
            Quick; what it holds on to keeps alive all that the task had.
        durability: "run": a run is on disk when `execute` returns; if the process is killed before, at most the last
            20 ms are lost, and tasks that have set large values which were still being written; those run again on
            resume. "task": also, nothing that depends on a task starts before that task is on disk, for tasks that
            must not run twice; costs each task a write to the disk.

    Raises:
        ConfigurationError: a RuntimeError, for a URL that is not supported.
        DefinitionError: a ValueError, for another durability.
        DefinitionError: a ValueError, for a schema's name that isn't one.
        HistoryError: if the history can't be opened.
    """

    @suggesting
    def __init__(
        self,
        url: str | os.PathLike[str] | None = None,
        *,
        config: DefaultRunnerConfig | None = None,
        schema: str | None = None,
        registry: Registry = REGISTRY,
        echo_output: Observer | None = None,
        on_error: Callable[[str, str, BaseException], object] | None = None,
        durability: str = "run",
    ) -> None:
        check_durability(durability)
        _check_kind("url", url, str | os.PathLike, "a path or a database URL")
        _check_kind("config", config, DefaultRunnerConfig, "a DefaultRunnerConfig")
        self._registry = registry
        self._history = History.open(url, schema=schema)
        _say_once(self._history.location.note)
        recorder = self._history.recorder()
        self._workflow_timeout = config.workflow_timeout_seconds if config else None
        self._engine = Engine(
            max_concurrent_tasks=config.max_concurrent_tasks if config else default_concurrency(),
            isolate=isolate,
            lost=lost,
            same=Sameness(equal, key),
            frame=to_frame,
            secret_keys=SecretKeys(config.secret_keys) if config else SecretKeys(),
            observers=(recorder, Echo().observe if echo_output is None else echo_output),
            settle=recorder.sync,
            settle_task=recorder.flush if durability == "task" else None,
            task_timeout=config.task_timeout_seconds if config else None,
            on_error=on_error,
        )

    @classmethod
    def with_config(cls, url: str | os.PathLike[str] | None, config: DefaultRunnerConfig) -> Self:
        """Make a runner that executes as `config` says."""
        return cls(url, config=config)

    @classmethod
    def with_schema(cls, database_url: str | os.PathLike[str] | None, schema: str) -> Self:
        """Make a runner whose history is kept apart from others in the same database, under the name `schema`.

        Raises:
            DefinitionError: a ValueError, for an empty name, or other characters than letters, digits, underscores.
            ConfigurationError: a RuntimeError, for a URL that is not supported.
        """
        try:
            return cls(database_url, schema=schema or "")
        except ConfigurationError as error:
            raise ConfigurationError(f"Failed to set up schema {schema!r}: {error}") from None

    @suggesting
    def execute(
        self,
        workflow: str | Workflow,
        context: Context | Mapping[str, Any] | None = None,
        *,
        timeout: float | None = None,
        observers: Sequence[Observer] = (),
        cached: bool = False,
    ) -> WorkflowResult:
        """Execute a workflow and block until its run is over and on disk.

        Args:
            workflow: a `Workflow`, or the name of a registered one.
            context: the initial context.
            timeout: seconds; a run that takes longer ends as Failed, with what was running given up. None: what the
                runner's config says, else no limit.
            observers: told every event of this run.
            cached: whether a task is taken from an earlier run, of whatever workflow, if its code and what it reads
                are unchanged; `WorkflowResult.tasks` says why each was taken or executed.

        Raises:
            WorkflowNotFoundError: a ValueError, for an unknown name.
            KeyboardInterrupt: on an interrupt, after the run was recorded as Cancelled.
        """
        return _waited_for(self.start(workflow, context, timeout=timeout, observers=observers, cached=cached))

    @suggesting
    def resume(
        self,
        run: str | None = None,
        *,
        workflow: str | Workflow | None = None,
        context: Context | Mapping[str, Any] | None = None,
        timeout: float | None = None,
        observers: Sequence[Observer] = (),
    ) -> WorkflowResult:
        """Go on with an earlier run, in a new one, and block until that is over and on disk.

        Tasks that have completed, and whose code and inputs are unchanged, are taken from history. The others are
        executed: what had not completed, what follows it, and what was edited since. `WorkflowResult.tasks` says why.
        The initial context is the run's; but parameters that it wasn't given, or that have another value in the
        workflow since, are the workflow's own of now.

        Args:
            run: the id of the run, or a beginning that only it has; None: the latest that is over, however it ended (a
                run that completed after one that failed is what there is to go on with), of `workflow`, or
                of that of the latest run. One that is still going on is passed over with a warning.
            workflow: what is executed; None: the registered workflow of the run's name.
            context: replaces values of the run's initial context.
            timeout: see `execute`.
            observers: told every event of the new run.

        Raises:
            HistoryError: if there is no such run, the one named is still going on, or its initial context can't be
                given back: history keeps no secrets, so those that tasks read are given again.
            WorkflowNotFoundError: a ValueError, if its workflow isn't registered any more.
            KeyboardInterrupt: on an interrupt, after the new run was recorded as Cancelled.
        """
        begun = self.start_resumed(run, workflow=workflow, context=context, timeout=timeout, observers=observers)
        return _waited_for(begun)

    async def execute_async(
        self,
        workflow: str | Workflow,
        context: Context | Mapping[str, Any] | None = None,
        *,
        timeout: float | None = None,  # noqa: ASYNC109 - it ends the run, not the wait
    ) -> WorkflowResult:
        """Execute a workflow without blocking the event loop; cancelling this cancels the run. See `execute`."""
        run = self.start(workflow, context, timeout=timeout)
        try:
            return await run
        finally:
            run.cancel()  # no effect on a run that is over

    @suggesting
    def start(
        self,
        workflow: str | Workflow,
        context: Context | Mapping[str, Any] | None = None,
        *,
        timeout: float | None = None,
        observers: Sequence[Observer] = (),
        cached: bool = False,
        kind: str = "run",
    ) -> Run:
        """Start a run and return at once; see `execute`.

        Args:
            workflow: see `execute`, as for all but the last.
            context: the initial context.
            timeout: seconds.
            observers: told every event of this run.
            cached: whether unchanged tasks are taken from earlier runs.
            kind: "run"; "try" and "check" never count as the latest run.

        Raises:
            WorkflowNotFoundError: a ValueError, for an unknown name.
            DefinitionError: a ValueError, for a timeout that isn't a number above 0.
            TypeError: if `context` is no dict, or a key of it no str.
            HistoryError: in the code of a value that is being recorded; see `History.check_caller`.
            ConfigurationError: a RuntimeError, after `shutdown`, and in a process that was forked off since.
        """
        found = self._workflow(workflow)
        begun = Beginning.afresh(self._history, found, _values(context), cached=cached, kind=kind)
        return self._begin(begun, timeout, observers)

    def start_resumed(
        self,
        run: str | None = None,
        *,
        workflow: str | Workflow | None = None,
        context: Context | Mapping[str, Any] | None = None,
        timeout: float | None = None,
        observers: Sequence[Observer] = (),
    ) -> Run:
        """Start a run that goes on with an earlier one, and return at once; see `resume`."""
        _check_kind("run", run, str, "a run's id, as text")
        _check_kind("workflow", workflow, str | Workflow, "a Workflow or the name of one")
        name = workflow.name if isinstance(workflow, Workflow) else workflow
        run_id, of_run = self._history.to_resume(run, name)
        found = self._workflow(of_run if workflow is None else workflow)
        begun = Beginning.resumed(self._history, found, _values(context), run_id)
        return self._begin(begun, timeout, observers)

    def start_some(
        self,
        workflow: str | Workflow,
        tasks: str | Sequence[str],
        *,
        following: bool,
        context: Context | Mapping[str, Any] | None = None,
        timeout: float | None = None,
        observers: Sequence[Observer] = (),
    ) -> Run:
        """Start a run that executes some tasks on the values of the latest run that is over, and takes the others.

        Args:
            workflow: a `Workflow`, or the name of a registered one; it must have been run before.
            tasks: ids of the tasks that are executed; one alone may be given as text.
            following: whether what follows them is executed as well; if not, it is left out.
            context: replaces values of that run's initial context.
            timeout: see `execute`.
            observers: told every event of the new run.

        Raises:
            TaskNotFoundError: a KeyError, if the workflow has no such task.
            HistoryError: if it has no run that is over yet.
        """
        found = self._workflow(workflow)
        tasks = (tasks,) if isinstance(tasks, str) else tasks
        begun = Beginning.of_some(self._history, found, _values(context), tasks, following=following)
        return self._begin(begun, timeout, observers)

    def start_try(
        self,
        workflow: str | Workflow,
        task_id: str,
        *,
        context: Context | Mapping[str, Any] | None = None,
        timeout: float | None = None,
        observers: Sequence[Observer] = (),
    ) -> Run:
        """Start a try: one task is executed on what the last run or try of each task before it has set.

        It is kept in history, and never counts as the latest run. The initial context is that of the latest run, with
        the parameters as they are now.

        Args:
            workflow: a `Workflow`, or the name of a registered one.
            task_id: the task that is executed.
            context: replaces values of the initial context.
            timeout: see `execute`.
            observers: told every event of the try.

        Raises:
            TaskNotFoundError: a KeyError, if the workflow has no such task.
            HistoryError: if the task reads a key that a task before it sets, and none has set it yet.
        """
        begun = Beginning.of_a_try(self._history, self._workflow(workflow), _values(context), task_id)
        return self._begin(begun, timeout, observers)

    def history(self) -> History:
        """Return the history that this runner writes, to read it."""
        return self._history

    def shutdown(self) -> None:
        """Cancel the runs that go on, end the threads and close the history; does nothing when called again.

        Raises:
            HistoryError: in the code of a value that is being recorded; see `History.check_caller`.
        """
        self._history.check_caller()
        self._engine.close()
        self._history.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.shutdown()

    def _workflow(self, workflow: str | Workflow) -> Workflow:
        """Return a workflow; one that isn't known may be that of the project in the working directory."""
        if isinstance(workflow, Workflow):
            return workflow
        try:
            return self._registry.workflow(workflow)
        except WorkflowNotFoundError:
            if self._registry is not REGISTRY or not import_entry_module(Path.cwd()):
                raise
            return self._registry.workflow(workflow)

    def _begin(self, begun: Beginning, timeout: float | None, observers: Sequence[Observer]) -> Run:
        check_timeout(timeout)
        self._history.check_caller()
        workflow, initial = begun.workflow.given(begun.initial), begun.initial
        meet_generators(workflow, content_digest)
        return self._engine.start(
            workflow,
            {**secrets_for(workflow, initial), **initial} if workflow.secret else initial,
            kind=begun.kind,
            observers=observers,
            timeout=self._workflow_timeout if timeout is None else timeout,
            recall=begun.recall,
            resumed_from=begun.resumed_from,
            given=begun.given,
        )


def check_durability(durability: str) -> None:
    """See that it is one that `DefaultRunner` knows.

    Raises:
        DefinitionError: a ValueError, if it isn't.
    """
    if durability not in DURABILITIES:
        known = " or ".join(map(repr, DURABILITIES))
        raise DefinitionError(f"The durability is {known}, not {durability!r}.{near_miss(durability, DURABILITIES)}")


def _check_kind(name: str, value: Any, kind: Any, what: str) -> None:
    if value is not None and not isinstance(value, kind):
        raise TypeError(f"{name} is {what}, not {type(value).__name__}: {value!r}.")


def _waited_for(run: Run) -> WorkflowResult:
    try:
        return run.wait()
    except BaseException:  # an interrupt, or a wait that isn't possible here
        run.cancel()
        raise


def _values(context: Context | Mapping[str, Any] | None) -> dict[str, Any]:
    if context is None:
        return {}
    return dict(context if isinstance(context, Context) else Context(context))


def _say_once(note: str, write: Callable[[str], object] | None = None) -> None:
    """Tell the person at the screen; stdout belongs to the tasks."""
    if note and note not in _notes_said:
        _notes_said.add(note)
        (write or sys.stderr.write)(note + "\n")

"""The runner: one registry, one engine and one history. The only place that picks implementations."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final, Self

from cloaca_nb.core.context import Context
from cloaca_nb.core.events import Observer
from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.merge import Sameness
from cloaca_nb.declare.registry import REGISTRY, Registry
from cloaca_nb.engine.engine import Engine, default_concurrency
from cloaca_nb.engine.output import echo
from cloaca_nb.engine.result import WorkflowResult
from cloaca_nb.engine.run import Run
from cloaca_nb.errors import ConfigurationError
from cloaca_nb.history.history import History
from cloaca_nb.history.tables import to_frame
from cloaca_nb.values import equal, isolate, key

__all__ = ["DefaultRunner", "DefaultRunnerConfig"]

_notes_said: Final[set[str]] = set()


@dataclass(frozen=True)
class DefaultRunnerConfig:
    """How a runner executes.

    Attributes:
        max_concurrent_tasks: how many plain task bodies run at once; by default cores + 4, at most 32.
    """

    max_concurrent_tasks: int = field(default_factory=default_concurrency)

    def __post_init__(self) -> None:
        if self.max_concurrent_tasks < 1:
            raise ConfigurationError(
                f"Invalid configuration: max_concurrent_tasks is {self.max_concurrent_tasks}, but must be at least 1."
            )


class DefaultRunner:
    """Executes workflows and keeps every run in its history.

    Args:
        url: where the history lies: a path, ``duckdb:///file.duckdb``, ``:memory:``; None: ``CLOACA_HISTORY``, else the
            nearest ``.cloaca/history.duckdb`` upward from the working directory, else a new one there.
        config: how to execute; None: the defaults.
        registry: where workflows are looked for by name.
        echo_output: shows what tasks print; an observer.

    Raises:
        ConfigurationError: a RuntimeError, for a URL that is not supported.
        HistoryError: if the history can't be opened.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        config: DefaultRunnerConfig | None = None,
        registry: Registry = REGISTRY,
        echo_output: Observer = echo,
    ) -> None:
        self._registry = registry
        self._history = History.open(url)
        _say_once(self._history.location.note)
        recorder = self._history.recorder()
        self._engine = Engine(
            max_concurrent_tasks=(config or DefaultRunnerConfig()).max_concurrent_tasks,
            isolate=isolate,
            same=Sameness(equal, key),
            frame=to_frame,
            observers=(recorder, echo_output),
            settle=recorder.sync,
        )

    @classmethod
    def with_config(cls, url: str | None, config: DefaultRunnerConfig) -> Self:
        """Make a runner that executes as `config` says."""
        return cls(url, config=config)

    def execute(
        self,
        workflow: str | Workflow,
        context: Context | Mapping[str, Any] | None = None,
        *,
        observers: Sequence[Observer] = (),
    ) -> WorkflowResult:
        """Execute a workflow and block until its run is over and on disk.

        Args:
            workflow: a `Workflow`, or the name of a registered one.
            context: the initial context.
            observers: told every event of this run.

        Raises:
            WorkflowNotFoundError: a ValueError, for an unknown name.
            KeyboardInterrupt: on an interrupt, after the run was recorded as Cancelled.
        """
        run = self.start(workflow, context, observers=observers)
        try:
            return run.wait()
        except KeyboardInterrupt:
            run.cancel()
            raise

    async def execute_async(
        self, workflow: str | Workflow, context: Context | Mapping[str, Any] | None = None
    ) -> WorkflowResult:
        """Execute a workflow without blocking the event loop; see `execute`."""
        return await self.start(workflow, context)

    def start(
        self,
        workflow: str | Workflow,
        context: Context | Mapping[str, Any] | None = None,
        *,
        observers: Sequence[Observer] = (),
    ) -> Run:
        """Start a run and return at once; see `execute` for the arguments."""
        found = workflow if isinstance(workflow, Workflow) else self._registry.workflow(workflow)
        return self._engine.start(found, dict(context or {}), observers=observers)

    def history(self) -> History:
        """Return the history that this runner writes, to read it."""
        return self._history

    def shutdown(self) -> None:
        """End the threads and close the history; does nothing when called again."""
        self._engine.close()
        self._history.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.shutdown()


def _say_once(note: str, write: Callable[[str], object] | None = None) -> None:
    """Tell the person at the screen; stdout belongs to the tasks."""
    if note and note not in _notes_said:
        _notes_said.add(note)
        (write or sys.stderr.write)(note + "\n")

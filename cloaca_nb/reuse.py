"""How a run is started: from scratch, or with what earlier runs have. Both faces offer the same four ways."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from cloaca_nb.core.events import Observer
from cloaca_nb.core.graph import Workflow
from cloaca_nb.engine.run import Run
from cloaca_nb.runner import DefaultRunner

__all__ = ["Reuse"]


class Reuse(NamedTuple):
    """What is taken from history; nothing, unless said otherwise.

    Attributes:
        resume: the run to go on with, or the beginning of its id; empty: the latest that is over; None: none.
        cached: whether unchanged tasks are taken from any earlier run.
        from_tasks: the tasks that are executed, with what follows them, on the latest run's values.
        only: the one task that is executed on the latest run's values.
    """

    resume: str | None = None
    cached: bool = False
    from_tasks: Sequence[str] = ()
    only: str | None = None

    @property
    def given(self) -> list[str]:
        """The options that were given."""
        said = {
            "--resume": self.resume is not None,
            "--cached": self.cached,
            "--from": bool(self.from_tasks),
            "--only": self.only is not None,
        }
        return [option for option, is_given in said.items() if is_given]

    def start(
        self, runner: DefaultRunner, workflow: Workflow, initial: dict[str, Any], observers: Sequence[Observer]
    ) -> Run:
        """Start a run."""
        if self.resume is not None:
            return runner.start_resumed(self.resume or None, workflow=workflow, context=initial, observers=observers)
        if self.from_tasks or self.only is not None:
            tasks = self.from_tasks or (str(self.only),)
            following = self.only is None
            return runner.start_some(workflow, tasks, following=following, context=initial, observers=observers)
        return runner.start(workflow, initial, observers=observers, cached=self.cached)

"""How a run is started: from scratch, or with what earlier runs have. Both faces offer the same four ways."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from cloaca_nb.core.events import Event, Observer, RunStarted
from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.preview import preview
from cloaca_nb.core.run_id import short
from cloaca_nb.core.secret import SecretKeys
from cloaca_nb.engine.run import Run
from cloaca_nb.runner import DefaultRunner
from cloaca_nb.values import equal

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
        self,
        runner: DefaultRunner,
        workflow: Workflow,
        initial: dict[str, Any],
        observers: Sequence[Observer],
        *,
        tell: Callable[[str], object] | None = None,
    ) -> Run:
        """Start a run; tell with which parameters of an earlier one, where they aren't the workflow's own.

        Args:
            runner: that starts it.
            workflow: what is executed.
            initial: the values that were given.
            observers: told every event of the run.
            tell: is given a line; None: stderr is.
        """
        if not self.given:
            return self._start(runner, workflow, initial, observers)
        kept = _Kept(workflow, initial)
        run = self._start(runner, workflow, initial, [*observers, kept])
        if kept.said:
            (tell or sys.stderr.write)(f"{kept.said}\n")
        return run

    def _start(
        self, runner: DefaultRunner, workflow: Workflow, initial: dict[str, Any], observers: Sequence[Observer]
    ) -> Run:
        if self.resume is not None:
            return runner.start_resumed(self.resume or None, workflow=workflow, context=initial, observers=observers)
        if self.from_tasks or self.only is not None:
            tasks = self.from_tasks or (str(self.only),)
            following = self.only is None
            return runner.start_some(workflow, tasks, following=following, context=initial, observers=observers)
        return runner.start(workflow, initial, observers=observers, cached=self.cached)


class _Kept:
    """Which parameters a run has from the one that it goes on with: an observer of its events.

    Attributes:
        said: as a line; empty if they all are the workflow's own, or were given.
    """

    def __init__(self, workflow: Workflow, given: Mapping[str, Any]) -> None:
        self.said = ""
        self._workflow = workflow
        self._given = given

    def __call__(self, event: Event) -> None:
        """Take in how the run begins."""
        if isinstance(event, RunStarted) and event.resumed_from:
            values = [f"{key} = {preview(value)}" for key, value in self._others(event.initial)]
            self.said = f"parameters as in run {short(event.resumed_from)}: {', '.join(values)}" if values else ""

    def _others(self, initial: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        """Yield what isn't the workflow's own; not secrets, which no history keeps."""
        secret = SecretKeys().and_named(self._workflow.secret)
        for key, own in self._workflow.parameters.known.items():
            if key not in self._given and key not in secret and not equal(initial[key], own):
                yield key, initial[key]

"""Given what has happened in a run: which tasks may start, which are skipped and why, and whether the run is over.

A task is *pending* until all its dependencies are over. It then becomes *ready* or is skipped; a ready task is over
when the engine says how it ended. Each task is over exactly once, and every answer follows from the order of the
calls alone. One `Plan` serves one run and isn't safe for threads: the engine calls it under the run's lock.
"""

from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeAlias

from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.status import Outcome, Status

__all__ = ["Plan", "Reader", "Skip", "Step"]

COMPLETED: Final = Outcome.COMPLETED  # looked up once: an enumeration takes its time, and a run asks for each task
FAILED: Final = Outcome.FAILED
Reader: TypeAlias = Callable[[str], Callable[[str, Any], Any]]  # task id -> read(key, default) on what it inherits


class Skip(NamedTuple):
    """A task that will not run, and why."""

    task_id: str
    reason: str


class Step(NamedTuple):
    """What follows from the news that a task is over."""

    ready: list[str]
    skipped: list[Skip]


class Plan:
    """The state of one run, as far as the order of its tasks goes.

    Args:
        workflow: what is run.
        reader: lets rules read the context that a task would get.
    """

    def __init__(self, workflow: Workflow, reader: Reader) -> None:
        self._workflow = workflow
        self._reader = reader
        self._dependents = workflow.dependents
        self._waits_for = dict(workflow.fan_in)
        self._has_rules = workflow.has_rules
        self._outcomes: dict[str, Outcome] = {}
        self._fallen: dict[str, str] = {}  # failed, or skipped because of a failure -> the reason for what follows
        self._left = len(workflow)
        self._ends: set[Outcome] = set()  # the outcomes that there were besides Completed

    @property
    def is_over(self) -> bool:
        """Whether every task is over."""
        return self._left == 0

    @property
    def status(self) -> Status:
        """How the run ends: a failure counts whether or not a later task handled it."""
        if Outcome.CANCELLED in self._ends:
            return Status.CANCELLED
        return Status.FAILED if Outcome.FAILED in self._ends else Status.COMPLETED

    @property
    def outcomes(self) -> dict[str, Outcome]:
        """How the tasks that are over ended, in that order."""
        return self._outcomes

    def begin(self) -> Step:
        """Return the tasks that depend on nothing."""
        return self._settle(list(self._workflow.roots))

    def finish(self, task_id: str, outcome: Outcome) -> Step:
        """Take in how a ready task ended, and return what follows."""
        self._end(task_id, outcome)
        if outcome is FAILED:
            self._fallen[task_id] = f"because {task_id} failed"
        released = self._released_by(task_id)
        if self._ends or self._has_rules:
            return self._settle(released)
        return Step(released, [])  # nothing to decide: all went well so far

    def cancel(self) -> list[str]:
        """End every task that is not over and return their ids, in registration order."""
        open_ids = [task.id for task in self._workflow.tasks if task.id not in self._outcomes]
        for task_id in open_ids:
            self._end(task_id, Outcome.CANCELLED)
        return open_ids

    def _end(self, task_id: str, outcome: Outcome) -> None:
        self._outcomes[task_id] = outcome
        self._left -= 1
        if outcome is not COMPLETED:
            self._ends.add(outcome)

    def _released_by(self, task_id: str) -> list[str]:
        """Return the dependents of `task_id` that waited for nothing else."""
        released, waits_for = [], self._waits_for
        for dependent in self._dependents[task_id]:
            left = waits_for[dependent] = waits_for[dependent] - 1
            if not left:
                released.append(dependent)
        return released

    def _settle(self, released: list[str]) -> Step:
        """Decide about tasks whose dependencies are over; a skipped one may release others."""
        step = Step([], [])
        for task_id in released:  # grows while it is walked
            reason = self._reason_to_skip(task_id)
            if reason is None:
                step.ready.append(task_id)
            else:
                step.skipped.append(Skip(task_id, reason))
                self._end(task_id, Outcome.SKIPPED)
                released.extend(self._released_by(task_id))
        return step

    def _reason_to_skip(self, task_id: str) -> str | None:
        dependencies = self._workflow.dependencies[task_id]
        rule = self._workflow[task_id].rule
        if rule is not None:
            outcomes = {one: self._outcomes[one] for one in dependencies}
            return None if rule.holds(outcomes, self._reader(task_id)) else "because its trigger rule does not hold"
        for one in dependencies if self._fallen else ():
            if one in self._fallen:
                return self._fallen.setdefault(task_id, self._fallen[one])
        if dependencies and all(self._outcomes[one] is Outcome.SKIPPED for one in dependencies):
            return f"because {dependencies[-1]} was skipped"
        return None

"""Which runs a run is inside of: a task may execute workflows, but its own on the same values would never end."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final, NamedTuple

from cloaca_nb.core.graph import Workflow
from cloaca_nb.errors import WorkflowValidationError

__all__ = ["check_not_again", "inside"]


class _Begun(NamedTuple):
    """A run's workflow, and its initial context as it was given."""

    workflow: Workflow
    initial: Mapping[str, Any]

    def is_again(self, other: "_Begun", equal: Callable[[Any, Any], bool]) -> bool:
        """Say whether another run does the same once more."""
        if self.workflow.name != other.workflow.name or self.workflow.by_id.keys() != other.workflow.by_id.keys():
            return False
        mine, its = self.workflow.filled(self.initial), other.workflow.filled(other.initial)
        return mine.keys() == its.keys() and all(equal(value, its[key]) for key, value in mine.items())


_around: Final[ContextVar[tuple[_Begun, ...]]] = ContextVar("cloaca_runs_around", default=())


def check_not_again(workflow: Workflow, initial: Mapping[str, Any], equal: Callable[[Any, Any], bool]) -> None:
    """Refuse a run that a run around it would be once more.

    Args:
        workflow: what it executes.
        initial: its initial context.
        equal: says whether two values are equal and of the same type.

    Raises:
        WorkflowValidationError: a ValueError, if there is such a run.
    """
    begun = _Begun(workflow, initial)
    if any(one.is_again(begun, equal) for one in _around.get()):
        raise WorkflowValidationError(
            f"Workflow {workflow.name!r} is executed by one of its own tasks, on the same values, which never ends. "
            "Have the task execute another workflow, or this one with another context."
        )


@contextmanager
def inside(workflow: Workflow, initial: Mapping[str, Any]) -> Iterator[None]:
    """Have the tasks of the run that is made meanwhile know that it is around them."""
    token = _around.set((*_around.get(), _Begun(workflow, initial)))
    try:
        yield
    finally:
        _around.reset(token)

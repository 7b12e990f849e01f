"""What earlier runs have for a task that would be executed now: its changes, so that it needn't be."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

from cloaca_nb.core.context import Context
from cloaca_nb.core.task import Task

__all__ = ["LeftOut", "Recall", "Taken"]


class Taken(NamedTuple):
    """A task that an earlier run has executed already."""

    run_id: str  # of the run that these are from
    changes: Mapping[str, Any]  # what it set there; a deleted key maps to DELETED
    reads: Mapping[str, Any]  # what it inherits now under the keys that it asked for there
    reason: str  # why it needn't be executed again


class LeftOut(NamedTuple):
    """A task that isn't wanted this time."""

    reason: str


# Given a task whose dependencies are over and its context: what is to be done instead of executing it, or else, as
# text, why it is executed. Called on an engine's thread, by several at once.
Recall: TypeAlias = Callable[[Task, Context], Taken | LeftOut | str]

"""How states look: the one place for their marks, colours and shapes."""

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from cloaca_nb.core.status import Outcome, Status

if TYPE_CHECKING:
    from collections.abc import Collection

    from cloaca_nb.core.record import TaskRecord

__all__ = ["LOOKS", "TAKEN", "Look", "counted_states", "look_of", "state_of"]

TAKEN = "Taken"  # the state of a task that has completed in an earlier run, and whose values are taken from there


class Look(NamedTuple):
    """How one state looks: never by its colour alone."""

    mark: str  # for text
    light: str  # its colour on a light background
    dark: str  # its colour on a dark background
    either: str  # its colour where the background isn't known: contrast of about 4:1 on both
    disc: str  # the round of its icon: "full", "ring", "dashed" or "none"
    sign: str  # the `d` of the path within that round, in a square of 16


_CHECK = "M4.8 8.3 7.1 10.6 11.3 5.9"
_CROSS = "M5.6 5.6 10.4 10.4 M10.4 5.6 5.6 10.4"
_LEAP = "M4.4 9.8C5 5.4 10 5 11.2 8.8 M11.7 6.2 11.3 9.2 8.5 8.4"
_TURN = "M13.2 6A5.6 5.6 0 1 0 13.6 8.8 M13.6 2.6V6.2H10"
_SLASH = "M5.4 10.6 10.6 5.4"
_BACK = "M11.2 11V9A2.2 2.2 0 0 0 9 6.8H5 M7 4.6 4.8 6.8 7 9"
_DOT = "M8 7.9V8.1"  # with round ends: a dot

LOOKS = {
    "Waiting": Look("◌", "#8a94a3", "#7d8794", "#7a828d", "dashed", ""),
    "Running": Look("●", "#2b6be6", "#6a9dff", "#3b7cec", "ring", _DOT),
    "Retrying": Look("↻", "#b06a05", "#e6a23c", "#b7760f", "none", _TURN),
    "Completed": Look("✓", "#1f8a4c", "#3db56c", "#2c9355", "full", _CHECK),
    TAKEN: Look("↶", "#3d7f92", "#78b4c4", "#4a8a9c", "ring", _BACK),
    "Failed": Look("✕", "#d1353b", "#f4686c", "#dd474c", "full", _CROSS),
    "Skipped": Look("⤼", "#777b9c", "#9a9ec4", "#7c80a6", "ring", _LEAP),
    "Cancelled": Look("⊘", "#5f6873", "#a7b0bb", "#7a828d", "ring", _SLASH),
    "Interrupted": Look("⊘", "#b06a05", "#e6a23c", "#b7760f", "ring", _SLASH),
}


_STATES = (*(outcome.value for outcome in Outcome), TAKEN)


def look_of(state: Outcome | Status) -> Look:
    """Return how a task's or a run's state looks."""
    return LOOKS[state.value]


def state_of(task: "TaskRecord") -> str:
    """Return the state by which a task's look is found: its outcome, or `TAKEN`."""
    return TAKEN if task.taken_from else task.outcome.value


def counted_states(tasks: "Collection[TaskRecord]") -> str:
    """Return how many tasks stand how, e.g. ``3 tasks: 1 completed, 2 taken``."""
    counts = Counter(map(state_of, tasks))
    words = [f"{counts[state]:,} {state.lower()}" for state in _STATES if counts[state]]
    return f"{len(tasks):,} task{'s' * (len(tasks) != 1)}: {', '.join(words)}" if words else "no tasks yet"

"""What differs between two runs, as plain data."""

from dataclasses import dataclass
from typing import Any, NamedTuple

__all__ = ["Changes", "CodeChange", "DurationChange", "Side", "TaskChange", "ValueChange"]


class Side(NamedTuple):
    """One of the two runs; `started` is UTC, `duration` in seconds and None for a run that isn't over."""

    run_id: str
    workflow: str
    status: str
    started: Any
    duration: float | None
    error: str


class ValueChange(NamedTuple):
    """A key whose value isn't the same; None where there is no such key."""

    key: str
    before: str | None
    after: str | None
    details: tuple[str, ...] = ()  # in what frames differ, as sentences


class TaskChange(NamedTuple):
    """A task that ended in another way, with the reason; None where the workflow has no such task."""

    task_id: str
    before: str | None
    after: str | None


class CodeChange(NamedTuple):
    """A task whose code isn't the same: the parts of it as sentences, its own text as a unified diff."""

    task_id: str
    parts: tuple[str, ...]
    text: str


class DurationChange(NamedTuple):
    """A task that took much longer or much less, in seconds; `usual` is how long the middle half of its runs took."""

    task_id: str
    before: float
    after: float
    usual: tuple[float, float] | None


@dataclass(frozen=True)
class Changes:
    """What differs between two runs, and nothing else.

    Attributes:
        a: the one run.
        b: the other; "before" and "after" are of `a` and of `b`.
        initial: keys of the initial context.
        tasks: how tasks ended, and why.
        code: what tasks are made of: their text, helpers, constants, libraries, dependencies.
        durations: of tasks that both runs executed and completed.
        final: keys of the final context, or of what a run had when it was interrupted; not those that only kept how
            they differed in the initial context.
    """

    a: Side
    b: Side
    initial: tuple[ValueChange, ...]
    tasks: tuple[TaskChange, ...]
    code: tuple[CodeChange, ...]
    durations: tuple[DurationChange, ...]
    final: tuple[ValueChange, ...]

    @property
    def is_empty(self) -> bool:
        """Whether nothing differs that is compared; run ids and times always do."""
        return (
            not (self.initial or self.tasks or self.code or self.durations or self.final)
            and self.a.status == self.b.status
        )

"""A choice between branches, and the words for it."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

__all__ = ["Conflict", "conflict_lines"]

MOST_WRITERS: Final = 5  # that a line names
MOST_LINES: Final = 5


class Conflict(NamedTuple):
    """A key that two branches changed differently, so that one of them had to be chosen."""

    key: str
    task_id: str  # where the branches meet; empty for the final context
    writers: tuple[str, ...]  # in `dependencies` order; the last one was chosen

    @property
    def sentence(self) -> str:
        """The key, the tasks, and which of them won."""
        *others, last = self.writers
        shown = self.writers if len(self.writers) <= MOST_WRITERS else (*others[: MOST_WRITERS - 2], "…", last)
        place = f"task {self.task_id!r}" if self.task_id else "the final context"
        return f"{self.key!r} was set differently by {', '.join(shown)}; {place} has that of {last}."


def conflict_lines(conflicts: Iterable[Conflict]) -> Sequence[str]:
    """Return a line for each conflict, once; of very many the first ones, and how many more there are."""
    different = list(dict.fromkeys(conflicts))
    lines = [one.sentence for one in different[:MOST_LINES]]
    more = len(different) - len(lines)
    return [*lines, f"… and {more:,} more: result.conflicts has them all."] if more else lines

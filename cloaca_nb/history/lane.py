"""Events that wait until their values are digested and written, which may take seconds; others may overtake them.

What follows from an event stays behind it: everything of a run whose beginning waits, the end of a run behind all of
it, the end of a task behind those of the tasks that it depends on. So the journal never says that a task is over before
it has said so of what came before; and whoever waits until all is written, waits for what is in the lane as well.
"""

from collections import Counter, deque
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Final

from cloaca_nb.core.events import Event, RunFinished, TaskFinished

if TYPE_CHECKING:
    import threading

__all__ = ["Lane"]

ALL: Final = ""  # in place of a task's id: whatever comes of the run is behind it


class Lane:
    """What waits, in order; for who holds the recorder's lock.

    Args:
        is_heavy: says whether an event has values that may take time.
        dependencies: gives the ids of the tasks that a task (the second argument) of a run (the first) depends on.

    Attributes:
        items: events, and those who wait for them.
    """

    def __init__(self, is_heavy: Callable[[Event], bool], dependencies: Callable[[str, str], Collection[str]]) -> None:
        self.items: deque[Event | threading.Event] = deque()
        self._is_heavy = is_heavy
        self._dependencies = dependencies
        self._waiting: dict[str, Counter[str]] = {}  # by run: the tasks whose ends wait

    def takes(self, event: Event) -> bool:
        """Take an event in if it has to wait; say whether it does."""
        if not self._is_behind(event) and not self._is_heavy(event):
            return False
        self.items.append(event)
        self._waiting.setdefault(event.run_id, Counter())[_behind_what(event)] += 1
        return True

    def leave(self) -> "Event | threading.Event":
        """Let the first go, and return it."""
        item = self.items.popleft()
        if isinstance(item, tuple):
            waiting, what = self._waiting[item.run_id], _behind_what(item)
            waiting[what] -= 1
            if not waiting[what]:
                del waiting[what]
            if not waiting:
                del self._waiting[item.run_id]
        return item

    def _is_behind(self, event: Event) -> bool:
        waiting = self._waiting.get(event.run_id)
        if waiting is None:
            return False
        if ALL in waiting or type(event) is RunFinished:
            return True
        if type(event) is not TaskFinished:
            return False
        return any(before in waiting for before in self._dependencies(event.run_id, event.task_id))


def _behind_what(event: Event) -> str:
    """Return the task whose end waits. Anything else that does is the run's end, or behind its beginning."""
    return event.task_id if type(event) is TaskFinished else ALL

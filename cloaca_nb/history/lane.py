"""News of one run that waits until values are digested and written, which may take seconds; other news overtakes it.

What follows from it stays behind: the end of the run behind all, the end of a task behind those of the tasks that it
depends on, and each behind what the code of the run comes to. So the journal never says that a task is over before it
has said so of what came before.
"""

import threading
from collections import Counter, deque
from collections.abc import Callable, Collection

from cloaca_nb.core.events import RunFinished, TaskFinished
from cloaca_nb.history.opening import CodeOf
from cloaca_nb.history.rows import News

__all__ = ["Lane"]


class Lane:
    """What waits, in order; for who holds the recorder's lock.

    Args:
        dependencies: gives the ids of the tasks that a task depends on.

    Attributes:
        items: news, and those who wait until all before them is written.
    """

    def __init__(self, dependencies: Callable[[str], Collection[str]]) -> None:
        self.items: deque[News | threading.Event] = deque()
        self._dependencies = dependencies
        self._waiting: Counter[str | type] = Counter()  # the tasks whose ends wait, and what else does, by its kind

    def holds_up(self, news: News) -> bool:
        """Whether news has to wait because of what does."""
        if type(news) is RunFinished:
            return bool(self._waiting)
        if type(news) is not TaskFinished:
            return False
        return CodeOf in self._waiting or any(one in self._waiting for one in self._dependencies(news.task_id))

    def put(self, news: News) -> None:
        """Have news wait."""
        self._waiting[_what(news)] += 1  # first: an odd one fails here, and isn't in the lane then
        self.items.append(news)

    def leave(self) -> "News | threading.Event":
        """Let the first go, and return it."""
        item = self.items.popleft()
        if not isinstance(item, threading.Event):
            what = _what(item)
            self._waiting[what] -= 1
            if not self._waiting[what]:
                del self._waiting[what]
        return item


def _what(news: News) -> str | type:
    return news.task_id if type(news) is TaskFinished else type(news)

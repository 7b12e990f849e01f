"""The lanes of all runs; what waits in one is made ready by a thread of that run, as long as something does."""

import threading
from collections.abc import Callable, Mapping
from functools import partial

from cloaca_nb.core.events import RunFinished, TaskFinished
from cloaca_nb.core.run_id import short
from cloaca_nb.history.accounts import NONE_READY, Ready
from cloaca_nb.history.lane import Lane
from cloaca_nb.history.opening import CodeOf
from cloaca_nb.history.rows import EventRows, News

__all__ = ["Lanes"]

LetIn = Callable[[News | threading.Event, Mapping[int, Ready]], None]


class Lanes:
    """What waits, by run; for who holds the lock.

    Args:
        rows: tells what has to wait, and makes it ready.
        lock: held by who calls methods, and when something is let in.
        let_in: takes what has left its lane, given what was made ready of it; never raises.
    """

    def __init__(self, rows: EventRows, lock: threading.Lock, let_in: LetIn) -> None:
        self._rows = rows
        self._lock = lock
        self._let_in = let_in
        self._lanes: dict[str, Lane] = {}
        self._threads: dict[str, threading.Thread] = {}

    @property
    def runs(self) -> tuple[str, ...]:
        """The ids of runs of which something waits; needs no lock."""
        return tuple(self._lanes)

    @property
    def is_caller(self) -> bool:
        """Whether the calling thread is one of those that get things ready; needs no lock."""
        return threading.current_thread() in tuple(self._threads.values())

    def told(self) -> str:
        """Return in words what is being made ready; empty if nothing is. Needs no lock."""
        firsts = [item for lane in tuple(self._lanes.values()) for item in tuple(lane.items)[:1]]
        return ", ".join(_in_words(item) for item in firsts if not isinstance(item, threading.Event))

    def take(self, news: News) -> bool:
        """Have news wait if it has to; say whether it does."""
        lane = self._lanes.get(news.run_id)
        if not (lane is not None and lane.holds_up(news)) and not self._rows.is_heavy(news):
            return False
        if lane is None:
            lane = Lane(partial(self._rows.dependencies, news.run_id))
        lane.put(news)  # first: an odd one fails here, and leaves no lane that is empty
        self._lanes[news.run_id] = lane
        return True

    def queue(self, run_id: str, done: threading.Event) -> bool:
        """Have `done` set when what waits of a run now is written; return False if nothing does."""
        lane = self._lanes.get(run_id)
        if lane is not None:
            lane.items.append(done)
        return lane is not None

    def send(self) -> None:
        """Have what waits made ready, by threads of their own unless the system has none left."""
        for run_id in self.runs:
            if run_id in self._threads:
                continue
            try:
                thread = threading.Thread(target=self._carry, args=(run_id,), name="cloaca-history-values", daemon=True)
                self._threads[run_id] = thread
                thread.start()
            except Exception:  # noqa: BLE001 - RuntimeError, or no memory for one: whatever it is, who waits is let in
                self._threads.pop(run_id, None)
                while run_id in self._lanes:
                    self._leave(run_id, self._made_ready(run_id))

    def wait(self) -> bool:
        """Return False if nothing waits; else True, once some of it doesn't. The lock is let go of meanwhile."""
        for thread in tuple(self._threads.values()):
            self._lock.release()
            thread.join()
            self._lock.acquire()
            return True
        return False

    def _carry(self, run_id: str) -> None:
        is_all = False
        while not is_all:
            ready = self._made_ready(run_id)
            with self._lock:
                self._leave(run_id, ready)
                is_all = run_id not in self._lanes
                if is_all:
                    del self._threads[run_id]

    def _made_ready(self, run_id: str) -> Mapping[int, Ready]:
        first = self._lanes[run_id].items[0]
        try:
            return NONE_READY if isinstance(first, threading.Event) else self._rows.make_ready(first)
        except BaseException:  # noqa: BLE001 - a value that changes while it is looked at: it is tried once more, as it is let in
            return NONE_READY

    def _leave(self, run_id: str, ready: Mapping[int, Ready]) -> None:
        lane = self._lanes[run_id]
        item = lane.leave()
        if not lane.items:
            del self._lanes[run_id]
        self._let_in(item, ready)
        if type(item) is CodeOf and lane.items:
            self._sort_again(run_id)

    def _sort_again(self, run_id: str) -> None:
        """Let in what only the code of a run has held up: it needn't wait for large values that were there before."""
        for item in self._lanes.pop(run_id).items:
            if not self._waits_again(run_id, item):
                self._let_in(item, NONE_READY)

    def _waits_again(self, run_id: str, item: News | threading.Event) -> bool:
        if isinstance(item, threading.Event):
            return self.queue(run_id, item)
        try:
            return self.take(item)
        except BaseException:  # noqa: BLE001 - an odd event: whoever lets it in has the error heard
            return False


def _in_words(news: News) -> str:
    match news:
        case TaskFinished():
            what = f"the values of task {news.task_id!r}"
        case CodeOf():
            what = "what the code comes to"
        case RunFinished():
            what = "the final context"
        case _:
            what = "the initial context"
    return f"{what} of run {short(news.run_id)}"

"""The observer that keeps what happens: events in, journal lines out.

The engine's threads only put events on a queue. The writer thread sleeps until there is one, gives others a moment to
join it, and makes one journal line of all: a group commit. That a run has begun it writes sooner, as the run may be
about to end this process: that is in the file then, and goes to the disk with the next commit. A thread that waits for
its events commits them itself if nobody else is at it, for handing over to another thread and back costs more than
writing. Whoever commits holds the lock of the rows and the journal.

Values that may take time to be described and kept, as they are large or have code of their own, are no part of a
commit: their events wait in a lane of their run, where another thread gets them ready, and are in the next commit. Who
waits for a run waits for that lane alone, and who asks what is known for none. Code of a value can't wait for the
history that records it: it is told so.
"""

import os
import threading
import weakref
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Final

from cloaca_nb.core.events import Event, RunFinished, RunStarted, TaskFinished
from cloaca_nb.errors import HistoryError
from cloaca_nb.history.accounts import Ready
from cloaca_nb.history.closed_queue import ClosedQueue
from cloaca_nb.history.journal import Journal
from cloaca_nb.history.lanes import Lanes
from cloaca_nb.history.line import encode
from cloaca_nb.history.rows import EventRows, News
from cloaca_nb.history.unrecorded import Unrecorded
from cloaca_nb.history.waiter import PATIENCE, PULSE, Waiter, tell_of

__all__ = ["Recorder"]

DELAY: Final = 0.015  # seconds that a commit waits for company
SOON: Final = 0.002  # seconds after which it is known that a run has begun, if it isn't over by then
WITH_VALUES: Final = frozenset({TaskFinished, RunFinished})


class Recorder:
    """An `Observer` that writes what it is told to a journal.

    Args:
        journal: where the lines go; closed with the recorder.
        rows: makes the lines of what it is told; used by one thread at a time.
        delay: the longest that an event waits for others before it is written, in seconds.
    """

    def __init__(self, journal: Journal, rows: EventRows, *, delay: float = DELAY) -> None:
        self._journal = journal
        self._rows = rows
        self._delay = delay
        self._queue: deque[Event | Waiter] = deque()
        self._is_carried = False  # whether there are rows of what was in the lane that aren't written
        self._news = threading.Event()
        self._urgent = threading.Event()
        self._asleep = False
        self._committing = threading.Lock()
        self._lanes = Lanes(rows, self._committing, self._let_in)
        self._committer: int | None = None  # the thread that commits
        self._closing = False
        self._has_recorded = False
        self._unrecorded = Unrecorded()
        self._thread = threading.Thread(target=self._write, name="cloaca-history", daemon=True)
        self._thread.start()
        _recorders.add(self)

    def __call__(self, event: Event) -> None:
        """Take in an event, from any thread, in well under a microsecond.

        Raises:
            HistoryError: if the recorder is closed.
        """
        self._queue.append(event)
        if self._asleep:
            self._asleep = False
            self._news.set()

    @property
    def error(self) -> BaseException | None:
        """Why what was observed isn't all on disk, as far as `sync` hasn't told; None when it is, as far as known."""
        return self._journal.error or self._unrecorded.first

    @property
    def has_recorded(self) -> bool:
        """Whether anything was written to the journal."""
        return self._has_recorded

    def check_caller(self) -> None:
        """See that the caller may wait for what is recorded.

        Raises:
            HistoryError: if it is the code of a value that is being recorded, and would wait for itself.
        """
        if self._committer == threading.get_ident() or self._lanes.is_caller:
            raise HistoryError(
                "A value's own code (its __reduce__, __getstate__ or __repr__, say) can't execute a workflow, or read "
                "or close the history, while that history is recording the value: it would wait for itself. Do it in "
                "a task, and keep what comes of it in the value."
            )

    def sync(self, run_id: str | None = None) -> None:
        """Return when everything observed so far, or everything of one run, is on disk.

        Raises:
            HistoryError: if it isn't. What the disk refused stays in memory, and is tried again with the next event.
        """
        self.flush(run_id)
        self._unrecorded.check(run_id, self._journal.error)

    def flush(self, run_id: str | None = None) -> None:
        """Return when everything observed so far, or everything of one run, is on disk, or `error` says why not.

        Raises:
            HistoryError: if the recorder is closed; see `check_caller`, too.
        """
        self._write_until_now(run_id)
        if run_id is None:
            for one in self._lanes.runs:
                self._write_until_now(one)
            self._write_until_now(None)  # what has left a lane meanwhile

    def flush_light(self) -> None:
        """Return when all that was observed and takes no time to write is on disk, or `error` says why not.

        Raises:
            HistoryError: if the recorder is closed; see `check_caller`, too.
        """
        self._write_until_now(None)

    def close(self) -> None:
        """Write what is left, close the journal and end the thread; a second time it does nothing.

        Raises:
            HistoryError: see `check_caller`.
        """
        if self._closing:
            return
        self.check_caller()
        self._closing = True
        self._hurry()
        self._thread.join(PATIENCE)
        if self._thread.is_alive():
            tell_of(self._lanes.told())
        while self._thread.is_alive():
            self._thread.join(PULSE)  # an interrupt just before a lock blocks is noticed only when it wakes
        self._queue = ClosedQueue("This history is closed; open a new one to record runs.")

    def _write_until_now(self, run_id: str | None) -> None:
        """Return when what is on the queue now is written, and what is in the lane of a run."""
        self.check_caller()
        done = Waiter(run_id)
        is_main = threading.current_thread() is threading.main_thread()  # an interrupt would leave a commit half done
        if is_main or not self._committing.acquire(blocking=False):
            self._queue.append(done)
            self._hurry()
        else:
            try:
                _wake(self._commit())
                if run_id is None or not self._lanes.queue(run_id, done):
                    return
            finally:
                self._committing.release()
        done.wait_for(self._thread, self._lanes.told)

    def _hurry(self) -> None:
        self._urgent.set()
        self._news.set()

    def _write(self) -> None:
        """Be the writer thread."""
        closing = False
        while not closing:
            self._sleep()
            self._tell_of_runs()
            self._urgent.wait(self._delay - SOON)
            self._urgent.clear()
            self._committing.acquire()
            closing = self._closing  # read before the queue is: what came before the call to close is still written
            try:
                _wake(self._commit())
            finally:
                if not closing:
                    self._committing.release()
        while self._lanes.wait():
            _wake(self._commit())
        self._journal.close()  # and the lock is kept, so that nobody writes to it any more

    def _sleep(self) -> None:
        """Return when there is something on the queue, or somebody is in a hurry."""
        self._news.clear()
        self._asleep = True  # from here on who puts an event on the queue wakes this thread
        if not self._queue and not self._is_carried and not self._urgent.is_set():
            self._news.wait()
        self._asleep = False

    def _tell_of_runs(self) -> None:
        """Write what is on the queue if it tells that a run has begun, and nobody is about to have it committed."""
        if self._urgent.wait(SOON) or not any(type(item) is RunStarted for item in tuple(self._queue)):
            return
        with self._committing:
            _wake(self._commit(lasting=False))

    def _commit(self, *, lasting: bool = True) -> list[threading.Event]:
        """Write what is on the queue now, and return who waits for it; under the lock.

        Args:
            lasting: whether it is to be on disk, even if nobody waits for that.
        """
        self._committer = threading.get_ident()
        try:
            waiting = self._take_events()
            self._write_rows(lasting=lasting or bool(waiting))
        finally:
            self._committer = None
        return waiting

    def _write_rows(self, *, lasting: bool) -> None:
        """Write what is known of the events that were taken in. Never raises: `error` tells those who wait."""
        self._is_carried = False
        try:
            rows = self._rows.take()
            if rows:
                self._has_recorded = True
                self._journal.append(encode(rows))
            if lasting:
                self._journal.sync()
            self._unrecorded.note_journal(self._journal.error)
        except BaseException as error:  # noqa: BLE001 - the thread that writes must live, or all wait for ever
            self._unrecorded.note(error)

    def _take_events(self) -> list[threading.Event]:
        """Turn what is on the queue now into rows, but for what has to wait; return who waits for them."""
        queue, lanes, rows = self._queue, self._lanes, self._rows
        waiting = list[threading.Event]()
        for _ in range(len(queue)):
            item = queue.popleft()
            if isinstance(item, Waiter):
                if item.run_id is None or not lanes.queue(item.run_id, item):
                    waiting.append(item)
                continue
            try:
                if type(item) is RunStarted:
                    self._take_beginning(item)
                elif type(item) not in WITH_VALUES or not lanes.take(item):
                    rows.add(item)
            except BaseException as error:  # noqa: BLE001 - one odd event must not cost the others; `error` makes it heard
                self._unrecorded.note(error, item)
        lanes.send()
        return waiting

    def _take_beginning(self, event: RunStarted) -> None:
        self._rows.add(event)
        for part in self._rows.parts(event):
            if not self._lanes.take(part):
                self._rows.add(part)

    def _let_in(self, item: News | threading.Event, ready: Mapping[int, Ready]) -> None:
        """Take in what has left its lane, or wake who waited there; under the lock. Never raises."""
        if isinstance(item, threading.Event):
            self._write_rows(lasting=True)
            item.set()
            return
        try:
            self._rows.add(item, ready)
        except BaseException as error:  # noqa: BLE001 - see `_take_events`
            self._unrecorded.note(error, item)
        self._is_carried = True
        self._news.set()

    def _forked(self) -> None:
        """Be of no use in a forked child: its thread, and the right to write the journal, stayed with the parent."""
        self._closing = True
        self._committing = threading.Lock()
        self._committing.acquire()  # and is never free: what the parent hasn't written yet, it will
        self._queue = ClosedQueue("This history belongs to the process that this one was forked from; open a new one.")


def _wake(waiting: Sequence[threading.Event]) -> None:
    for done in waiting:
        done.set()


_recorders: weakref.WeakSet[Recorder] = weakref.WeakSet()


def _close_in_child() -> None:
    for recorder in _recorders:
        recorder._forked()  # noqa: SLF001 - the same module


if hasattr(os, "register_at_fork"):  # not on Windows, which can't fork
    os.register_at_fork(after_in_child=_close_in_child)

"""The thread that gets ready what waits in a lane; there is one as long as something does."""

import threading
from collections.abc import Callable, Mapping

from cloaca_nb.core.events import Event
from cloaca_nb.history.accounts import NONE_READY, Ready
from cloaca_nb.history.lane import Lane

__all__ = ["Carrier"]


class Carrier:
    """Gets the first of a lane ready, has it let in, and goes on with the next.

    Args:
        lane: what waits.
        lock: held by who calls `send` and `is_busy`, and when something is let in.
        make_ready: digests and writes the values of an event, however long that takes.
        let_in: takes the first of the lane out of it, given what was made ready of it; never raises.
    """

    def __init__(
        self,
        lane: Lane,
        lock: threading.Lock,
        make_ready: Callable[[Event], Mapping[int, Ready]],
        let_in: Callable[[Mapping[int, Ready]], None],
    ) -> None:
        self._lane = lane
        self._lock = lock
        self._make_ready = make_ready
        self._let_in = let_in
        self._thread: threading.Thread | None = None

    @property
    def is_caller(self) -> bool:
        """Whether the calling thread is the one that carries."""
        return self._thread is threading.current_thread()

    def send(self) -> None:
        """Have what is in the lane carried, by a thread of its own unless the system has none left."""
        if not self._lane.items or self._is_carrying():
            return
        self._thread = threading.Thread(target=self._carry, name="cloaca-history-values", daemon=True)
        try:
            self._thread.start()
        except Exception:  # noqa: BLE001 - RuntimeError, or no memory for one: whatever it is, who waits is let in
            self._thread = None
            while self._lane.items:
                self._let_in(self._made_ready())

    def wait(self) -> bool:
        """Return False if nothing is carried; else True, once that was all. The lock is let go of meanwhile."""
        thread = self._thread
        if thread is None or not thread.is_alive():
            return False
        self._lock.release()
        thread.join()
        self._lock.acquire()
        return True

    def _is_carrying(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _carry(self) -> None:
        while self._thread is not None:
            ready = self._made_ready()
            with self._lock:
                self._let_in(ready)
                if not self._lane.items:
                    self._thread = None

    def _made_ready(self) -> Mapping[int, Ready]:
        item = self._lane.items[0]
        try:
            return self._make_ready(item) if isinstance(item, tuple) else NONE_READY
        except BaseException:  # noqa: BLE001 - a value that changes while it is looked at: it is tried once more, as it is let in
            return NONE_READY

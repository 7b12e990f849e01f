"""What a task can say and ask while it runs: its progress, whether it was cancelled, and to wait without a slot."""

import logging
import math
import threading
from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from numbers import Real
from typing import Any, Final, Protocol, TypeVar

from cloaca_nb.engine.deferral import Deferral
from cloaca_nb.engine.sink import Sink

__all__ = ["TaskHandle", "current_handle", "track"]

Item = TypeVar("Item")
MS: Final = 1000.0
_lock: Final = threading.Lock()
logger: Final = logging.getLogger("cloaca_nb")


class Attempt(Protocol):
    """The attempt that a handle speaks for."""

    @property
    def is_async(self) -> bool:
        """Whether its body is an ``async def``."""

    @property
    def is_over(self) -> bool:
        """Whether the attempt has ended, or was given up."""

    @property
    def cancelled(self) -> bool:
        """Whether its run was cancelled."""

    def print(self, stream: str, text: str) -> None:
        """Say what it printed."""

    def hide(self, text: str) -> str:
        """Mask the secrets in a text."""

    def report(self, done: float, total: float | None, message: str) -> None:
        """Say how far it is."""

    def wait_without_slot(self, condition: Callable[[], Any], poll_s: float) -> None:
        """Poll `condition` until it holds, giving the slot back meanwhile."""

    async def poll(self, condition: Callable[[], Any], poll_s: float) -> None:
        """Poll `condition` until it holds, from an async body."""


class TaskHandle:
    """Given to a task whose second parameter is called ``handle`` or ``task_handle``.

    Raises:
        TypeError: always: only the engine makes one.
    """

    _attempt: Attempt
    _deferrals: tuple[Deferral, ...] = ()
    _waits = 0
    _sink: Sink | None = None
    _at_end: tuple[Callable[..., object], ...] = ()

    def __init__(self) -> None:
        raise TypeError("A TaskHandle is made by the engine: name a task's second parameter `handle` to get it.")

    @classmethod
    def of(cls, attempt: Attempt) -> "TaskHandle":
        """Make the handle of an attempt; for the engine."""
        handle = object.__new__(cls)
        handle._attempt = attempt
        return handle

    def defer_until(self, condition: Callable[[], Any], poll_interval_ms: int = 1000) -> Deferral:
        """Give the slot back until `condition` holds; it is asked at once, then every `poll_interval_ms`.

        In a plain task this blocks. An async task writes ``await handle.defer_until(...)``, and fails without `await`.

        Args:
            condition: returns whether the task can go on; a coroutine is awaited. A plain one is called on the event
                loop in an async task, so it must be quick there.
            poll_interval_ms: between two calls, in milliseconds.

        Raises:
            ValueError: if the task is over, or for an interval that isn't a number from 0.
            TypeError: if `condition` is no function.
        """
        self._check()
        if not callable(condition):
            raise TypeError(
                f"defer_until takes a function that says whether the task can go on, not {condition!r}: "
                "handle.defer_until(lambda: path.exists())."
            )
        if not isinstance(poll_interval_ms, Real) or not 0 <= poll_interval_ms < math.inf:
            raise ValueError(
                f"poll_interval_ms is {poll_interval_ms!r}, but must be a number of milliseconds from 0, like 500."
            )
        poll_s = float(poll_interval_ms) / MS
        if self._attempt.is_async:
            deferral = Deferral(partial(self._defer_async, condition, poll_s))
            self._deferrals = (*self._deferrals, deferral)
            return deferral
        with self._waiting():
            self._attempt.wait_without_slot(condition, poll_s)
        return Deferral()

    async def _defer_async(self, condition: Callable[[], Any], poll_s: float) -> None:
        with self._waiting():
            await self._attempt.poll(condition, poll_s)

    @property
    def sink(self) -> Sink:
        """Where the output of the attempt goes, made by the first that it prints: most never do. For the engine."""
        if self._sink is None:
            with _lock:
                if self._sink is None:
                    self._sink = Sink(self._print, self._attempt.hide)
        return self._sink

    def when_over(self, function: Callable[..., object]) -> None:
        """Have a function called when the body is over, with whether anybody still wants it. For the engine."""
        self._at_end = (*self._at_end, function)

    def finish(self) -> None:
        """Do what is left to do now that the body is over, and pass on what it printed last. For the engine."""
        for function in self._at_end:
            try:
                function(is_wanted=not self._attempt.is_over)
            except Exception:
                logger.exception("What a task had left could not be cleared away; the task's outcome stands.")
        if self._sink is not None:
            self._sink.close()

    def _print(self, stream: str, text: str) -> None:
        token = current_handle.set(None)  # what an observer of this output prints isn't the attempt's
        try:
            self._attempt.print(stream, text)
        finally:
            current_handle.reset(token)

    @contextmanager
    def _waiting(self) -> Iterator[None]:
        self._waits += 1
        try:
            yield
        finally:
            self._waits -= 1

    def check_deferrals(self) -> None:
        """Fail a body that has forgotten to await what it waits for; for the engine.

        Raises:
            RuntimeError: if a deferral was not awaited.
        """
        if not all(deferral.was_awaited for deferral in self._deferrals):
            raise RuntimeError(
                "The task went on without waiting: in an `async def` task, defer_until needs an await: "
                "`await handle.defer_until(...)`."
            )

    def is_slot_held(self) -> bool:
        """Say whether the task counts against `max_concurrent_tasks` now.

        Raises:
            ValueError: if the task is over.
        """
        self._check()
        return not self._waits

    @property
    def cancelled(self) -> bool:
        """Whether the run was cancelled: a long body should look now and then, and end."""
        return self._attempt.cancelled

    def progress(self, done: float, total: float | None = None, message: str = "") -> None:
        """Say how far the task is.

        Args:
            done: what is done, in any unit.
            total: of how much; None if that isn't known.
            message: a few words.

        Raises:
            ValueError: if the task is over.
            TypeError: if `done` or `total` is no number.
        """
        self._check()
        if not isinstance(done, Real) or not (total is None or isinstance(total, Real)):
            raise TypeError(f"progress takes how much is done of how much, not {done!r} of {total!r}: progress(3, 10).")
        self._attempt.report(done, total, message)

    def _check(self) -> None:
        if self._attempt.is_over:
            raise ValueError("This task handle's task is over: a handle is for the task's own body, while that runs.")


current_handle: Final[ContextVar[TaskHandle | None]] = ContextVar("cloaca_task_handle", default=None)


def track(iterable: Iterable[Item], total: float | None = None, message: str = "") -> Iterator[Item]:
    """Go through `iterable` and report the task's progress; outside a task, a plain iterator.

    Args:
        iterable: what to go through.
        total: how many items there are; by default its length, where it has one.
        message: a few words.

    >>> list(track("ab"))
    ['a', 'b']
    """
    handle = current_handle.get()
    if total is None and isinstance(iterable, Sized):
        total = len(iterable)
    for done, item in enumerate(iterable):
        if handle is not None:
            handle.progress(done, total, message)
        yield item
    if handle is not None and total is not None:
        handle.progress(total, total, message)

"""One attempt of a task: calls the body on a worker's thread, or on the engine's event loop if it is async.

An attempt is over when its body has ended, its time is up, or its run was cancelled, whichever comes first. A thread
can't be killed: a body that goes on after that is left alone, and nothing that it sets or prints counts any more.
"""

import asyncio
import inspect
import logging
import weakref
from collections.abc import Callable
from contextvars import Context as Variables
from functools import partial
from typing import Any, Final, Protocol

from cloaca_nb.core.context import Context
from cloaca_nb.core.task import Task
from cloaca_nb.engine.handle import TaskHandle, current_handle
from cloaca_nb.engine.means import Means
from cloaca_nb.engine.output import Sink, captured
from cloaca_nb.engine.workers import Place, Work
from cloaca_nb.errors import TaskReturnError, TaskTimeoutError

__all__ = ["Attempt"]

logger: Final = logging.getLogger("cloaca_nb")
SHORTEST_POLL: Final = 0.001  # seconds between two looks at what a deferred task waits for


class Owner(Protocol):
    """The execution that an attempt is part of; it decides, under its lock, what an attempt's end means."""

    means: Means
    variables: Variables

    @property
    def cancelled(self) -> bool:
        """Whether the run was cancelled."""

    def wait_for_cancel(self, seconds: float) -> bool:
        """Wait that long; at once and True if the run is cancelled."""

    def begin(self, attempt: "Attempt") -> bool:
        """Open an attempt and give it its context; False if the run was cancelled meanwhile."""

    def print(self, attempt: "Attempt", stream: str, text: str) -> None:
        """Say what an attempt printed."""

    def report(self, attempt: "Attempt", done: float, total: float | None, message: str) -> None:
        """Say how far an attempt is."""

    def expire(self, attempt: "Attempt") -> bool:
        """Close an attempt whose time is up, and give it up; False if it was over before."""

    def conclude(self, attempt: "Attempt", error: BaseException | None, variables: Variables) -> Work | None:
        """Take in that a body has ended, and return the work that follows."""

    def fail(self, attempt: "Attempt", error: BaseException, variables: Variables) -> Work | None:
        """Take in that an attempt, closed by now, has failed, and return the work that follows."""


class Attempt:
    """One attempt of a task; calling it does it.

    Args:
        owner: the execution that it is part of.
        task: what is attempted.
        number: from 1.
    """

    __slots__ = ("__weakref__", "_place", "_running", "context", "is_over", "number", "owner", "task")

    def __init__(self, owner: Owner, task: Task, number: int = 1) -> None:
        self.owner = owner
        self.task = task
        self.number = number
        self.is_over = False
        self.context = Context()
        self._running: asyncio.Task[Any] | None = None
        self._place: Place | None = None

    def __call__(self) -> Work | None:
        """Do it on the calling thread, and return the work that follows."""
        self._place = None if self.task.is_async else self.owner.means.workers.place()
        if not self.owner.begin(self):
            return None
        if (timeout := self._timeout) is not None:
            self.owner.means.loop.call_later(timeout, partial(_expire, weakref.ref(self)))
        variables = self.owner.variables.copy()
        if self.task.is_async:
            self.owner.means.loop.run(self._await_body(), variables, partial(self._conclude_async, variables))
            return None
        return self.owner.conclude(self, variables.run(self._call_body), variables)

    @property
    def _timeout(self) -> float | None:
        named = self.task.timeout
        return self.owner.means.task_timeout if named is None else named

    # -- what its task handle asks

    @property
    def cancelled(self) -> bool:
        """Whether its run was cancelled."""
        return self.owner.cancelled

    def report(self, done: float, total: float | None, message: str) -> None:
        """Say how far it is."""
        self.owner.report(self, done, total, message)

    def wait_without_slot(self, condition: Callable[[], Any], poll_s: float) -> None:
        """Poll `condition` until it holds, lending the worker's place meanwhile."""
        if condition():
            return
        with self.owner.means.workers.released():
            while not condition():
                if self.owner.wait_for_cancel(max(poll_s, SHORTEST_POLL)) or self.is_over:
                    raise InterruptedError(f"Task {self.task.id!r} was deferred when it was given up.")

    # -- its end

    def notify(self, error: str | None) -> None:
        """Call the user's callback for how the task ended; an error in it is logged and changes nothing.

        Args:
            error: the text of the last attempt's error; None: it completed.
        """
        callback = self.task.on_success if error is None else self.task.on_failure
        if callback is None:
            return
        arguments = (self.task.id, self.context) if error is None else (self.task.id, error, self.context)
        with captured(self._sink()):
            try:
                callback(*arguments)
            except BaseException:  # sys.exit in a callback must not end the worker
                logger.exception("A callback of task %s failed; the task's outcome stands.", self.task.named)

    def give_up(self) -> None:
        """Stop an async body, and let another thread take the place of one in a plain body; under the run's lock."""
        running = self._running
        if running is not None:
            running.get_loop().call_soon_threadsafe(running.cancel)
        elif self._place is not None:
            self.owner.means.workers.give_up(self._place)

    def came_back(self) -> None:
        """Take note that a body that was given up has ended after all; under the run's lock."""
        if self._place is not None:
            self.owner.means.workers.returned(self._place)

    def expire(self) -> None:
        """Fail if it goes on: its time is up."""
        if self.owner.expire(self):
            error = TaskTimeoutError(f"Task {self.task.named} took longer than its timeout of {self._timeout} s.")
            self.owner.means.workers.put([partial(self.owner.fail, self, error, self.owner.variables.copy())])

    # -- its body

    def _sink(self) -> Sink:
        return Sink(partial(self.owner.print, self))

    def _arguments(self) -> tuple[Any, ...]:
        handle = TaskHandle.of(self)
        current_handle.set(handle)
        return (self.context, handle) if self.task.handle else (self.context,)

    def _call_body(self) -> BaseException | None:
        with captured(self._sink()):
            try:
                self._check(self.task.function(*self._arguments()))
            except BaseException as error:  # noqa: BLE001 - sys.exit or an interrupt in a body must not end the worker
                return error
        return None

    async def _await_body(self) -> None:
        if self.is_over:  # given up before it began
            return
        self._running = asyncio.current_task()
        with captured(self._sink()):
            self._check(await self.task.function(*self._arguments()))

    def _conclude_async(self, variables: Variables, done: "asyncio.Task[Any]") -> None:
        error = asyncio.CancelledError() if done.cancelled() else done.exception()
        self.owner.means.workers.put([partial(self.owner.conclude, self, error, variables)])

    def _check(self, returned: Any) -> None:
        if returned is None or returned is self.context:
            return
        if inspect.iscoroutine(returned):
            returned.close()
        raise TaskReturnError(
            f"Task {self.task.named} returned {_a(returned)}, but must return its context or None: "
            "set values with context['key'] = value and end with `return context`."
        )


def _expire(attempt: "weakref.ref[Attempt]") -> None:
    """Have an attempt expire; its timer doesn't keep one alive that was over long before."""
    going_on = attempt()
    if going_on is not None:
        going_on.expire()


def _a(value: Any) -> str:
    return "another Context than its own" if isinstance(value, Context) else f"a value of type {type(value).__name__}"

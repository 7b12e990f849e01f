"""One attempt of a task: calls the body on a worker's thread, or on the engine's event loop if it is async.

Bodies that run elsewhere (in a process, on an executor) are called by way of `elsewhere`.

An attempt is over when its body has ended, its time is up, or its run was cancelled, whichever comes first. A thread
can't be killed: a body that goes on after that is left alone, and nothing that it sets or prints counts any more.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextvars import Context as Variables
from functools import partial
from typing import Any, Final, Protocol

from cloaca_nb.core.context import Context
from cloaca_nb.core.task import Task
from cloaca_nb.engine.complaints import Complaints
from cloaca_nb.engine.deadlines import NEVER
from cloaca_nb.engine.deferral import SHORTEST_POLL, holds, holds_async, polled
from cloaca_nb.engine.elsewhere import call_in_process, error_of, submit
from cloaca_nb.engine.failure import Account
from cloaca_nb.engine.forks import FORKS, end_child
from cloaca_nb.engine.handle import TaskHandle, current_handle
from cloaca_nb.engine.lost import tell_lost_changes
from cloaca_nb.engine.means import Means
from cloaca_nb.engine.output import speaking
from cloaca_nb.engine.returned import check_returned
from cloaca_nb.engine.telling import Telling
from cloaca_nb.engine.workers import Place, Work
from cloaca_nb.errors import TaskTimeoutError

__all__ = ["Attempt"]

ON_OUR_OWN: Final = (None, "thread")  # how to ask for a thread of the engine, or its event loop for an async body
NO_CONTEXT: Final = Context()  # of an attempt that has not begun


class Owner(Protocol):
    """The execution that an attempt is part of; it decides, under its lock, what an attempt's end means."""

    means: Means
    variables: Variables
    cancelled: bool  # whether the run was cancelled
    telling: Telling
    complaints: Complaints

    def wait_for_cancel(self, seconds: float) -> bool:
        """Wait that long; at once and True if the run is cancelled."""

    def begin(self, attempt: "Attempt") -> bool:
        """Open an attempt and give it its context; False if the run was cancelled meanwhile."""

    def close_overdue(self, attempt: "Attempt") -> bool:
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

    # Of an attempt that is in no way special: nothing of it is set for each of thousands.
    context = NO_CONTEXT
    is_over = False
    due = NEVER  # when its time is up, see `Deadlines`
    reason = ""  # why it wasn't taken from an earlier run, where that was asked for
    account: Account | None = None  # of its failure, where another process has given one
    stop: Callable[[], object] | None = None  # ends a body that doesn't run on a thread of ours
    _place: Place | None = None
    _has_turn = False  # of an async body; changed on the event loop's thread alone once that has it
    _polls = 0  # how often an async body waits just now: it may wait for several things at once

    def __init__(self, owner: Owner, task: Task, number: int = 1) -> None:
        self.owner = owner
        self.task = task
        self.number = number

    def __call__(self) -> Work | None:
        """Do it on the calling thread, and return the work that follows."""
        owner, executor = self.owner, self.task.executor
        if executor not in ON_OUR_OWN:
            return self._call_elsewhere(executor)
        if self.task.is_async:
            has_turn = owner.means.turns.take(partial(owner.means.workers.put, (self._call_async,)))
            return self._call_async if has_turn else None
        self._place = owner.means.workers.place()
        if not owner.begin(self):
            return None
        variables = owner.variables.copy()
        return owner.conclude(self, variables.run(self.call_body), variables)

    def _call_async(self) -> Work | None:
        """Do it on the event loop; it has a turn."""
        self._has_turn = True
        if not self.owner.begin(self):
            self._give_turn_back()
            return None
        variables = self.owner.variables.copy()
        self.owner.means.loop.run(self.await_body, variables, partial(self._conclude_async, variables))
        return None

    def _call_elsewhere(self, executor: Any) -> Work | None:
        if not self.owner.begin(self):
            return None
        variables = self.owner.variables.copy()
        if executor == "process":
            return self.owner.conclude(self, variables.run(call_in_process, self), variables)
        return self._submit(executor, variables)

    def _submit(self, executor: Executor, variables: Variables) -> Work | None:
        try:
            future = submit(self, executor, variables.copy())
        except BaseException as error:  # noqa: BLE001 - an executor that was shut down, or can't pickle the body
            return self.owner.conclude(self, error, variables)
        if self.is_over:  # given up before `stop` was there
            future.cancel()
        future.add_done_callback(partial(self._conclude_submitted, variables))
        return None

    # -- what its body asks and says

    @property
    def means(self) -> Means:
        """What its run is driven with."""
        return self.owner.means

    def print(self, stream: str, text: str) -> None:
        """Say what it printed, unless it is over."""
        if not self.is_over:
            self.owner.telling.printed(self, stream, text)

    def hide(self, text: str) -> str:
        """Mask the secrets in a text."""
        return self.owner.telling.hide(self, text)

    @property
    def is_async(self) -> bool:
        """Whether its body is an ``async def``."""
        return self.task.is_async

    @property
    def cancelled(self) -> bool:
        """Whether its run was cancelled."""
        return self.owner.cancelled

    def report(self, done: float, total: float | None, message: str) -> None:
        """Say how far it is, unless it is over."""
        if not self.is_over:
            self.owner.telling.progressed(self, done, total, message)

    def wait_without_slot(self, condition: Callable[[], Any], poll_s: float) -> None:
        """Poll `condition` until it holds, lending the worker's place meanwhile."""
        if holds(condition):
            return
        with self.owner.means.workers.released():
            while not holds(condition):
                if self.owner.wait_for_cancel(max(poll_s, SHORTEST_POLL)) or self.is_over:
                    raise InterruptedError(f"Task {self.task.id!r} was deferred when it was given up.")

    async def poll(self, condition: Callable[[], Any], poll_s: float) -> None:
        """Poll `condition` until it holds, lending its turn meanwhile; a body that is given up is cancelled."""
        if await holds_async(condition):
            return
        self._polls += 1
        self._give_turn_back()
        try:
            await asyncio.sleep(max(poll_s, SHORTEST_POLL))
            await polled(condition, poll_s)
        finally:  # also if the condition fails, or the body has set itself a limit: it goes on then
            self._polls -= 1
            await self._take_turn_back()

    async def _take_turn_back(self) -> None:
        """Wait for a turn, unless the attempt was given up, or waits in another place as well."""
        if self.is_over or self._polls or self._has_turn:
            return
        await self.owner.means.turns.wait()
        if self.is_over or self._polls or self._has_turn:  # meanwhile
            self.owner.means.turns.give_back()
        else:
            self._has_turn = True

    def _give_turn_back(self) -> None:
        if self._has_turn:
            self._has_turn = False
            self.owner.means.turns.give_back()

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
        with speaking(TaskHandle.of(_Callback(self))):
            try:
                callback(*arguments)
            except BaseException as problem:  # noqa: BLE001 - sys.exit in a callback must not end the worker
                self.owner.complaints.add("A callback", self.task.named, problem, "the task's outcome stands")

    def give_up(self) -> None:
        """Stop a body that can be stopped, else let another thread take its place; under the run's lock."""
        if self._place is not None:
            self.owner.means.workers.give_up(self._place)
        elif self.stop is not None:
            self.stop()

    def came_back(self) -> None:
        """Take note that a body that was given up has ended after all; under the run's lock."""
        if self._place is not None:
            self.owner.means.workers.returned(self._place)

    def expire(self) -> None:
        """Fail if it goes on: its time is up. Quick; the failure is taken in by a worker."""
        if self.owner.close_overdue(self):
            limit = self.owner.means.task_timeout if self.task.timeout is None else self.task.timeout
            error = TaskTimeoutError(f"Task {self.task.named} took longer than its timeout of {limit} s.")
            self.owner.means.workers.put([partial(self.owner.fail, self, error, self.owner.variables.copy())])

    # -- its body

    def call_body(self) -> BaseException | None:
        """Call a plain body on the calling thread, and return the error that it failed with."""
        task, context, handle = self.task, self.context, TaskHandle.of(self)
        current_handle.set(handle)  # and never reset: the thread's variables are the attempt's own
        forks = FORKS.count
        try:
            returned = task.function(context, handle) if task.handle else task.function(context)
            if returned is not None and returned is not context:
                check_returned(task, context, returned)
            tell_lost_changes(self.owner, task, context)
        except BaseException as error:  # noqa: BLE001 - sys.exit or an interrupt in a body must not end the worker
            if FORKS.count != forks:
                end_child(error)
            return error
        finally:
            handle.finish()
        if FORKS.count != forks:
            end_child(None)
        return None

    async def await_body(self) -> None:
        """Await an async body."""
        running, loop = asyncio.current_task(), asyncio.get_running_loop()
        if running is not None:
            self.stop = partial(loop.call_soon_threadsafe, self._stop_async, running)
        if self.is_over:  # given up before it began
            return
        task, context, handle = self.task, self.context, TaskHandle.of(self)
        with speaking(handle):
            body = task.function(context, handle) if task.handle else task.function(context)
            check_returned(task, context, await body)
            handle.check_deferrals()
            tell_lost_changes(self.owner, task, context)

    def _stop_async(self, running: "asyncio.Task[Any]") -> None:
        running.cancel()
        self._give_turn_back()  # at once: it may not heed that

    def _conclude_async(self, variables: Variables, done: "asyncio.Task[Any]") -> None:
        self._give_turn_back()
        error = asyncio.CancelledError() if done.cancelled() else done.exception()
        self.owner.means.workers.put([partial(self.owner.conclude, self, error, variables)])

    def _conclude_submitted(self, variables: Variables, done: "Future[Any]") -> None:
        """Take in, on a thread of ours, that an executor's body has ended."""

        def conclude() -> Work | None:
            return None if self.is_over else self.owner.conclude(self, variables.run(error_of, self, done), variables)

        self.owner.means.workers.put([conclude])


class _Callback:
    """What speaks for a callback: its attempt may be over, but what it prints still belongs to it."""

    is_async = False
    is_over = False

    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt
        self.cancelled = attempt.cancelled

    def print(self, stream: str, text: str) -> None:
        self._attempt.owner.telling.printed(self._attempt, stream, text)

    def hide(self, text: str) -> str:
        return self._attempt.hide(text)

    def report(self, done: float, total: float | None, message: str) -> None:
        self._attempt.report(done, total, message)

    def wait_without_slot(self, condition: Callable[[], Any], poll_s: float) -> None:
        self._attempt.wait_without_slot(condition, poll_s)

    async def poll(self, condition: Callable[[], Any], poll_s: float) -> None:
        await self._attempt.poll(condition, poll_s)

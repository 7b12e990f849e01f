"""What a caller holds of a run: how it stands, waiting for it, cancelling it."""

import asyncio
import contextlib
import threading
from collections.abc import Generator, Mapping
from functools import partial
from numbers import Real
from typing import Any, Final

from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.record import RunRecord, TaskRecord
from cloaca_nb.core.run_id import short
from cloaca_nb.core.status import Status
from cloaca_nb.engine.execution import Execution
from cloaca_nb.engine.result import WorkflowResult
from cloaca_nb.errors import DefinitionError

__all__ = ["Run"]

TICK: Final = 0.2  # seconds between looks at a pending interrupt


class Run:
    """One execution of a workflow. Awaitable: the result is what `wait` returns."""

    def __init__(self, execution: Execution) -> None:
        self._execution = execution

    @property
    def run_id(self) -> str:
        """The run's id in history, a UUIDv7."""
        return self._execution.run_id

    @property
    def workflow(self) -> Workflow:
        """What is executed."""
        return self._execution.workflow

    @property
    def status(self) -> Status:
        """Running, or how the run ended."""
        return self._execution.record.status

    @property
    def tasks(self) -> Mapping[str, TaskRecord]:
        """How each task stands, by id."""
        return self._execution.record.tasks

    @property
    def record(self) -> RunRecord:
        """What its events add up to so far."""
        return self._execution.record

    @property
    def history_error(self) -> BaseException | None:
        """Why history could not keep the run; None if it did, or the run goes on."""
        return self._execution.ending.history_error

    @property
    def is_over(self) -> bool:
        """Whether the run has ended and is on disk."""
        return self._execution.ending.over.is_set()

    @property
    def result(self) -> WorkflowResult | None:
        """The result, or None while the run goes on."""
        return self._result() if self.is_over else None

    def wait(self, timeout: float | None = None) -> WorkflowResult:
        """Block until the run is over and on disk.

        Args:
            timeout: seconds; None: as long as it takes.

        Raises:
            DefinitionError: a ValueError, if `timeout` isn't None or a number of seconds.
            TimeoutError: if the run is not over by then; it goes on.
            RuntimeError: in the body of an async task, which would block the run that it waits for.
        """
        if timeout is not None and not isinstance(timeout, Real):
            raise DefinitionError(f"timeout is {timeout!r}, but must be a number of seconds, like 30 (None: no limit).")
        if self._execution.means.loop.is_current and not self.is_over:
            raise RuntimeError(
                f"An async task can't block until run {short(self.run_id)} is over, which may need the same event "
                "loop: await the run, or runner.execute_async()."
            )
        with self._execution.means.workers.released():
            if not self._is_over_within(timeout):
                raise TimeoutError(f"Run {short(self.run_id)} of {self.workflow.name!r} is not over after {timeout} s.")
        return self._result()

    def _is_over_within(self, timeout: float | None) -> bool:
        over = self._execution.ending.over
        try:
            if timeout is not None:
                return over.wait(float(timeout))
            while not over.wait(TICK):  # an interrupt just before a lock blocks is noticed only when it wakes
                pass
        except RuntimeError as error:  # "release unlocked lock": an interrupt that comes just as `wait` takes it again
            raise (error.__context__ or error) from None
        return True

    def cancel(self) -> None:
        """Start nothing new, give up what runs, and record the run as Cancelled; no effect on one that is over.

        It is done by a thread of its own: a second interrupt ends the wait for it, but leaves nothing half done.
        """
        if self.is_over:
            return
        canceller = threading.Thread(target=self._execution.cancel, name="cloaca-cancel", daemon=True)
        canceller.start()
        while canceller.is_alive() and not self._execution.is_in_hand:
            canceller.join(TICK)  # as in `_is_over_within`

    def __await__(self) -> Generator[Any, None, WorkflowResult]:
        return self._awaited().__await__()

    async def _awaited(self) -> WorkflowResult:
        loop, over = asyncio.get_running_loop(), asyncio.Event()
        with self._execution.ending.waking(partial(loop.call_soon_threadsafe, over.set)):
            while not self.is_over:
                with contextlib.suppress(TimeoutError):  # a loop that sleeps would not notice an interrupt
                    await asyncio.wait_for(over.wait(), TICK)
        return self._result()

    def _result(self) -> WorkflowResult:
        frame = self._execution.means.frame
        return WorkflowResult(self.record, self._execution.final_context(), frame, self.history_error)

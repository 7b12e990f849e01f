"""One execution of a workflow: the owner of its plan and scopes, and what a caller holds of it.

State model. The plan knows which tasks are over; each task has at most one open attempt. Everything that decides
(closing an attempt, finishing a task, cancelling) happens under the run's lock, so each task is over exactly once, and
`RunFinished` is said once and last. Bodies, callbacks and the wait for history run outside it.
"""

import asyncio
import contextlib
import logging
import random
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from contextvars import Context as Variables, copy_context
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from cloaca_nb.core.context import Context
from cloaca_nb.core.events import (
    AttemptFailed,
    AttemptStarted,
    Event,
    Failure,
    Observer,
    OutputWritten,
    ProgressMade,
    RunFinished,
    RunStarted,
    TaskFinished,
)
from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.plan import Plan, Step
from cloaca_nb.core.record import RunRecord, TaskRecord
from cloaca_nb.core.scope import Scope
from cloaca_nb.core.status import Outcome, Status
from cloaca_nb.core.task import Task
from cloaca_nb.engine.attempt import Attempt
from cloaca_nb.engine.clock import new_run_id, now
from cloaca_nb.engine.failure import describe_failure
from cloaca_nb.engine.output import capture
from cloaca_nb.engine.result import WorkflowResult
from cloaca_nb.engine.workers import Work

if TYPE_CHECKING:
    from cloaca_nb.engine.engine import Engine

__all__ = ["Run"]

logger: Final = logging.getLogger("cloaca_nb")
TICK: Final = 0.2  # seconds between looks at a pending interrupt while a coroutine waits


class Run:
    """One execution of a workflow. Awaitable: the result is what `wait` returns.

    Attributes:
        run_id: a UUIDv7.
        workflow: what is executed.
    """

    def __init__(
        self, engine: "Engine", workflow: Workflow, initial: Mapping[str, Any], kind: str, observers: Sequence[Observer]
    ) -> None:
        self.engine = engine
        self.workflow = workflow
        self.run_id = new_run_id()
        self.variables: Variables = copy_context()  # binds what tasks print to the cell that started the run
        self.initial = {**workflow.parameters, **initial}
        self.record = RunRecord()
        self.history_error: BaseException | None = None
        self.final: Scope | None = None
        self._kind = kind
        self._observers = (self.record.observe, *observers)
        self._plan = Plan(workflow, self._reader)
        self._root = Scope(changes=self.initial, same=engine.same)
        self._scopes: dict[str, Scope] = {}
        self._open: dict[str, Attempt] = {}
        self._lock = threading.Lock()
        self._cancel = threading.Event()
        self._done = threading.Event()
        self._wake: list[Callable[[], object]] = []  # one for each coroutine that waits

    # -- for the caller

    @property
    def status(self) -> Status:
        """Running, or how the run ended."""
        return self.record.status

    @property
    def tasks(self) -> Mapping[str, TaskRecord]:
        """How each task stands, by id."""
        return self.record.tasks

    @property
    def is_over(self) -> bool:
        """Whether the run has ended and is on disk."""
        return self._done.is_set()

    @property
    def result(self) -> WorkflowResult | None:
        """The result, or None while the run goes on."""
        return WorkflowResult(self) if self.is_over else None

    def wait(self, timeout: float | None = None) -> WorkflowResult:
        """Block until the run is over and on disk.

        Args:
            timeout: seconds; None: as long as it takes.

        Raises:
            TimeoutError: if the run is not over by then; it goes on.
        """
        with self.engine.workers.released():
            if not self._done.wait(timeout):
                raise TimeoutError(f"Run {self.run_id} of {self.workflow.name!r} is not over after {timeout} s.")
        return WorkflowResult(self)

    def cancel(self) -> None:
        """Start nothing new, give up what runs, and record the run as Cancelled; no effect on one that is over."""
        with self._lock:
            if self._plan.is_over:
                return
            self._cancel.set()
            running = [attempt for attempt in self._open.values() if not attempt.is_over]
            for attempt in running:
                attempt.is_over = True
            for task_id in self._plan.cancel():
                self._say_over(task_id, Outcome.CANCELLED, reason="because the run was cancelled")
        for attempt in running:
            attempt.give_up()
        self._close()

    def __await__(self) -> Generator[Any, None, WorkflowResult]:
        return self._awaited().__await__()

    async def _awaited(self) -> WorkflowResult:
        loop, over = asyncio.get_running_loop(), asyncio.Event()
        wake = partial(loop.call_soon_threadsafe, over.set)
        with self._lock:
            self._wake.append(wake)
        try:
            while not self._done.is_set():
                with contextlib.suppress(TimeoutError):  # a loop that sleeps would not notice an interrupt
                    await asyncio.wait_for(over.wait(), TICK)
        finally:
            with self._lock:
                self._wake.remove(wake)
        return WorkflowResult(self)

    # -- for the engine

    def start(self) -> None:
        """Begin: say so, and hand the first tasks to the workers."""
        capture.start()
        self.say(RunStarted(now(), self.run_id, self.workflow, self._kind, self.initial))
        with self._lock:
            first = self._follow(self._plan.begin())
        self._go_on(first, put=True)

    # -- for its attempts

    @property
    def cancelled(self) -> bool:
        """Whether the run was cancelled."""
        return self._cancel.is_set()

    def wait_for_cancel(self, seconds: float) -> bool:
        """Wait that long; at once and True if the run is cancelled."""
        return self._cancel.wait(seconds)

    def begin(self, attempt: Attempt) -> bool:
        """Open an attempt and give it its context; False if the run was cancelled meanwhile."""
        self._open[attempt.task.id] = attempt
        if self._cancel.is_set():
            return False
        attempt.context = Context.of(self._scopes[attempt.task.id], self.engine.isolate)
        self.say(AttemptStarted(now(), self.run_id, attempt.task.id, attempt.number))
        return True

    def print(self, attempt: Attempt, stream: str, text: str) -> None:
        """Say what an attempt printed, unless it is over."""
        if not attempt.is_over:
            self.say(OutputWritten(now(), self.run_id, attempt.task.id, attempt.number, stream, text))

    def report(self, attempt: Attempt, done: float, total: float | None, message: str) -> None:
        """Say how far an attempt is."""
        self.say(ProgressMade(now(), self.run_id, attempt.task.id, attempt.number, done, total, message))

    def close_attempt(self, attempt: Attempt) -> bool:
        """Close an attempt; False if it was closed before."""
        with self._lock:
            was_open = not attempt.is_over
            attempt.is_over = True
        return was_open

    def conclude(self, attempt: Attempt, error: BaseException | None, variables: Variables) -> Work | None:
        """Take in that a body has ended, and return the work that follows."""
        if error is None and attempt.task.on_success is not None and not attempt.is_over:
            variables.run(attempt.notify, None)
        with self._lock:
            if attempt.is_over:  # its time was up, or the run was cancelled: this thread is one too many
                self._came_back(attempt)
                return None
            attempt.is_over = True
            if error is None:
                return self._go_on(self._complete(attempt))
        return self.fail(attempt, error, variables)

    def fail(self, attempt: Attempt, error: BaseException, variables: Variables) -> Work | None:
        """Take in that an attempt, closed by now, has failed: try again later or end the task."""
        task, failure = attempt.task, describe_failure(error)
        retry_in = None
        if task.retry.wants(error, attempt.number):
            retry_in = task.retry.delay(attempt.number, random.uniform(-1, 1))  # noqa: S311 - jitter is no secret
        elif task.on_failure is not None:
            variables.run(attempt.notify, error)
        with self._lock:
            if self._cancel.is_set():
                return None
            self.say(AttemptFailed(now(), self.run_id, task.id, attempt.number, failure, retry_in))
            if retry_in is None:
                return self._go_on(self._over(task.id, Outcome.FAILED, attempt.number, failure=failure))
        again = Attempt(self, task, attempt.number + 1)
        self.engine.loop.call_later(retry_in, partial(self.engine.workers.put, [again]))
        return None

    # -- under the lock

    def _complete(self, attempt: Attempt) -> list[Attempt]:
        changes = attempt.context.changes
        if changes:
            self._scopes[attempt.task.id].finish(changes)
        self.record.conflicts += attempt.context.conflicts
        return self._over(attempt.task.id, Outcome.COMPLETED, attempt.number, changes=changes)

    def _over(
        self,
        task_id: str,
        outcome: Outcome,
        number: int,
        *,
        failure: Failure | None = None,
        changes: Mapping[str, Any] | None = None,
    ) -> list[Attempt]:
        self._say_over(task_id, outcome, number, failure=failure, changes=changes)
        return self._follow(self._plan.finish(task_id, outcome))

    def _say_over(
        self,
        task_id: str,
        outcome: Outcome,
        number: int | None = None,
        *,
        failure: Failure | None = None,
        changes: Mapping[str, Any] | None = None,
        reason: str = "",
    ) -> None:
        opened = self._open.pop(task_id, None)
        attempts = number if number is not None else opened.number if opened else 0
        self.say(TaskFinished(now(), self.run_id, task_id, attempts, outcome, changes or {}, failure, reason))

    def _follow(self, step: Step) -> list[Attempt]:
        """Do what the plan says; return the attempts that may start."""
        for task_id, reason in step.skipped:
            self._scope(task_id)
            self._say_over(task_id, Outcome.SKIPPED, reason=reason)
        for task_id in step.ready:
            self._scope(task_id)
        return [Attempt(self, self.workflow[task_id]) for task_id in step.ready]

    def _scope(self, task_id: str) -> Scope:
        """Return the scope of a task whose dependencies are over, made when it is first asked for."""
        scope = self._scopes.get(task_id)
        if scope is None:
            parents = [self._scope(one) for one in self.workflow.dependencies[task_id]]
            scope = self._scopes[task_id] = Scope(task_id, parents or (self._root,))
        return scope

    def _reader(self, task_id: str) -> Callable[[str, Any], Any]:
        return Context.of(self._scope(task_id), self.engine.isolate).get

    def _came_back(self, attempt: Attempt) -> None:
        if not attempt.task.is_async:
            self.engine.workers.returned()

    # -- after it

    def _go_on(self, ready: list[Attempt], *, put: bool = False) -> Work | None:
        """Hand work over; return the first piece of it unless all is to be `put` into the queue."""
        if self._plan.is_over:
            return self._close  # called by the worker once it has left the lock
        self.engine.workers.put(ready if put else ready[1:])
        return ready[0] if ready and not put else None

    def _close(self) -> None:
        """Say that the run is over, wait until that is on disk, and wake who waits. Called once."""
        self.final = Scope(parents=self._maximal() or (self._root,))
        status = self._plan.status
        error = _first_failure(self.workflow, self.record) if status is Status.FAILED else ""
        final = {key: entry.value for key in self.final.keys() if (entry := self.final.find(key)) is not None}  # noqa: SIM118 - no mapping
        self.record.conflicts += [one for one in map(self._conflict_at_end, final) if one is not None]
        self.say(RunFinished(now(), self.run_id, status, final, error))
        capture.stop()
        try:
            self.engine.settle()
        except Exception as problem:  # noqa: BLE001 - the run stands, and its caller is told
            self.history_error = problem
            logger.warning("Run %s is over, but history could not keep it: %s", self.run_id, problem)
        self._open.clear()
        self._done.set()
        with self._lock:
            for wake in self._wake:
                wake()

    def _conflict_at_end(self, key: str) -> Any:
        entry = self.final.find(key) if self.final else None
        return entry.conflict if entry is not None and entry.writer is self.final else None

    def _maximal(self) -> list[Scope]:
        """Return the scopes of the completed tasks that no completed task comes after, in registration order."""
        outcomes = self._plan.outcomes
        dependents = self.workflow.dependents
        followed: set[str] = set()
        for level in reversed(self.workflow.levels):
            for task_id in level:
                if any(one in followed or outcomes[one] is Outcome.COMPLETED for one in dependents[task_id]):
                    followed.add(task_id)
        return [
            self._scopes[task.id]
            for task in self.workflow.tasks
            if outcomes[task.id] is Outcome.COMPLETED and task.id not in followed
        ]

    def say(self, event: Event) -> None:
        """Tell every observer; one that raises is reported and the run goes on."""
        for observer in self._observers:
            try:
                observer(event)
            except Exception:
                logger.exception("An observer of run %s failed at %s.", self.run_id, type(event).__name__)


def _first_failure(workflow: Workflow, record: RunRecord) -> str:
    """Say which task failed, how and where; and that there are more, if there are."""
    failed = [task for task in record.tasks.values() if task.failure is not None and task.outcome is Outcome.FAILED]
    first = min(failed, key=lambda task: task.ended or 0.0)
    text = describe_error(workflow[first.task_id], first.failure)
    others = [task.task_id for task in failed if task is not first]
    return f"{text} Also failed: {', '.join(others)}." if others else text


def describe_error(task: Task, failure: Failure | None) -> str:
    """Say in one sentence how a task failed."""
    if failure is None:
        return ""
    place = f" ({failure.where})" if failure.where else ""
    return f"Task {task.id!r} failed: {failure.exception}: {failure.message}{place}."

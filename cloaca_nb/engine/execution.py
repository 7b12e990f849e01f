"""One execution of a workflow, from inside: the owner of its plan, its scopes and its attempts.

State model. The plan knows which tasks are over; each task has at most one open attempt. Everything that decides
(closing an attempt, finishing a task, cancelling) happens under one lock, so each task is over exactly once, and
`RunFinished` is said once and last; only output of an attempt that is given up at that very moment may come after it.
Bodies, callbacks, output and the wait for history run outside the lock.
"""

import logging
import random
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from contextvars import Context as Variables, copy_context
from functools import partial
from typing import Any, Final

from cloaca_nb.core.context import Context
from cloaca_nb.core.events import AttemptStarted, Failure, Observer, TaskFinished
from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.lineage import Lineage
from cloaca_nb.core.mask import Mask
from cloaca_nb.core.plan import Plan, Step
from cloaca_nb.core.recall import LeftOut, Recall, Taken
from cloaca_nb.core.record import RunRecord
from cloaca_nb.core.status import Outcome
from cloaca_nb.core.task import Task
from cloaca_nb.declare.variables import given_variables
from cloaca_nb.engine.attempt import Attempt
from cloaca_nb.engine.clock import RunClock, elapsed, new_run_id, passed
from cloaca_nb.engine.complaints import Complaints
from cloaca_nb.engine.deadlines import NEVER
from cloaca_nb.engine.ending import Ending
from cloaca_nb.engine.means import Means
from cloaca_nb.engine.observers import Observers
from cloaca_nb.engine.output import capture
from cloaca_nb.engine.run_lock import RunLock
from cloaca_nb.engine.telling import NO_CHANGES, Telling
from cloaca_nb.engine.workers import Work

__all__ = ["Execution"]

COMPLETED: Final = Outcome.COMPLETED  # looked up once: an enumeration takes its time
new: Final = tuple.__new__  # makes an event at half the cost of calling its class: two of each task are said here
logger: Final = logging.getLogger("cloaca_nb")


class Execution:
    """One execution of a workflow.

    Args:
        means: what it is driven with.
        workflow: what is executed.
        initial: the initial context; the workflow's parameters fill it up.
        kind: "run", or "try" for one task on its own.
        observers: told every event.
        resumed_from: the id of the run that this one goes on with.
        recall: asked before a task is executed; None: all are.
    """

    def __init__(
        self,
        means: Means,
        workflow: Workflow,
        initial: Mapping[str, Any],
        *,
        kind: str,
        observers: Sequence[Observer],
        resumed_from: str = "",
        recall: Recall | None = None,
        given: Collection[str] | None = None,
    ) -> None:
        self.means = means
        self.workflow = workflow
        clock = RunClock()
        self._zero = clock.zero
        self.run_id = new_run_id(clock.now())
        self.variables: Variables = copy_context()  # binds what tasks print to the cell that started the run
        self.record = RunRecord()
        self._tasks = workflow.by_id
        self._initial = workflow.filled(initial)
        self._given = frozenset(initial if given is None else given)
        self._mask = Mask(means.secret_keys.and_named(workflow.secret))
        self._mask.meet({**given_variables(), **self._initial})
        self._kind = kind
        self._resumed_from = resumed_from
        self._recall = recall
        self._tell = Observers(self.run_id, (self.record.observe, *observers), self._mask, self._is_ending).tell
        self.telling = Telling(self.run_id, self._tell, self._mask, clock.now)
        self._plan = Plan(workflow, self._reader)
        self._lineage = Lineage(workflow, self._initial, means.same)
        self.ending = Ending(workflow, self.record, self._lineage, clock.now)
        self.complaints = Complaints()
        self._open: dict[str, Attempt] = {}
        self._lock = RunLock()  # reentrant, so that an observer may ask for what it is told about
        self.cancelled = False
        self._cancel = threading.Event()  # for those who wait for it
        self._timeout: float | None = None  # seconds
        self._due = NEVER

    # -- for whoever started it

    def start(self, timeout: float | None = None) -> None:
        """Begin: say so, and hand the first tasks to the workers.

        Args:
            timeout: seconds after which the run fails; None: no limit.
        """
        capture.start()
        self.means.deadlines.watch(self)
        self.telling.run_started(self.workflow, self._kind, self._initial, self._resumed_from, self._given)
        try:
            is_over = self._begin(timeout)
        except BaseException:
            self._lock.leave()  # an interrupt may have come between taking it and being inside
            raise
        if is_over:
            self._close()

    def _begin(self, timeout: float | None) -> bool:
        """Hand over the first tasks; say whether that was all, because each is skipped."""
        with self._lock:
            if self._plan.is_over:  # cancelled by now
                return False
            if timeout is not None:
                self._timeout, self._due = timeout, elapsed() + timeout
                self.means.deadlines.look_by(self._due)
            self.means.workers.put(self._follow(self._plan.begin()))
            return self._plan.is_over

    def expire(self, at: float) -> float:
        """Give up what was due by then, the whole run perhaps; return when something is due next."""
        if self._due <= at:
            overdue = f"Workflow {self.workflow.name!r} took longer than its timeout of {self._timeout} s."
            arguments = ("because the run's time was up", overdue)
            # on a thread of its own, because it waits for history
            threading.Thread(target=self._stop, args=arguments, name="cloaca-timeout", daemon=True).start()
            return NEVER
        with self._lock:
            going_on = [attempt for attempt in self._open.values() if not attempt.is_over]
        for attempt in going_on:
            if attempt.due <= at:
                attempt.expire()
        return min((attempt.due for attempt in going_on if attempt.due > at), default=self._due)

    def cancel(self) -> None:
        """Start nothing new, give up what runs, and record the run as Cancelled; no effect on one that is over."""
        self._stop("because the run was cancelled")

    def _stop(self, reason: str, overdue: str = "") -> None:
        with self._lock:
            if self._plan.is_over:
                return
            self.ending.overdue = overdue
            self.cancelled = True
            self._cancel.set()
            running = [attempt for attempt in self._open.values() if not attempt.is_over]
            for attempt in running:
                attempt.is_over = True
                attempt.give_up()
            for task_id in self._plan.cancel():
                self._say_without(task_id, Outcome.CANCELLED, reason)
        self._close()

    @property
    def is_in_hand(self) -> bool:
        """Whether the calling thread is in the middle of a change, as an observer or a signal handler may be."""
        return self._lock.is_mine

    def _is_ending(self) -> bool:
        return self.cancelled or self._plan.is_over

    def final_context(self) -> Context:
        """Return the final context; empty before the end."""
        final = self.ending.final
        if final is None:
            return Context()
        return Context.of(final.scope, self.means.isolate, shown=self._mask.values)

    # -- for its attempts

    def wait_for_cancel(self, seconds: float) -> bool:
        """Wait that long; at once and True if the run is cancelled."""
        return self._cancel.wait(seconds)

    def begin(self, attempt: Attempt) -> bool:
        """Open an attempt and give it its context and its time; False if the run was cancelled meanwhile."""
        means, task = self.means, attempt.task
        attempt.context = Context.in_run(self._lineage, task.id, means.isolate)
        try:
            with self._lock:
                if self.cancelled:
                    return False
                self._open[task.id] = attempt
                self._tell(new(AttemptStarted, (self._zero + passed(), self.run_id, task.id, attempt.number)))
        except BaseException as problem:  # noqa: BLE001 - see `conclude`
            self._break_off(problem)
            with self._lock:
                attempt.came_back()
            return False
        timeout = means.task_timeout if task.timeout is None else task.timeout
        if timeout is not None:
            attempt.due = due = elapsed() + timeout
            if due < means.deadlines.next_look:
                means.deadlines.look_by(due)
        return True

    def close_overdue(self, attempt: Attempt) -> bool:
        """Close an attempt whose time is up, and give it up; False if it was over before."""
        with self._lock:
            if attempt.is_over:
                return False
            attempt.is_over = True
            attempt.give_up()
        return True

    def conclude(self, attempt: Attempt, error: BaseException | None, variables: Variables) -> Work | None:
        """Take in that a body has ended, and return the work that follows."""
        try:
            if error is None and attempt.task.on_success is not None and not attempt.is_over:
                variables.run(attempt.notify, None)
            with self._lock:
                if attempt.is_over:  # its time was up, or the run was cancelled: this thread is one too many
                    attempt.came_back()
                    return None
                attempt.is_over = True
                if error is None:
                    return self._complete(attempt)
            return self._fail(attempt, error, variables)
        except BaseException as problem:  # noqa: BLE001 - nobody else would answer it, and the run would never end
            self._break_off(problem)
            return None

    def fail(self, attempt: Attempt, error: BaseException, variables: Variables) -> Work | None:
        """Take in that an attempt, closed by now, has failed: try again later or end the task."""
        try:
            return self._fail(attempt, error, variables)
        except BaseException as problem:  # noqa: BLE001 - see `conclude`
            self._break_off(problem)
            return None

    def _break_off(self, problem: BaseException) -> None:
        """End a run that can't go on: code of a value or an observer failed where nothing may, or ours is wrong."""
        logger.critical("Run %s is cancelled, because it can't go on.", self.run_id, exc_info=problem)
        self.cancel()

    def _fail(self, attempt: Attempt, error: BaseException, variables: Variables) -> Work | None:
        task, failure = attempt.task, self.telling.failure_of(attempt, error)
        retry_in = None
        if _wants_retry(attempt, error):
            retry_in = task.retry.calculate_delay(attempt.number, random.uniform(-1, 1))  # noqa: S311 - jitter is no secret
        elif task.on_failure is not None:
            variables.run(attempt.notify, failure.message)
        with self._lock:
            if self.cancelled:
                return None
            self.telling.attempt_failed(attempt, failure, retry_in)
            if retry_in is None:
                if self.means.on_error is not None:
                    self.means.on_error(self.run_id, task.id, error)
                return self._finish(attempt, Outcome.FAILED, NO_CHANGES, failure)
        again = Attempt(self, task, attempt.number + 1)
        again.reason = attempt.reason
        self.means.loop.call_later(retry_in, partial(self.means.workers.put, [again]))
        return None

    # -- what earlier runs have

    def _take(self, attempt: Attempt) -> Work | None:
        """See what earlier runs have for a task, and execute it only if that is nothing."""
        try:
            answer = self._ask(attempt.task)
            if not isinstance(answer, str):
                return self._go_without(attempt.task, answer)
        except BaseException as problem:  # noqa: BLE001 - see `conclude`
            self._break_off(problem)
            return None
        attempt.reason = answer
        return attempt()

    def _ask(self, task: Task) -> Taken | LeftOut | str:
        if self._recall is None:
            return ""
        try:
            return self._recall(task, Context.in_run(self._lineage, task.id, self.means.isolate))
        except Exception as problem:  # noqa: BLE001 - it is logged there
            self.complaints.add("Looking up what history has", task.named, problem, "it is executed")
            return f"history couldn't say what it has of it: {type(problem).__name__}"

    def _go_without(self, task: Task, answer: Taken | LeftOut) -> Work | None:
        with self._lock:
            if self.cancelled:
                return None
            if isinstance(answer, LeftOut):
                self._say_without(task.id, Outcome.SKIPPED, answer.reason)
                return self._go_on(self._plan.finish(task.id, Outcome.SKIPPED))
            if answer.changes:
                self._lineage.finish(task.id, answer.changes)
            self.telling.task_taken(task.id, answer)
            return self._go_on(self._plan.finish(task.id, COMPLETED))

    # -- under the lock

    def _complete(self, attempt: Attempt) -> Work | None:
        context = attempt.context
        changes = NO_CHANGES
        if context.changes:
            changes = context.changes.copy()  # what a thread that the body left behind sets from now on counts no more
            self._mask.meet(changes)
            self._lineage.finish(attempt.task.id, changes)
        if context.conflicts:
            self.ending.conflicts += context.conflicts
        return self._finish(attempt, COMPLETED, changes, None)

    def _finish(
        self, attempt: Attempt, outcome: Outcome, changes: Mapping[str, Any], failure: Failure | None
    ) -> Work | None:
        """End a task that was attempted, hand over all but the first piece of work that follows, and return that."""
        task_id = attempt.task.id
        self._open.pop(task_id, None)
        reads = attempt.context.reads()
        at = self._zero + passed()
        facts = (at, self.run_id, task_id, attempt.number, outcome, changes, failure, attempt.reason, reads, "")
        self._tell(new(TaskFinished, facts))
        return self._go_on(self._plan.finish(task_id, outcome))

    def _go_on(self, step: Step) -> Work | None:
        """Hand over all but the first piece of work that follows, and return that; at the run's end, its closing."""
        ready = self._follow(step)
        if not ready:
            return self._close if self._plan.is_over else None
        if self.means.settle_task is not None:
            return partial(self._settle_and_go_on, self.means.settle_task, ready)
        if len(ready) > 1:
            self.means.workers.put(ready[1:])
        return ready[0]

    def _follow(self, step: Step) -> list[Work]:
        """Do what the plan says; return the work that may start."""
        for task_id, reason in step.skipped:
            self._say_without(task_id, Outcome.SKIPPED, reason)
        tasks = self._tasks
        if self._recall is None:
            return [Attempt(self, tasks[task_id]) for task_id in step.ready]
        return [partial(self._take, Attempt(self, tasks[task_id])) for task_id in step.ready]

    def _reader(self, task_id: str) -> Callable[[str, Any], Any]:
        return Context.in_run(self._lineage, task_id, self.means.isolate).get

    # -- saying what happens

    def _close(self) -> None:
        """Say that the run is over, wait until that is on disk, and wake who waits. Called once, without the lock."""
        try:
            self.means.deadlines.forget(self)
            self._tell(self.ending.announcement(self._plan.status, self._plan.outcomes))
            self.complaints.end()
            capture.stop()
            self.ending.settle(self.means.settle)
        finally:  # whatever happens, nobody waits for ever
            self.ending.reach()

    def _settle_and_go_on(self, settle: Callable[[str], None], ready: list[Work]) -> Work:
        """Hand over what follows a task once that is settled; without the lock."""
        self.ending.settle(settle)
        if len(ready) > 1:
            self.means.workers.put(ready[1:])
        return ready[0]

    def _say_without(self, task_id: str, outcome: Outcome, reason: str) -> None:
        """Say that a task is over without its body having had its way: it was skipped or cancelled."""
        opened = self._open.pop(task_id, None)
        self.telling.task_left_out(task_id, opened.number if opened else 0, outcome, reason)


def _wants_retry(attempt: Attempt, error: BaseException) -> bool:
    try:
        return attempt.task.retry.should_retry(attempt.number, error)
    except BaseException:  # noqa: BLE001 - the text of a user's exception may raise anything; then it isn't transient
        return False

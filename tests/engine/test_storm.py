"""Random workflows of bodies that fail, retry, defer, nest and time out, cancelled at random: what always holds."""

import asyncio
import random
import threading
from collections import Counter
from contextlib import suppress

import pytest

from cloaca_nb.core.events import (
    AttemptFailed,
    AttemptStarted,
    OutputWritten,
    ProgressMade,
    RunFinished,
    RunStarted,
    TaskFinished,
)
from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.merge import Sameness
from cloaca_nb.core.names import Keys
from cloaca_nb.core.recall import LeftOut, Taken
from cloaca_nb.core.retry import RetryPolicy
from cloaca_nb.core.rules import always, any_of, context_value, none_of, task_failed, task_skipped, task_success
from cloaca_nb.core.status import Outcome
from cloaca_nb.core.task import Task
from cloaca_nb.engine.engine import Engine
from cloaca_nb.values import equal, isolate, key

LIMIT, ASYNC_LIMIT = 3, 2
WAIT = 30
PLAIN = ["set", "set", "set", "fail", "flaky", "defer", "nest", "print", "late", "defer late"]
ASYNC = ["async set", "async set", "async fail", "async defer", "async twice", "async limit"]
ASYNC += ["async late", "async deaf late"]
SEEDS = 200
WITH_PROCESSES = range(0, SEEDS, 20)  # few: each starts some


class Meter:
    """The attempts whose bodies are at work: those that are over, or wait without a slot, hold none."""

    def __init__(self):
        self._changed = threading.Condition()
        self._inside = []
        self.most = 0

    def enter(self, handle):
        with self._changed:
            self._inside.append(handle)
            self._count()

    def look(self):
        with self._changed:
            self._count()

    def _count(self):
        self.most = max(self.most, sum(map(holds_a_slot, self._inside)))

    def leave(self, handle):
        with self._changed:
            self._inside.remove(handle)
            self._changed.notify_all()

    def wait_until_empty(self):
        with self._changed:
            assert self._changed.wait_for(lambda: not self._inside, WAIT)


def holds_a_slot(handle):
    try:
        return isinstance(handle, str) or handle.is_slot_held()
    except ValueError:  # its attempt is over: its thread is outside all slots
        return False


class Storm:
    """One random workflow, the engine that it runs on, and what was seen of it."""

    def __init__(self, seed):
        self.chance = random.Random(seed)  # noqa: S311 - no secret
        self.meter, self.async_meter = Meter(), Meter()
        self.engine = Engine(
            max_concurrent_tasks=LIMIT,
            max_concurrent_async=ASYNC_LIMIT,
            isolate=isolate,
            same=Sameness(equal, key),
            frame=list,
        )
        self.needs = {}  # task id -> the ids that must be over before
        self.kinds = {}
        self.seen = {}  # task id -> for each that it needs, whether its key was there
        self.asked = []  # what was recalled, and what was over then
        self.events = []
        count = self.chance.randint(1, 20)
        self.tasks = [self.make_task(number, seed in WITH_PROCESSES) for number in range(count)]
        self.workflow = Workflow("w", self.tasks)
        recalls = self.chance.random() < 0.4
        self.answers = {task.id: self.make_answer(task.id) for task in self.tasks} if recalls else {}
        self.cancel_at = self.chance.randint(1, 3 * count) if self.chance.random() < 0.4 else 0
        self.cancels_in_hand = self.chance.random() < 0.5
        self.timeout = self.chance.choice([None, None, None, None, 0.01, WAIT])
        self.trigger = threading.Event()
        self.run = None

    # -- what is run

    def make_task(self, number, with_processes):
        chance, task_id, earlier = self.chance, f"t{number}", [f"t{one}" for one in range(number)]
        dependencies = chance.sample(earlier, min(number, chance.choice([0, 1, 1, 2, 3])))
        kind = chance.choice([*PLAIN, *ASYNC, *(["process", "process fail"] * 4 if with_processes else [])])
        rule, named = (None, ()) if not earlier or chance.random() < 0.7 else self.make_rule(earlier)
        self.needs[task_id], self.kinds[task_id] = {*dependencies, *named}, kind
        return Task(
            task_id,
            self.make_body(task_id, kind),
            tuple(dependencies),
            keys=Keys(),
            handle="handle",
            is_async=kind.startswith("async"),
            rule=rule,
            retry=RetryPolicy(max_attempts=chance.choice([1, 1, 2, 4]), initial_delay=0.002),
            timeout=chance.choice([0.01, 0.02, 0.03]) if "late" in kind else None,
            executor="process" if kind.startswith("process") else None,
        )

    def make_rule(self, earlier):
        """Make a rule that names tasks which may be no dependency otherwise."""
        one, other = self.chance.choice(earlier), self.chance.choice(earlier)
        return self.chance.choice(
            [
                (always(), ()),
                (task_failed(one), (one,)),
                (none_of(task_success(one)), (one,)),
                (any_of(task_skipped(one), task_success(other)), (one, other)),
                (context_value("k0", "equals", "t0"), ()),
            ]
        )

    def make_answer(self, task_id):
        return self.chance.choice(
            [
                Taken("earlier", {key_of(task_id): task_id}, {}, "it is unchanged"),
                LeftOut("it isn't wanted"),
                "it was edited",
                "it was edited",
            ]
        )

    def make_body(self, task_id, kind):
        if kind.startswith("process"):
            return IN_A_PROCESS[kind](task_id)
        return self.make_async_body(task_id, kind) if kind.startswith("async") else self.make_plain_body(task_id, kind)

    def begin(self, task_id, context):
        self.seen[task_id] = {one: key_of(one) in context for one in self.needs[task_id]}
        context[key_of(task_id)] = task_id

    def make_plain_body(self, task_id, kind):
        calls, act = [], ACTS.get(kind)

        def body(context, handle):
            self.meter.enter(handle)
            try:
                self.begin(task_id, context)
                calls.append(task_id)
                if kind == "flaky" and len(calls) < 3:
                    raise ConnectionError(task_id)
                if act is not None:
                    act(handle)
                self.meter.look()
                context["late"] = kind
            finally:
                self.meter.leave(handle)
            if kind == "nest":
                inner = Workflow("inner", [Task("inner", do_nothing, (), keys=Keys())])
                self.engine.start(inner, {}).wait(WAIT)  # it lends its slot meanwhile
                self.meter.enter(handle)
                self.meter.leave(handle)

        return body

    def make_async_body(self, task_id, kind):
        act = ASYNC_ACTS[kind]

        async def body(context, handle):
            self.async_meter.enter(handle)
            try:
                self.begin(task_id, context)
                await act(handle)
                await asyncio.sleep(0.002)  # others want a turn meanwhile
                self.async_meter.look()
            finally:
                self.async_meter.leave(handle)

        return body

    # -- what is seen of it

    def recall(self, task, _context):
        over = {event.task_id for event in tuple(self.events) if isinstance(event, TaskFinished)}
        self.asked.append((task.id, over))
        return self.answers[task.id]

    def observe(self, event):
        self.events.append(event)
        if self.kinds.get(getattr(event, "task_id", ""), "").startswith("process"):
            if isinstance(event, AttemptStarted):
                self.meter.enter(event.task_id)
            elif isinstance(event, AttemptFailed) or (isinstance(event, TaskFinished) and self.is_inside(event)):
                self.meter.leave(event.task_id)
        if len(self.events) == self.cancel_at:
            if self.cancels_in_hand and self.run is not None:
                self.run.cancel()
            self.trigger.set()

    def is_inside(self, finished):
        """Whether that ends an attempt that no AttemptFailed has ended."""
        earlier = [e for e in self.events if isinstance(e, AttemptStarted | AttemptFailed)]
        last = [type(event) for event in earlier if event.task_id == finished.task_id][-1:]
        return last == [AttemptStarted]

    def pass_by(self):
        recall = self.recall if self.answers else None
        self.run = self.engine.start(self.workflow, {}, observers=[self.observe], timeout=self.timeout, recall=recall)
        if self.cancel_at:
            while not self.run.is_over and not self.trigger.wait(0.005):
                pass
            if self.trigger.is_set():
                self.run.cancel()
        result = self.run.wait(WAIT)
        for meter in (self.meter, self.async_meter):
            meter.wait_until_empty()
        return result


def at_look(number):
    """A condition that holds when it is asked for the so-manieth time."""
    return iter([*[False] * (number - 1), True]).__next__


def fail(handle):
    raise ConnectionError(handle)


def talk(handle):
    print("here")
    handle.progress(1, 2)


def defer(handle):
    handle.defer_until(at_look(3), poll_interval_ms=1)


def defer_late(handle):
    handle.defer_until(lambda: False, poll_interval_ms=1)


def be_late(_handle):
    threading.Event().wait(0.04)  # there is no other way to be late


async def fail_async(handle):
    await asyncio.sleep(0)
    raise ValueError(handle)


async def go_on(_handle):
    await asyncio.sleep(0)


async def defer_async(handle):
    await handle.defer_until(at_look(3), poll_interval_ms=1)


async def defer_twice(handle):
    await asyncio.gather(*(handle.defer_until(at_look(number), poll_interval_ms=1) for number in (3, 2)))


async def give_up_deferring(handle):
    with suppress(TimeoutError):
        async with asyncio.timeout(0.003):
            await handle.defer_until(lambda: False, poll_interval_ms=1)


async def be_late_async(_handle):
    await asyncio.sleep(WAIT)


async def heed_nothing(_handle):
    with suppress(asyncio.CancelledError):
        await asyncio.sleep(WAIT)
    await asyncio.sleep(0.005)


ACTS = {"fail": fail, "print": talk, "defer": defer, "defer late": defer_late, "late": be_late}
ASYNC_ACTS = {
    "async set": go_on,
    "async fail": fail_async,
    "async defer": defer_async,
    "async twice": defer_twice,
    "async limit": give_up_deferring,
    "async late": be_late_async,
    "async deaf late": heed_nothing,
}


def do_nothing(_context): ...


def key_of(task_id):
    return f"k{task_id}"


def process_body(task_id):
    name = key_of(task_id)

    def body(context, _handle):
        context[name] = task_id

    return body


def failing_process_body(task_id):
    def body(_context, _handle):
        raise ConnectionError(task_id)

    return body


IN_A_PROCESS = {"process": process_body, "process fail": failing_process_body}


@pytest.fixture
def storm_of():
    made = []

    def make(seed):
        made.append(Storm(seed))
        return made[-1]

    yield make
    for one in made:
        one.engine.close()


# -- what always holds


def check_the_end(storm):
    """The run is over once and last, each task once, and none goes on."""
    said = [event for event in storm.events if not isinstance(event, OutputWritten | ProgressMade)]
    assert isinstance(storm.events[0], RunStarted)
    assert isinstance(said[-1], RunFinished)
    assert sum(isinstance(event, RunFinished | RunStarted) for event in said) == 2
    finished = Counter(event.task_id for event in said if isinstance(event, TaskFinished))
    assert finished == Counter(list(storm.needs))


def check_the_order(storm):
    """An attempt starts when all that its task needs is over, and the earlier attempts have failed."""
    over, failed, started = {}, Counter(), Counter()
    for event in storm.events:
        if isinstance(event, TaskFinished):
            assert event.attempt == started[event.task_id]
            over[event.task_id] = event.outcome
        elif isinstance(event, AttemptFailed):
            failed[event.task_id] += 1
            assert event.attempt == failed[event.task_id] == started[event.task_id]
        elif isinstance(event, AttemptStarted):
            assert storm.needs[event.task_id] <= set(over)
            assert event.task_id not in over
            assert event.attempt == started[event.task_id] + 1 == failed[event.task_id] + 1
            started[event.task_id] += 1
    for task_id, known in storm.asked:
        assert storm.needs[task_id] <= known
    asked = Counter(task_id for task_id, _ in storm.asked)
    assert set(asked.values()) <= {1}
    assert not storm.answers or set(asked) >= set(started)


def check_the_outcomes(storm, result):
    """What a task came to follows from its dependencies, its rule, and what was recalled of it."""
    ended = {event.task_id: event for event in storm.events if isinstance(event, TaskFinished)}
    outcomes = {task_id: event.outcome for task_id, event in ended.items()}
    cancelled = Outcome.CANCELLED in outcomes.values()
    if not cancelled:
        assert result.status == ("Failed" if Outcome.FAILED in outcomes.values() else "Completed")
    else:
        assert result.status == ("Failed" if "timeout" in (result.error_message or "") else "Cancelled")
    asked = {task_id for task_id, _ in storm.asked}
    for task in storm.tasks:
        event, answer = ended[task.id], storm.answers.get(task.id)
        needed = {outcomes[one] for one in storm.needs[task.id]}
        if task.rule is None and (event.attempt or task.id in asked):
            assert Outcome.FAILED not in needed
            assert not needed or Outcome.COMPLETED in needed
        if event.outcome is Outcome.SKIPPED and task.id not in asked:
            assert task.rule is not None or needed - {Outcome.COMPLETED}
            assert str(task.rule) != str(always())
        if task.id in asked and event.outcome is not Outcome.CANCELLED:
            taken, left_out = isinstance(answer, Taken), isinstance(answer, LeftOut)
            assert (event.attempt == 0) == (taken or left_out)
            assert event.taken_from == ("earlier" if taken else "")
            assert event.reason == (answer if isinstance(answer, str) else answer.reason)
            assert not taken or event.outcome is Outcome.COMPLETED
            assert not left_out or event.outcome is Outcome.SKIPPED
        if storm.kinds[task.id] in (
            "fail",
            "async fail",
            "process fail",
            "defer late",
            "async late",
            "async deaf late",
        ):
            assert event.outcome is not Outcome.COMPLETED or event.taken_from


def check_the_values(storm, result):
    """What completed tasks set is there, for those that follow and at the end; what others set is nowhere."""
    completed = {task_id for task_id, one in storm.run.tasks.items() if one.outcome is Outcome.COMPLETED}
    assert {key for key in result.final_context if key != "late"} == {key_of(one) for one in completed}
    for task_id, seen in storm.seen.items():
        assert seen == {one: one in completed for one in seen}, task_id


def check_the_places(storm):
    """No more bodies than there are slots were at work, and afterwards there are as many as before."""
    assert storm.meter.most <= LIMIT
    assert storm.async_meter.most <= ASYNC_LIMIT
    meeting, here = threading.Barrier(LIMIT, timeout=WAIT), []

    def meet(_context, handle):
        storm.meter.enter(handle)
        meeting.wait()
        storm.meter.leave(handle)

    async def meet_async(_context, handle):
        storm.async_meter.enter(handle)
        here.append(handle)
        while len(here) < ASYNC_LIMIT:  # noqa: ASYNC110 - the others come by the same loop
            await asyncio.sleep(0.001)
        storm.async_meter.leave(handle)

    plain = [Task(f"p{n}", meet, (), keys=Keys(), handle="handle") for n in range(2 * LIMIT)]
    turns = range(2 * ASYNC_LIMIT)
    by_turns = [Task(f"a{n}", meet_async, (), keys=Keys(), handle="handle", is_async=True) for n in turns]
    assert storm.engine.start(Workflow("after", [*plain, *by_turns]), {}).wait(WAIT).status == "Completed"
    assert storm.meter.most <= LIMIT
    assert storm.async_meter.most <= ASYNC_LIMIT


@pytest.mark.parametrize("seed", range(SEEDS))
def test_whatever_happens(seed, storm_of):
    storm = storm_of(seed)
    result = storm.pass_by()
    check_the_places(storm)
    check_the_end(storm)
    check_the_order(storm)
    check_the_outcomes(storm, result)
    check_the_values(storm, result)

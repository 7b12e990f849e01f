"""Random workflows of bodies that fail, retry, defer, nest and time out, cancelled at random: what always holds."""

import asyncio
import random
import threading
from collections import Counter

import pytest

from cloaca_nb.core.events import AttemptStarted, OutputWritten, ProgressMade, RunFinished, RunStarted, TaskFinished
from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.names import Keys
from cloaca_nb.core.retry import RetryPolicy
from cloaca_nb.core.rules import always, context_value, none_of, task_failed, task_success
from cloaca_nb.core.status import Outcome
from cloaca_nb.core.task import Task

LIMIT = 3
WAIT = 30
KINDS = ["set", "set", "set", "fail", "flaky", "defer", "nest", "print", "late", "async", "async fail"]


class Meter:
    """How many bodies are at work at once."""

    def __init__(self):
        self._lock = threading.Lock()
        self.now = self.most = 0

    def __enter__(self):
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)

    def __exit__(self, *_):
        with self._lock:
            self.now -= 1


def make_body(kind, number, engine, meter):
    calls = []

    def defer(handle):
        looks = iter([False, False, True])
        handle.defer_until(lambda: next(looks), poll_interval_ms=1)

    def nest(_handle):
        engine.start(Workflow("inner", [Task("inner", lambda _: None, (), keys=Keys())]), {}).wait(WAIT)

    def body(context, handle):
        calls.append(1)
        with meter:
            context[f"k{number}"] = number
            if kind == "fail" or (kind == "flaky" and len(calls) < 3):
                raise ConnectionError(number)
            if kind == "print":
                print(number)
                handle.progress(1, 2)
            if kind == "late":
                threading.Event().wait(0.02)  # there is no other way to be late
        if kind in ("defer", "nest"):
            {"defer": defer, "nest": nest}[kind](handle)
            with meter:
                pass

    async def async_body(context, _handle):
        context[f"k{number}"] = number
        await asyncio.sleep(0)
        if kind == "async fail":
            raise ValueError(number)

    return async_body if kind.startswith("async") else body


def make_task(number, chance, engine, meter):
    earlier = [f"t{one}" for one in range(number)]
    dependencies = chance.sample(earlier, min(number, chance.choice([0, 1, 1, 2, 3])))
    kind = chance.choice(KINDS)
    rule = None
    if dependencies and chance.random() < 0.2:
        one = dependencies[0]
        rules = [always(), task_failed(one), none_of(task_success(one)), context_value("k0", "equals", 0)]
        rule = chance.choice(rules)
    return Task(
        f"t{number}",
        make_body(kind, number, engine, meter),
        tuple(dependencies),
        keys=Keys(),
        handle="handle",
        is_async=kind.startswith("async"),
        rule=rule,
        retry=RetryPolicy(max_attempts=chance.choice([1, 1, 2, 4]), initial_delay=0.002),
        timeout=chance.choice([0.01, 0.02, 0.03]) if kind == "late" else None,
    )


def check_stream(events, workflow):
    """What holds for the events of any run that is over."""
    assert isinstance(events[0], RunStarted)
    said = [event for event in events if not isinstance(event, OutputWritten | ProgressMade)]
    assert isinstance(said[-1], RunFinished)
    assert sum(isinstance(event, RunFinished) for event in events) == 1
    finished = Counter(event.task_id for event in events if isinstance(event, TaskFinished))
    assert finished == Counter(task.id for task in workflow.tasks)
    over, attempts = set(), Counter()
    for event in events:
        if isinstance(event, TaskFinished):
            over.add(event.task_id)
        elif isinstance(event, AttemptStarted):
            assert set(workflow.dependencies[event.task_id]) <= over
            assert event.task_id not in over
            attempts[event.task_id] += 1
            assert event.attempt == attempts[event.task_id]


@pytest.mark.parametrize("seed", range(40))
def test_whatever_happens(seed, engine_of):
    chance, meter = random.Random(seed), Meter()  # noqa: S311 - no secret
    engine, events = engine_of(LIMIT), []
    tasks = [make_task(number, chance, engine, meter) for number in range(chance.randint(1, 20))]
    workflow = Workflow("w", tasks)
    run = engine.start(workflow, {}, observers=[events.append])
    cancels = seed % 3 == 0
    if cancels:
        threading.Event().wait(chance.random() * 0.03)
        run.cancel()
    result = run.wait(WAIT)
    check_stream(list(events), workflow)
    completed = [task for task in tasks if run.tasks[task.id].outcome is Outcome.COMPLETED]
    assert all(f"k{task.id[1:]}" in result.final_context for task in completed)
    if not cancels and all(task.timeout is None for task in tasks):
        assert meter.most <= LIMIT

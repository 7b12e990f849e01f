"""What a task costs in the background while the main thread computes in pure Python, as a cell may."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from typing import NamedTuple

from engines import OURS, POOL, durable_runner, expect, pool, workflow_of
from figure import MICRO, Figure
from fresh import Answer, answer, ask
from graphs import layers

__all__ = ["TITLE", "figures"]

TITLE = "Tasks that do nothing in the background, beside a CPU-bound cell"
LIMIT = 50.0  # µs
TASKS = 10_000
LOOKS = 1_000  # additions that the cell makes before it looks whether the tasks are over
ALONE = 0.5  # seconds that the cell is timed on its own


class Going(NamedTuple):
    """Tasks that go on in the background."""

    is_over: Callable[[], bool]
    wait: Callable[[], object]


Start = Callable[[], Going]


def figures(rounds: int, *, quick: bool) -> list[Figure]:
    """Measure ours and the pool, each beside a cell and alone."""
    count = TASKS // 10 if quick else TASKS
    found = {engine: ask(__file__, engine=engine, count=count, rounds=rounds) for engine in ENGINES}
    return [
        Figure(
            what=f"{engine}, {count:,} tasks, per task",
            value=took["beside"],
            unit="µs",
            at_most=LIMIT if engine == OURS else None,
            note=_note(took),
        )
        for engine, took in found.items()
    ]


def _note(found: Answer) -> str:
    return f"{found['alone']:.0f} µs with no cell beside it; the cell goes at {found['share']:.0%} of its speed"


def measure(engine: str, count: int, rounds: int) -> Answer:
    """Return the median microseconds per task, beside a cell and alone, and the speed that is left to the cell."""
    beside, alone, shares = [], [], []
    deadline = time.perf_counter() + ALONE
    unhindered = _compute(lambda: time.perf_counter() > deadline)
    with ENGINES[engine](count) as start:
        for number in range(rounds + 1):
            began = time.perf_counter()
            start().wait()
            between = time.perf_counter()
            speed = _compute(start().is_over)
            ended = time.perf_counter()
            if number:  # the first round warms up
                alone.append(between - began)
                beside.append(ended - between)
                shares.append(speed / unhindered)
    per_task = MICRO / count
    return {"beside": median(beside) * per_task, "alone": median(alone) * per_task, "share": median(shares)}


def _compute(is_over: Callable[[], bool]) -> float:
    """Be the cell: add in pure Python until it is over; return the turns per second."""
    began, turns, total = time.perf_counter(), 0, 0
    while not is_over():
        for number in range(LOOKS):
            total += number
        turns += 1
    return turns / (time.perf_counter() - began)


@contextmanager
def _ours(count: int) -> Iterator[Start]:
    workflow = workflow_of(layers(count))
    with durable_runner() as runner:

        def start() -> Going:
            run = runner.start(workflow)
            return Going(lambda: run.is_over, lambda: expect(run.wait().status, "Completed"))

        yield start


@contextmanager
def _pool(count: int) -> Iterator[Start]:
    with pool(layers(count)) as once:

        def start() -> Going:
            thread = threading.Thread(target=once)
            thread.start()
            return Going(lambda: not thread.is_alive(), thread.join)

        yield start


ENGINES = {OURS: _ours, POOL: _pool}

if __name__ == "__main__":
    answer(measure)

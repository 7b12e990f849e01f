"""Whether ten times the tasks take ten times the time."""

import time
from statistics import median

from engines import durable_runner, expect, workflow_of
from figure import MICRO, Figure
from fresh import Answer, answer, ask
from graphs import layers

__all__ = ["TITLE", "figures"]

TITLE = "Growth: layers of tasks that do nothing, durable"
LIMIT = 1.2  # times what a task costs in the smallest run
SIZES = (1_000, 10_000, 50_000)
TASKS = 100_000  # in all, of each size: what is put off until so many are on record then weighs the same on each


def figures(rounds: int, *, quick: bool) -> list[Figure]:
    """Measure every size; the smallest one is what the others are held against.

    Each round measures all sizes one after the other, and it is their ratios that count: what else the machine does
    slows all of them.
    """
    sizes = SIZES[:2] if quick else SIZES
    tasks = TASKS // 10 if quick else TASKS
    found = [{size: ask(__file__, count=size, runs=tasks // size) for size in sizes} for _ in range(rounds)]
    return [*(_cost(size, found) for size in sizes), *(_growth(size, sizes[0], found) for size in sizes[1:])]


def _cost(size: int, found: list[dict[int, Answer]]) -> Figure:
    wall, cpu = (median(one[size][clock] for one in found) for clock in ("wall", "cpu"))
    return Figure(what=f"{size:,} tasks, per task", value=wall, unit="µs", note=f"CPU {cpu:.1f} µs")


def _growth(size: int, base: int, found: list[dict[int, Answer]]) -> Figure:
    wall, cpu = (median(one[size][clock] / one[base][clock] for one in found) for clock in ("wall", "cpu"))
    return Figure(
        what=f"a task among {size:,} beside one among {base:,}",
        value=wall,
        unit="times",
        at_most=LIMIT,
        note=f"CPU {cpu:.2f} times",
    )


def measure(count: int, runs: int) -> Answer:
    """Return the microseconds that a task takes in these runs, and those of CPU time."""
    workflow = workflow_of(layers(count))
    with durable_runner() as runner:
        expect(runner.execute(workflow).status, "Completed")  # warms up
        wall, cpu = time.perf_counter(), time.process_time()
        for _ in range(runs):
            expect(runner.execute(workflow).status, "Completed")
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return {"wall": wall / (count * runs) * MICRO, "cpu": cpu / (count * runs) * MICRO}


if __name__ == "__main__":
    answer(measure)

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
ENOUGH = 20  # runs of the smallest size for each round, for they are over soon


def figures(rounds: int, *, quick: bool) -> list[Figure]:
    """Measure every size; the smallest one is what the others are held against."""
    sizes = SIZES[:2] if quick else SIZES
    found = {size: ask(__file__, count=size, rounds=max(rounds * ENOUGH * SIZES[0] // size, 3)) for size in sizes}
    base = found[sizes[0]]
    shown = [
        Figure(what=f"{size:,} tasks, per task", value=took["wall"], unit="µs", note=f"CPU {took['cpu']:.1f} µs")
        for size, took in found.items()
    ]
    growth = [
        Figure(
            what=f"a task among {size:,} beside one among {sizes[0]:,}",
            value=found[size]["wall"] / base["wall"],
            unit="times",
            at_most=LIMIT,
            note=f"CPU {found[size]['cpu'] / base['cpu']:.2f} times",
        )
        for size in sizes[1:]
    ]
    return [*shown, *growth]


def measure(count: int, rounds: int) -> Answer:
    """Return the median microseconds per task, and those of CPU time."""
    workflow = workflow_of(layers(count))
    walls, cpus = [], []
    with durable_runner() as runner:
        for number in range(rounds + 1):
            wall, cpu = time.perf_counter(), time.process_time()
            expect(runner.execute(workflow).status, "Completed")
            if number:  # the first round warms up
                walls.append(time.perf_counter() - wall)
                cpus.append(time.process_time() - cpu)
    return {"wall": median(walls) / count * MICRO, "cpu": median(cpus) / count * MICRO}


if __name__ == "__main__":
    answer(measure)

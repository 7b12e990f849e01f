"""What is kept in memory of a run for as long as its `Run` and its result are held.

Measured twice, each in a fresh process: what Python's own allocator says (tracemalloc, exact, but it slows the run),
after a first run of the same workflow; and how much the process has grown (resident memory, which also counts what the
workflow works out when it first runs, what other libraries hold, and what the allocator has not given back).
"""

import gc
import tracemalloc
from collections.abc import Callable

import psutil
from engines import durable_runner, expect, workflow_of
from figure import Figure
from fresh import Answer, answer, ask
from graphs import layers

__all__ = ["TITLE", "figures"]

TITLE = "Memory kept per task while a run is held"
LIMIT = 2_000.0  # bytes
TASKS = 10_000
FEW = 100  # a first run of more would leave room in the process, which the measured one then fills


def figures(rounds: int, *, quick: bool) -> list[Figure]:  # noqa: ARG001 - memory varies little: once is enough
    """Measure both ways."""
    count = TASKS // 10 if quick else TASKS
    traced = ask(__file__, count=count, traced=True)
    resident = ask(__file__, count=count, traced=False)
    return [
        Figure(
            what=f"allocated (tracemalloc), {count:,} tasks",
            value=traced["kept"],
            unit="B",
            at_most=LIMIT,
            note=f"{traced['left']:,.0f} B are left when the run is let go",
        ),
        Figure(
            what=f"resident memory (RSS), {count:,} tasks",
            value=resident["kept"],
            unit="B",
            note=f"{resident['left']:,.0f} B are left when the run is let go",
        ),
    ]


def measure(count: int, *, traced: bool) -> Answer:
    """Return the bytes per task that are kept while a run is held, and those that are left when it is let go."""
    workflow = workflow_of(layers(count))
    in_use = _allocated if traced else _resident
    with durable_runner() as runner:
        expect(runner.execute(workflow if traced else workflow_of(layers(FEW))).status, "Completed")
        if traced:
            tracemalloc.start()
        before = _settled(in_use)
        run = runner.start(workflow)
        result = run.wait()
        held = _settled(in_use)
        expect(result.status, "Completed")
        del run, result
        after = _settled(in_use)
    return {"kept": (held - before) / count, "left": (after - before) / count}


def _settled(in_use: Callable[[], int]) -> int:
    gc.collect()
    return in_use()


def _allocated() -> int:
    return tracemalloc.get_traced_memory()[0]


def _resident() -> int:
    found: int = psutil.Process().memory_info().rss
    return found


if __name__ == "__main__":
    answer(measure)

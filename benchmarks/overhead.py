"""What a task costs that does nothing, here and elsewhere, measured in turn in one process."""

import time
from collections.abc import Sequence
from contextlib import ExitStack
from statistics import median
from typing import NamedTuple

from engines import DASK, ENGINES, OURS, POOL
from figure import MICRO, Figure
from fresh import Answer, answer, ask
from graphs import GRAPHS, Graph

__all__ = ["TITLE", "figures"]

TITLE = "A task that does nothing, µs per task"
AHEAD_OF_DASK = 3.0  # times
AGAINST_DASK = ("fan of 1,000", "layers, 10,000")
OF_THE_POOL = {"chain of 1,000": 0.5}  # what of the pool's time ours may take; all of it where nothing is said


class Cost(NamedTuple):
    """Seconds of one run."""

    wall: float
    cpu: float  # of all threads of the process: steadier on a machine that has other things to do


def figures(rounds: int, *, quick: bool) -> list[Figure]:
    """Measure every graph on every engine."""
    names = list(GRAPHS)[:2] if quick else list(GRAPHS)
    return [figure for name in names for figure in _compared(name, ask(__file__, graph=name, rounds=rounds))]


def _compared(graph: str, found: Answer) -> list[Figure]:
    share = OF_THE_POOL.get(graph, 1.0)
    limits = {OURS: found[POOL] * share}
    rows = [
        Figure(
            what=f"{graph}: {engine}",
            value=found[engine],
            unit="µs",
            at_most=limits.get(engine),
            note=f"CPU {found[f'{engine}, CPU']:.1f} µs"
            + (f"; target: {share:g} of the pool" if engine == OURS else ""),
        )
        for engine in ENGINES
    ]
    limit = AHEAD_OF_DASK if graph in AGAINST_DASK else None
    ahead = found[DASK] / found[OURS]
    return [*rows, Figure(what=f"{graph}: ahead of dask", value=ahead, unit="times", at_least=limit)]


def measure(graph: str, rounds: int) -> Answer:
    """Return the median microseconds per task of each engine; they take turns, so a slow spell hits all alike."""
    tasks = GRAPHS[graph]
    found: Answer = {}
    for name, costs in _in_turn(tasks, rounds).items():
        found[name] = median(cost.wall for cost in costs) / len(tasks) * MICRO
        found[f"{name}, CPU"] = median(cost.cpu for cost in costs) / len(tasks) * MICRO
    return found


def _in_turn(graph: Graph, rounds: int) -> dict[str, Sequence[Cost]]:
    costs: dict[str, list[Cost]] = {name: [] for name in ENGINES}
    with ExitStack() as stack:
        runs = {name: stack.enter_context(engine(graph)) for name, engine in ENGINES.items()}
        for number in range(rounds + 1):
            for name, once in runs.items():
                began = Cost(time.perf_counter(), time.process_time())
                once()
                if number:  # the first round warms up
                    costs[name].append(Cost(time.perf_counter() - began.wall, time.process_time() - began.cpu))
    return {**costs}


if __name__ == "__main__":
    answer(measure)

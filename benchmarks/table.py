"""`make bench`: what a task costs that does nothing, here and elsewhere, measured in turn in one process.

Each figure is the median over the rounds, in microseconds per task; the ratio is of that to the first row's.
"""

import argparse
import time
from contextlib import ExitStack
from statistics import median

from engines import ENGINES
from graphs import GRAPHS, Graph
from rich.console import Console
from rich.table import Table

MICRO = 1e6


def measure(graph: Graph, rounds: int) -> dict[str, float]:
    """Return the median microseconds per task of each engine; they take turns, so a slow spell hits all alike."""
    seconds: dict[str, list[float]] = {name: [] for name in ENGINES}
    with ExitStack() as stack:
        runs = {name: stack.enter_context(engine(graph)) for name, engine in ENGINES.items()}
        for number in range(rounds + 1):
            for name, once in runs.items():
                began = time.perf_counter()
                once()
                if number:  # the first round warms up
                    seconds[name].append(time.perf_counter() - began)
    return {name: median(times) / len(graph) * MICRO for name, times in seconds.items()}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="how often each is timed")
    rounds = parser.parse_args().rounds
    figures = {name: measure(graph, rounds) for name, graph in GRAPHS.items()}
    table = Table(title="Microseconds per task that does nothing (median)", title_justify="left")
    table.add_column("")
    for name in GRAPHS:
        table.add_column(name, justify="right")
    base = next(iter(ENGINES))
    for engine in ENGINES:
        cells = (f"{by[engine]:.1f}  ({by[engine] / by[base]:.2f})" for by in figures.values())
        table.add_row(engine, *cells)
    Console().print(table)


if __name__ == "__main__":
    main()

"""What it costs that each task is on disk before the next one starts: beside runs that are at their end, and peers."""

import time
from statistics import median

import lag
from durable_peers import PEERS, per_task
from engines import durable_runner, expect, workflow_of
from figure import MICRO, Figure
from fresh import Answer, answer, ask
from graphs import chain, fan
from latency import disk

from cloaca_nb import Context

__all__ = ["TITLE", "figures"]

TITLE = "A task that sets a key, by durability, µs per task"
TASKS = 200
TASKS_OF_PEERS, ROUNDS_OF_PEERS = 50, 3  # they take seconds where ours takes milliseconds
BESIDES = 500.0  # µs: what a task may wait beside the disk, for two threads to take turns
LATE = {"frame": 20.0, "texts": 100.0}  # ms: the longest that a task may be over and not on disk, by what is beside
GRAPHS = {"chain": chain(TASKS), "fan": fan(TASKS)}


def figures(rounds: int, *, quick: bool) -> list[Figure]:
    """Measure a chain, whose tasks wait for each other, and a fan, whose tasks share their writes."""
    rows = []
    for graph in GRAPHS:
        found = ask(__file__, graph=graph, rounds=1 if quick else rounds)
        limit = found["disk"] + BESIDES
        rows += [
            Figure(what=f"{graph} of {TASKS}: run", value=found["run"], unit="µs"),
            Figure(what=f"{graph} of {TASKS}: task", value=found["task"], unit="µs", at_most=limit),
        ]
        for peer in PEERS:
            took = per_task(peer, graph, TASKS_OF_PEERS, 1 if quick else ROUNDS_OF_PEERS)
            note = f"{took / found['task']:.0f} times ours"
            rows.append(Figure(what=f"{graph} of {TASKS_OF_PEERS}: {peer} on SQLite", value=took, unit="µs", note=note))
    rows += [_late("frame", f"a frame of {lag.BESIDE / 1e6:.0f} MB", 1 if quick else rounds)]
    rows += [_late("texts", f"{lag.TEXTS} texts of {lag.LONG / 1e3:.0f} kB", 1 if quick else rounds)]
    note = "the floor of a chain"
    return [*rows, Figure(what="one line of 1 kB written, fdatasync", value=found["disk"], unit="µs", note=note)]


def _late(large: str, beside: str, rounds: int) -> Figure:
    found = ask(lag.__file__, what=large, rounds=rounds)
    note = f"half of them after {found['p50']:.0f} ms, the last after {found['longest']:.0f} ms"
    what = f"small tasks on disk after their end, beside {beside}, p99"
    return Figure(what=what, value=found["p99"], unit="ms", at_most=LATE[large], note=note)


def measure(graph: str, rounds: int) -> Answer:
    """Return the median microseconds per task; both take turns, so a slow spell hits them alike."""

    def body(context: Context) -> None:
        context["rows"] = 1

    tasks = GRAPHS[graph]
    workflow = workflow_of(tasks, dict.fromkeys(tasks, body))
    took: dict[str, list[float]] = {"run": [], "task": []}
    with durable_runner("run") as run, durable_runner("task") as task:
        for number in range(rounds + 1):
            for name, runner in (("run", run), ("task", task)):
                began = time.perf_counter()
                result = runner.execute(workflow)
                if number:  # the first one warms up
                    took[name].append(time.perf_counter() - began)
                expect(result.final_context["rows"], 1)
    per_task = {name: median(seconds) / len(tasks) * MICRO for name, seconds in took.items()}
    return {**per_task, "disk": disk(TASKS) * MICRO}


if __name__ == "__main__":
    answer(measure)

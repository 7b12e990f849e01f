"""How soon a small workflow begins and is over: from the call of `execute` to its result, with the run on disk."""

import os
import tempfile
import time
from statistics import median, quantiles

from engines import durable_runner, expect, workflow_of
from figure import MICRO, Figure
from fresh import Answer, answer, ask
from graphs import chain

from cloaca_nb import Context

__all__ = ["TITLE", "disk", "figures"]

TITLE = "A workflow of 3 tasks, each setting a key: from the call of execute() to its result, warm, durable"
RESULT, FIRST = 1_000.0, 200.0  # µs
CALLS = 60  # for each round
IDLE = 0.05  # seconds: more than any wait for company, so every thread sleeps when the call comes
ONE_LINE = b"x" * 1_000  # about what such a run writes


def figures(rounds: int, *, quick: bool) -> list[Figure]:
    """Measure calls one after the other, and calls after a pause, as a cell of a notebook makes them."""
    calls = CALLS * (1 if quick else rounds)
    found = {pause: ask(__file__, calls=calls, pause=pause) for pause in (0.0, IDLE)}
    rows = []
    for pause, how in ((0.0, "one after the other"), (IDLE, f"after {IDLE * 1_000:.0f} ms of idling")):
        took = found[pause]
        for what, limit in (("result", RESULT), ("first task", FIRST)):
            note = f"95th percentile {took[f'{what}, slow']:,.0f} µs"
            rows.append(Figure(what=f"{what}, {how}", value=took[what], unit="µs", at_most=limit, note=note))
    floor = Figure(what="one line of 1 kB written, fdatasync", value=found[0.0]["disk"], unit="µs", note="the floor")
    return [*rows, floor]


def measure(calls: int, pause: float) -> Answer:
    """Return microseconds from the call to the first line of the first body, and to the result."""
    begun: list[float] = []

    def first(context: Context) -> None:
        begun.append(time.perf_counter())
        context["rows"] = 1

    def second(context: Context) -> None:
        context["total"] = context["rows"] + 1

    def third(context: Context) -> None:
        context["report"] = context["total"] + 1

    workflow = workflow_of(chain(3), {"0": first, "1": second, "2": third})
    called: list[float] = []
    over: list[float] = []
    with durable_runner() as runner:
        for _ in range(calls + CALLS):
            time.sleep(pause)
            called.append(time.perf_counter())
            result = runner.execute(workflow)
            over.append(time.perf_counter())
            expect(result.final_context["report"], 3)
    warm = slice(CALLS, None)
    firsts = [at - call for at, call in zip(begun[warm], called[warm], strict=True)]
    results = [at - call for at, call in zip(over[warm], called[warm], strict=True)]
    return {
        "first task": median(firsts) * MICRO,
        "first task, slow": quantiles(firsts, n=20)[-1] * MICRO,
        "result": median(results) * MICRO,
        "result, slow": quantiles(results, n=20)[-1] * MICRO,
        "disk": disk(calls) * MICRO,
    }


def disk(times: int) -> float:
    """Return the median seconds for one line to be on disk, with nothing around it."""
    took = []
    with tempfile.TemporaryFile(buffering=0) as file:
        for _ in range(times):
            began = time.perf_counter()
            file.write(ONE_LINE)
            os.fdatasync(file.fileno())
            took.append(time.perf_counter() - began)
    return median(took)


if __name__ == "__main__":
    answer(measure)

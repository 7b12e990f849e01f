"""How soon a small workflow begins and is over: from the call of `execute` to its result, with the run on disk."""

import os
import tempfile
import time
from statistics import median, quantiles

from engines import durable_runner, expect, workflow_of
from figure import MICRO, Figure
from fresh import Answer, answer, ask
from graphs import chain

from cloaca_nb import Context, DefaultRunner

__all__ = ["TITLE", "disk", "figures"]

TITLE = "A workflow of 3 tasks, each setting a key: from the call of execute() to its result, warm, durable"
RESULT, FIRST = 1_000.0, 200.0  # µs
CALLS = 60  # for each round
IDLE = 0.05  # seconds: more than any wait for company, so every thread sleeps when the call comes
ONE_LINE = b"x" * 1_000  # about what such a run writes


def figures(rounds: int, *, quick: bool) -> list[Figure]:
    """Measure calls one after the other, and calls after a pause, which finds caches and disk cold: no promise."""
    calls = CALLS * (1 if quick else rounds)
    found = {pause: ask(__file__, calls=calls, pause=pause) for pause in (0.0, IDLE)}
    rows = []
    for pause, how in ((0.0, "one after the other"), (IDLE, f"after {IDLE * 1_000:.0f} ms of idling")):
        took = found[pause]
        for what, limit in (("result", RESULT), ("first task", FIRST)):
            note = f"95th percentile {took[f'{what}, slow']:,.0f} µs"
            promised = None if pause else limit
            rows.append(Figure(what=f"{what}, {how}", value=took[what], unit="µs", at_most=promised, note=note))
        floor = f"the floor, {how}: one line of 1 kB written, fdatasync"
        rows.append(Figure(what=floor, value=took["disk"], unit="µs"))
    return rows


def measure(calls: int, pause: float) -> Answer:
    """Return microseconds from the call to the first line of the first body, and to the result."""
    with durable_runner() as runner:
        firsts, results = _firsts(runner, calls, pause), _results(runner, calls, pause)
    return {
        "first task": median(firsts) * MICRO,
        "first task, slow": quantiles(firsts, n=20)[-1] * MICRO,
        "result": median(results) * MICRO,
        "result, slow": quantiles(results, n=20)[-1] * MICRO,
        "disk": disk(calls, pause) * MICRO,
    }


def _firsts(runner: DefaultRunner, calls: int, pause: float) -> list[float]:
    begun: list[float] = []
    called: list[float] = []

    def first(_context: Context) -> None:
        begun.append(time.perf_counter())

    workflow = workflow_of(chain(3), {"0": first})
    for _ in range(CALLS + calls):
        time.sleep(pause)
        called.append(time.perf_counter())
        runner.execute(workflow)
    return [at - call for at, call in zip(begun, called, strict=True)][CALLS:]


def _results(runner: DefaultRunner, calls: int, pause: float) -> list[float]:
    # These bodies refer to nothing that changes: code that differs from run to run is recorded for each of them.
    workflow = workflow_of(chain(3), {"0": _set_rows, "1": _set_total, "2": _set_report})
    took: list[float] = []
    for _ in range(CALLS + calls):
        time.sleep(pause)
        began = time.perf_counter()
        result = runner.execute(workflow)
        took.append(time.perf_counter() - began)
        expect(result.final_context["report"], 3)
    return took[CALLS:]


def _set_rows(context: Context) -> None:
    context["rows"] = 1


def _set_total(context: Context) -> None:
    context["total"] = context["rows"] + 1


def _set_report(context: Context) -> None:
    context["report"] = context["total"] + 1


def disk(times: int, pause: float = 0.0) -> float:
    """Return the median seconds for one line to be on disk after a pause, with nothing around it."""
    took = []
    with tempfile.TemporaryFile(buffering=0) as file:
        for _ in range(times):
            time.sleep(pause)
            began = time.perf_counter()
            file.write(ONE_LINE)
            os.fdatasync(file.fileno())
            took.append(time.perf_counter() - began)
    return median(took)


if __name__ == "__main__":
    answer(measure)

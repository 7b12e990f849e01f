"""How soon a run of a thousand tasks goes on after its last one failed: the other 999 are taken from history."""

import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from engines import expect, workflow_of
from figure import Figure
from fresh import Answer, answer, ask
from graphs import chain

from cloaca_nb import Context, DefaultRunner

__all__ = ["TITLE", "figures"]

TITLE = "A run of 1,000 tasks that set a key, resumed after its last one failed, ms"
TASKS = 1_000
FIRST = 300.0  # ms
MILLI = 1e3  # seconds to milliseconds


def figures(rounds: int, *, quick: bool) -> list[Figure]:
    """Resume it in a runner that was opened just now, as a kernel that was restarted does."""
    found = ask(__file__, rounds=1 if quick else rounds)
    return [
        Figure(what="its first task starts", value=found["first"], unit="ms", at_most=FIRST),
        Figure(what="CPU until then", value=found["cpu"], unit="ms", note="what it takes on an idle machine, about"),
        Figure(what="result", value=found["result"], unit="ms"),
    ]


def measure(rounds: int) -> Answer:
    """Return median milliseconds from the call of `resume`."""
    begun: list[tuple[float, float]] = []

    def add_one(context: Context) -> None:
        context["rows"] = context["rows"] + 1

    def last(context: Context) -> None:
        begun.append((time.perf_counter(), time.process_time()))
        if len(begun) == 1:
            raise ValueError("the only failure")
        context["rows"] = context["rows"] + 1

    tasks = chain(TASKS)
    workflow = workflow_of(tasks, {**dict.fromkeys(tasks, add_one), list(tasks)[-1]: last})
    took: dict[str, list[float]] = {"first": [], "cpu": [], "result": []}
    with TemporaryDirectory() as folder:
        database = str(Path(folder, "history.duckdb"))
        with DefaultRunner(database) as runner:
            failed = runner.execute(workflow, {"rows": 0}).run_id
        for number in range(rounds + 1):
            with DefaultRunner(database) as runner:
                called, cpu = time.perf_counter(), time.process_time()
                result = runner.resume(failed, workflow=workflow)
                over = time.perf_counter()
            expect(result.final_context["rows"], TASKS)
            if number:  # the first one loads what it needs
                at, used = begun[-1]
                for name, seconds in (("first", at - called), ("cpu", used - cpu), ("result", over - called)):
                    took[name].append(seconds)
    return {name: median(seconds) * MILLI for name, seconds in took.items()}


if __name__ == "__main__":
    answer(measure)

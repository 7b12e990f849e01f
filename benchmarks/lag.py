"""How long after its end a small task is on disk while a large frame, or many long texts, are digested and written."""

import json
import time
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import pandas as pd
from engines import durable_runner, expect
from fresh import Answer, answer

from cloaca_nb import Context
from cloaca_nb.core.events import Event, TaskFinished
from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.task import Task

__all__ = ["BESIDE", "LONG", "TEXTS"]

BESIDE = 128_000_000  # bytes of the frame
TEXTS, LONG = 300, 30_000  # tasks that set a text each, and its characters: a file of its own
SMALL, PAUSE = 150, 0.010  # tasks, and seconds that each takes
MILLI = 1e3  # seconds to milliseconds


class ClockedJournal:
    """A journal that notes which of the lines that it is given are on disk, and since when."""

    def __init__(self, journal: Any) -> None:
        self._journal = journal
        self._new: list[bytes] = []
        self.lines: list[tuple[bytes, float]] = []

    def append(self, line: bytes) -> None:
        """Append it."""
        self._journal.append(line)
        self._new.append(line)

    def sync(self) -> None:
        """Have all on disk."""
        self._journal.sync()
        self.lines += [(line, time.perf_counter()) for line in self._new]
        self._new.clear()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._journal, name)


def small(context: Context) -> None:
    """Take a moment, and set a number."""
    time.sleep(PAUSE)
    context["n"] = 1


def large(context: Context) -> None:
    """Set a frame, when small tasks are under way."""
    time.sleep(PAUSE * 10)
    context["frame"] = pd.DataFrame({"a": np.arange(BESIDE // 8, dtype=np.float64)})


def texts() -> list[Task]:
    """Return tasks that set a long text each, and no two the same."""

    def text(number: int) -> Callable[[Context], None]:
        def body(context: Context) -> None:
            context[f"text{number}"] = f"{number:05d}" * (LONG // 5)

        return body

    return [Task(f"text{number}", text(number), ()) for number in range(TEXTS)]


LARGE: Final[dict[str, Callable[[], list[Task]]]] = {"frame": lambda: [Task("large", large, ())], "texts": texts}


def workflow(what: str) -> Workflow:
    """Return tasks that set large values, and beside them a chain of small ones."""
    chain = [Task(f"t{number}", small, (f"t{number - 1}",) if number else ()) for number in range(SMALL)]
    return Workflow("beside", [*LARGE[what](), *chain])


def ends_in(line: bytes) -> list[str]:
    """Return the tasks whose ends a line tells."""
    ended: dict[str, list[str]] = json.loads(line).get("ended", {})
    return ended.get("task_id", [])


def measure(what: str, rounds: int) -> Answer:
    """Return the milliseconds from the end of small tasks until that is on disk: half of them, all but one in 100."""
    lags: list[float] = []
    flow = workflow(what)
    large_ones = [task.id for task in flow.tasks if task.function is not small]
    for number in range(rounds + 1):
        ended: dict[str, float] = {}

        def note(event: Event, ended: dict[str, float] = ended) -> None:
            if type(event) is TaskFinished:
                ended[event.task_id] = time.perf_counter()

        with durable_runner() as runner:
            recorder = runner.history().recorder()
            journal = recorder._journal = ClockedJournal(recorder._journal)  # noqa: SLF001
            expect(runner.execute(flow, observers=(note,)).status, "Completed")
        told = {task_id: since for line, since in journal.lines for task_id in ends_in(line)}
        begun, over = min(ended[one] for one in large_ones), max(told[one] for one in large_ones)
        beside = [one for one, at in ended.items() if begun < at < over and one not in large_ones]
        lags += [told[task_id] - ended[task_id] for task_id in beside if number]  # the first run warms up
    lags.sort()
    return {
        "p50": lags[len(lags) // 2] * MILLI,
        "p99": lags[int(len(lags) * 0.99)] * MILLI,
        "longest": lags[-1] * MILLI,
    }


if __name__ == "__main__":
    answer(measure)

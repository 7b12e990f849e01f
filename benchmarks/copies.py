"""Whether what a task leaves alone is copied for it: memory and time of large values that pass through many tasks.

Each case runs in fresh processes, once as plain function calls that share one dict and once as a workflow, which has
run before with little data. The peak is the most memory that the process ever held: its own (anonymous) memory and
the pages of files that are mapped into it, which the system takes back when it needs them.
"""

import resource
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import psutil
import pyarrow as pa
from engines import durable_runner, expect, workflow_of
from figure import Figure
from fresh import Answer, answer, ask
from graphs import chain

from cloaca_nb.history.artifacts import artifacts_folder
from cloaca_nb.values import describe

__all__ = ["TITLE", "figures"]

TITLE = "Large values through chains of tasks that change little of them, durable"
PEAK = 1.3  # times the data
GROWTH = 1.2  # times the peak of a few tasks: a copy that each task leaves behind would show
SLOWER = 3.0  # times plain function calls and one Arrow write
FEWER = 2  # tasks
ONCE = 1.05  # times the bytes of a frame that tasks pass on, in whatever way
PASSED_ROWS = 4_000_000  # with 16 columns of 8 bytes 512 MB
QUICK = 10  # part of the data that a quick look takes
NUMBERS = 16  # columns of 8 bytes: with 8 million rows 1 GB
MB = 1e6
WATCH = 0.02  # seconds
STATUS = Path("/proc/self/status")
RSS_UNIT = 1 if sys.platform == "darwin" else 1_024  # bytes

Values = MutableMapping[str, Any]
Body = Callable[[Values], None]


class Case(NamedTuple):
    """What is made, and what each task does with it."""

    size: int  # of keys, dicts or rows
    tasks: int
    make: Callable[[int], dict[str, Any]]  # given the size
    body: Callable[[int], Body]  # of the task with that number


def figures(rounds: int, *, quick: bool) -> list[Figure]:
    """Measure every case."""
    part, times = (QUICK, 1) if quick else (1, min(rounds, 3))
    rows = []
    for name, case in CASES.items():
        plain = _medians([ask(__file__, case=name, part=part, plain=True) for _ in range(times)])
        ours = _medians([ask(__file__, case=name, part=part, plain=False) for _ in range(times)])
        what = f"{name.format(case.size // part, case.tasks)} ({plain['data'] / MB:,.0f} MB)"
        if "arrow" in plain:
            rows += _frame_rows(what, ours, plain)
        else:
            fewer = _medians([ask(__file__, case=name, part=part, plain=False, tasks=FEWER) for _ in range(times)])
            rows += _rows(what, ours, plain, fewer)
    return [*rows, _written_once(ask(__file__, case=PASSED, part=part, plain=False))]


def _rows(what: str, ours: Answer, plain: Answer, fewer: Answer) -> list[Figure]:
    peak, least, early = (1 + found["grown"] / found["data"] for found in (ours, plain, fewer))
    note = f"plain calls: {least:.2f} times; beside what the process held before the data"
    spent = f"plain calls: {plain['seconds'] * 1_000:.1f} ms"
    beside = f"the peak of {FEWER} tasks: {early:.2f} × data"
    return [
        Figure(what=f"{what}, peak", value=peak, unit="× data", note=note),
        Figure(what=f"{what}, growth of the peak", value=peak / early, unit="times", at_most=GROWTH, note=beside),
        Figure(what=f"{what}, time", value=ours["seconds"] * 1_000, unit="ms", note=spent),
    ]


def _frame_rows(what: str, ours: Answer, plain: Answer) -> list[Figure]:
    grown = 1 + ours["grown"] / ours["data"]
    peaks = f"all that the process holds; {grown:.2f} without what it held before the data; plain calls: "
    limit = SLOWER * (plain["seconds"] + plain["arrow"])
    spent = (
        f"target: {SLOWER:g} × (plain calls {plain['seconds']:.2f} s + one Arrow write {plain['arrow']:.2f} s). "
        f"All {ours['frames']:.0f} frames are kept: each is digested, in {ours['digest']:.2f} s, and its news written"
    )
    held = f"{peaks}{plain['peak'] / plain['data']:.2f}"
    if "own" in ours:
        held += (
            f"; without mapped files: {ours['own'] / ours['data']:.2f}, plain calls: {plain['own'] / plain['data']:.2f}"
        )
    return [
        Figure(what=f"{what}, peak", value=ours["peak"] / ours["data"], unit="× data", at_most=PEAK, note=held),
        Figure(what=f"{what}, time", value=ours["seconds"], unit="s", at_most=limit, note=spent),
    ]


def _written_once(found: Answer) -> Figure:
    what = f"a frame of {found['rows']:,.0f} rows ({found['data'] / MB:,.0f} MB) passed on by {PASSING} tasks, on disk"
    note = f"bytes of its artifacts; passed on as it is, set again, in a dict, as a copy; {found['files']:.0f} files"
    return Figure(what=what, value=found["written"] / found["data"], unit="× data", at_most=ONCE, note=note)


def _medians(found: list[Answer]) -> Answer:
    return {name: median(one[name] for one in found) for name in found[0]}


def measure(case: str, part: int, *, plain: bool, tasks: int | None = None) -> Answer:
    """Return the bytes of the data and of the peak, and the seconds that the tasks took."""
    if case == PASSED:
        return _passed(PASSED_ROWS // part)
    chosen = CASES[case] if tasks is None else CASES[case]._replace(tasks=tasks)
    return _plain(chosen, part) if plain else _durable(chosen, part)


def _plain(case: Case, part: int) -> Answer:
    context, made = _made(case, part)
    before = _resident()
    began = time.perf_counter()
    with _watched() as own:
        for number in range(case.tasks):
            case.body(number)(context)
        seconds = time.perf_counter() - began
    found = _weighed(context, made, before)
    written = {"arrow": _arrow_write(context["frame"])} if "frame" in context else {}
    return {**found, **own, "seconds": seconds, **written}


def _durable(case: Case, part: int) -> Answer:
    bodies = {str(number): case.body(number) for number in range(case.tasks)}
    workflow = workflow_of(chain(case.tasks), bodies)
    with durable_runner() as runner:
        expect(runner.execute(workflow, case.make(1)).status, "Completed")
        context, made = _made(case, part)
        before = _resident()
        began = time.perf_counter()
        with _watched() as own:
            result = runner.execute(workflow, context)
            seconds = time.perf_counter() - began
        expect(result.status, "Completed")
        final = result.final_context
        found = _weighed(final, made, before)
    digested = {"digest": _digest(final["frame"]), "frames": case.tasks + 1.0} if "frame" in final else {}
    return {**found, **own, "seconds": seconds, **digested}


def _passed(rows: int) -> Answer:
    """Return how many bytes a run has written of a frame that its tasks pass on."""
    workflow = workflow_of(chain(PASSING), {str(number): _pass_on(number) for number in range(PASSING)})
    with durable_runner() as runner:
        made = _frame(rows)
        expect(runner.execute(workflow, made).status, "Completed")
        path = runner.history().location.path
        assert path is not None  # noqa: S101 - it is durable
        sizes = [one.stat().st_size for one in artifacts_folder(path).rglob("*") if one.is_file()]
    data = int(made["frame"].memory_usage().sum())
    return {"rows": rows, "data": data, "written": sum(sizes), "files": len(sizes)}


def _made(case: Case, part: int) -> tuple[dict[str, Any], int]:
    """Make the data, and say by how much the process has grown for it."""
    before = _resident()
    return case.make(case.size // part), _resident() - before


def _weighed(final: Mapping[str, Any], made: int, before: int) -> Answer:
    """Say how much data there is, what the tasks added counted in, and what the process held at most."""
    data = int(final["frame"].memory_usage().sum()) if "frame" in final else made
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * RSS_UNIT
    return {"data": data, "peak": peak, "grown": max(peak - before - max(data - made, 0), 0)}


def _resident() -> int:
    found: int = psutil.Process().memory_info().rss
    return found


@contextmanager
def _watched() -> Iterator[Answer]:
    """Look every few milliseconds how much memory of its own the process holds, where Linux tells."""
    found: Answer = {}
    over = threading.Event()

    def watch() -> None:
        while not over.wait(WATCH):
            found["own"] = max(found.get("own", 0), _own())

    if not STATUS.exists():
        yield found
        return
    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join()
        found["own"] = max(found.get("own", 0), _own())


def _own() -> int:
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith("RssAnon:"))
    return int(line.split()[1]) * 1_024


def _digest(frame: pd.DataFrame) -> float:
    began = time.perf_counter()
    describe(frame)
    return time.perf_counter() - began


def _arrow_write(frame: pd.DataFrame) -> float:
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        table = pa.Table.from_pandas(frame)
        with pa.OSFile(str(Path(folder) / "frame.arrow"), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
            writer.write_table(table)
        return time.perf_counter() - began


# -- the cases


def _keys(count: int) -> dict[str, Any]:
    return {f"key{number}": f"{number:01000}" for number in range(count)}


def _read_keys(number: int) -> Body:
    def body(context: Values) -> None:
        read = [context.get(f"key{number * step}", "") for step in range(1, 4)]
        context[f"key{number}"] = max(read)

    return body


def _list(count: int) -> dict[str, Any]:
    return {"flights": [{"flight": number, "carrier": f"C{number}", "delay": number * 0.5} for number in range(count)]}


def _read_list(number: int) -> Body:
    def body(context: Values) -> None:
        context[f"total{number}"] = sum(flight["delay"] for flight in context["flights"])

    return body


def _frame(rows: int) -> dict[str, Any]:
    random = np.random.default_rng(1)
    return {"frame": pd.DataFrame({f"x{place}": random.random(rows) for place in range(NUMBERS)}, copy=False)}


def _extend_frame(number: int) -> Body:
    def body(context: Values) -> None:
        frame = context["frame"]
        frame[f"late{number}"] = frame[f"x{number}"] > frame[f"x{number}"].mean()
        context["frame"] = frame

    return body


def _pass_on(number: int) -> Body:
    """Make a task that hands the frame on in one of the ways in which tasks do."""

    def body(context: Values) -> None:
        frame = context["frame"]
        ways = (lambda: None, lambda: frame, lambda: {"held": [frame]}, frame.copy, lambda: frame[list(frame)])
        passed = ways[number % len(ways)]()
        if passed is not None:
            context["frame" if passed is frame else f"frame{number}"] = passed

    return body


PASSED = "a frame that is passed on"
PASSING = 10  # tasks
CASES = {
    "a context of {:,} keys through {} tasks, each sets one": Case(10_000, 100, _keys, _read_keys),
    "a list of {:,} dicts read by {} tasks": Case(100_000, 10, _list, _read_list),
    "a frame of {:,} rows through {} tasks, each adds a column of booleans": Case(8_000_000, 10, _frame, _extend_frame),
}

if __name__ == "__main__":
    answer(measure)

"""Four processes that run workflows on one history and one that reads it: how long does a run wait for history?

`waits.py write|read|disk DATABASE SECONDS` is one of them; `disk` writes lines to a file of its own meanwhile, with
nothing around it: what the same takes without us on this machine just then.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from siege import initial, look, open_runner, say, workflow

from cloaca_nb.errors import HistoryError

__all__ = ["share", "too_long"]

USUAL: Final = 0.020  # seconds that a run waits for history, at the 99th percentile
LONGEST: Final = 0.200
WRITERS: Final = 4
PATIENCE: Final = 60.0  # seconds for a process to end
LINE: Final = b"x" * 1000
PAUSE: Final = 0.01  # seconds between two bare writes
Answer = tuple[list[float], list[str], list[str]]  # how long something took each time, runs, errors


def write(database: str, seconds: float) -> Answer:
    """Run workflows for a while; return how long each waited for history, which they were, and what went wrong."""
    durations: list[float] = []
    finished: list[str] = []
    errors: list[str] = []
    with open_runner(database) as runner:
        recorder = runner.history().recorder()
        means = runner._engine._means  # noqa: SLF001 - what is measured is the engine's own wait

        def settle(run_id: str) -> None:
            begun = time.perf_counter()
            recorder.sync(run_id)
            durations.append(time.perf_counter() - begun)

        object.__setattr__(means, "settle", settle)
        flow = workflow()
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            result = runner.execute(flow, initial(len(finished)))
            finished.append(result.run_id)
            if result.history_error is not None:
                errors.append(repr(result.history_error))
    return durations, finished, errors


def read(database: str, seconds: float) -> Answer:
    """Ask the history for a while; return how long each answer took, and what went wrong."""
    durations: list[float] = []
    errors: list[str] = []
    before = 0
    with open_runner(database) as runner:
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            begun = time.perf_counter()
            try:
                count = int(runner.history().sql("SELECT count(*) AS count FROM runs")["count"][0])
            except HistoryError as error:
                errors.append(repr(error))
                continue
            durations.append(time.perf_counter() - begun)
            if count < before:
                errors.append(f"{before} runs were there, then {count}")
            before = count
    return durations, [], errors


def disk(database: str, seconds: float) -> Answer:
    """Write lines of 1 kB, each on the disk before the next; return how long each took."""
    durations: list[float] = []
    ends = time.monotonic() + seconds
    with Path(f"{database}.bare").open("wb", buffering=0) as file:
        while time.monotonic() < ends:
            begun = time.perf_counter()
            file.write(LINE)
            os.fdatasync(file.fileno())
            durations.append(time.perf_counter() - begun)
            time.sleep(PAUSE)
    return durations, [], []


PARTS: Final = {"write": write, "read": read, "disk": disk}


def share(database: str, seconds: float) -> tuple[list[str], list[float]]:
    """Have them all at it; return what was wrong, and how long runs waited."""
    parts = ["write"] * WRITERS + ["read", "disk"]
    commands = [[sys.executable, __file__, part, database, str(seconds)] for part in parts]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for command in commands]  # noqa: S603 - us
    answers = [process.communicate(timeout=seconds + PATIENCE)[0] for process in started]
    found: list[Answer] = [json.loads(answer.splitlines()[-1]) for answer in answers]
    wrong = [error for _, _, errors in found for error in errors]
    finished = [run_id for _, runs, _ in found for run_id in runs]
    waits = sorted(one for durations, _, _ in found[:WRITERS] for one in durations)
    answered, bare = (sorted(durations) for durations, _, _ in found[WRITERS:])
    say(f"{len(finished):8,}  runs by {WRITERS} processes; waits for history: {shown(waits)}")
    say(f"{len(answered):8,}  answers to one reader: {shown(answered)}")
    say(f"{len(bare):8,}  bare writes of 1 kB with fdatasync meanwhile: {shown(bare)}")
    return wrong + look(database, set(finished)), waits


def too_long(waits: list[float]) -> list[str]:
    """Return what is wrong with how long runs waited, in seconds."""
    if waits[int(len(waits) * 0.99)] <= USUAL and waits[-1] <= LONGEST:
        return []
    return [f"a run waits for history up to {USUAL * 1000:.0f} ms (p99), and never above {LONGEST * 1000:.0f} ms"]


def shown(durations: list[float]) -> str:
    """Return the figures of a sorted list of seconds."""
    points = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999}
    figures = [f"{name} {durations[int(len(durations) * point)] * 1000:.1f} ms" for name, point in points.items()]
    return ", ".join([*figures, f"longest {durations[-1] * 1000:.1f} ms"])


if __name__ == "__main__":
    say(json.dumps(PARTS[sys.argv[1]](sys.argv[2], float(sys.argv[3]))))

"""Histories under siege: processes that are killed at any moment, and many processes on one history.

`python soak/history.py [SECONDS] [KILLS] [SEED]` kills processes that run workflows, up to KILLS times (1,000) and for
no more than SECONDS (60), then has four processes run workflows and one read for SECONDS. It says what it saw, and
exits with 1 if a promise was broken: a run that was reported finished is whole, history always opens, a killed run is
Interrupted and comes to the right end when it is resumed; no error of a lock, no event lost or doubled, and what a
run waits for history is at most 20 ms (p99) and never more than 200 ms.
"""

import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import cloaca_nb as cloaca
from cloaca_nb.core.graph import Workflow
from cloaca_nb.errors import HistoryError
from cloaca_nb.runner import DefaultRunner

USUAL: Final = 0.020  # seconds that a run waits for history, at the 99th percentile
LONGEST: Final = 0.200
WRITERS: Final = 4
WIDTH: Final = 4
PATIENCE: Final = 60.0  # seconds for a process to end
EACH: Final = 1000  # more runs than one process comes to before it is killed
LIVING: Final = 0.2  # seconds: how long a process lives on average after its first word
AT_THE_START: Final = 0.2  # how many of them are killed before it, perhaps
PAUSE: Final = 0.01  # seconds by which each part takes longer than the one before
LOOKING: Final = 7  # runs after which a process looks at its history


def workflow() -> Workflow:
    """Return a workflow that prints, sets, deletes and joins, with one value that is an artifact."""
    with cloaca.WorkflowBuilder("siege") as builder:

        @cloaca.task(dependencies=[])
        def load(context: cloaca.Context) -> None:
            context["rows"] = list(range(context["count"]))
            context["much"] = bytes([context["count"] % 256]) * 10_000

        for number in range(WIDTH):
            part(number)

        @cloaca.task(dependencies=[f"part{number}" for number in range(WIDTH)])
        def join(context: cloaca.Context) -> None:
            context["total"] = sum(context["parts"])
            context.delete("rows")

    return builder.build()


def part(number: int) -> Any:
    """Return one of the tasks that run side by side."""

    @cloaca.task(id=f"part{number}", dependencies=["load"])
    def one(context: cloaca.Context) -> None:
        say(f"part {number}")
        time.sleep(number * PAUSE)
        context["parts"] = [number * 1_000_000 + sum(context["rows"])]

    return one


def expected(count: int) -> dict[str, Any]:
    """Return the final context of a run."""
    parts = [number * 1_000_000 + sum(range(count)) for number in range(WIDTH)]
    return {"count": count, "much": bytes([count % 256]) * 10_000, "parts": parts, "total": sum(parts)}


# -- processes that are killed


def work(database: str, first: int) -> None:
    """Run workflows until somebody ends this process; say each that is reported finished."""
    durability = "task" if first // EACH % 2 else "run"
    with DefaultRunner(database, echo_output=quiet, durability=durability) as runner:
        flow = workflow()
        say("ready")
        for count in range(first, first + EACH):
            say(runner.execute(flow, {"count": count}).run_id)
            if count % LOOKING == LOOKING - 1:
                runner.history().runs()  # which merges what is in the journals: a moment to be killed in as well


def quiet(_event: object) -> None:
    """Hear what happens, and say nothing."""


def kill_many(database: str, seconds: float, kills: int, dice: random.Random) -> list[str]:
    """Kill processes at random moments; return what was wrong."""
    wrong: list[str] = []
    finished: set[str] = set()
    interrupted = resumed = 0
    ends = time.monotonic() + seconds
    killed = 0
    while killed < kills and time.monotonic() < ends:
        finished |= set(killed_process(database, killed * EACH, dice))
        killed += 1
        if killed % 10 == 0 or killed == kills:
            found = look(database, finished)
            wrong += found
            if found:
                break
    with DefaultRunner(database, echo_output=quiet) as runner:
        wrong += look(database, finished)
        open_runs = runner.history().sql("SELECT run_id FROM runs WHERE status = 'Interrupted' ORDER BY started")
        flow = workflow()
        for run_id in open_runs["run_id"]:
            interrupted += 1
            count = runner.history().initial(run_id)["count"]
            result = runner.resume(run_id, workflow=flow)
            resumed += int((result.tasks["attempts"] == 0).sum())
            if dict(result.final_context) != expected(count):
                wrong.append(f"run {run_id} was resumed to {dict(result.final_context)}"[:300])
    say(f"{killed:8,}  processes killed, {len(finished):,} runs reported finished, {interrupted:,} interrupted")
    say(f"{resumed:8,}  tasks of those taken from history, each resumed to its end")
    return wrong


def killed_process(database: str, first: int, dice: random.Random) -> list[str]:
    """Start a process, kill it, and return the runs that it has reported."""
    command = [sys.executable, __file__, "work", database, str(first)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:  # noqa: S603 - this program
        assert process.stdout is not None  # noqa: S101 - it was asked for
        if dice.random() < AT_THE_START:
            time.sleep(dice.random())
        else:
            process.stdout.readline()
            time.sleep(dice.expovariate(1 / LIVING))
        process.kill()
        lines = process.stdout.read().splitlines(keepends=True)
    return [line.strip() for line in lines if line.endswith("\n") and line != "ready\n"]


def look(database: str, finished: set[str]) -> list[str]:
    """Open the history, and return what is wrong with it."""
    try:
        with DefaultRunner(database, echo_output=quiet) as runner:
            found = runner.history().sql(COUNTED)
    except HistoryError as error:
        return [f"the history doesn't open: {error}"]
    return [*incomplete(found, finished), *strange(found)]


COUNTED: Final = """
    SELECT run_id, status, tasks AS expected, completed,
           (SELECT count(*) FROM tasks WHERE tasks.run_id = runs.run_id) AS tasks,
           (SELECT count(DISTINCT task_id) FROM tasks WHERE tasks.run_id = runs.run_id) AS different,
           (SELECT count(*) FROM attempts WHERE attempts.run_id = runs.run_id) AS attempts,
           (SELECT count(*) FROM logs WHERE logs.run_id = runs.run_id) AS logs,
           (SELECT count(*) FROM artifacts WHERE artifacts.run_id = runs.run_id AND role = 'final') AS final
    FROM runs WHERE resumed_from IS NULL
"""
FINAL: Final = 4  # keys of the final context


def incomplete(found: Any, finished: set[str]) -> list[str]:
    """Return what is missing of runs that were reported finished, or there twice."""
    there = found[found["run_id"].isin(finished)]
    wrong = [f"run {run_id} was finished and is lost" for run_id in finished - set(there["run_id"])]
    if not found["run_id"].is_unique:
        wrong.append("a run is there twice")
    tasks = WIDTH + 2
    whole = {"completed": tasks, "tasks": tasks, "different": tasks, "attempts": tasks, "logs": WIDTH, "final": FINAL}
    for column, value in whole.items():
        odd = there[there[column] != value]
        wrong += [f"run {row.run_id} was finished with {column} {getattr(row, column)}" for row in odd.itertuples()]
    return wrong


def strange(found: Any) -> list[str]:
    """Return which runs of dead processes are neither over nor Interrupted, or have a task twice."""
    odd = found[~found["status"].isin(["Completed", "Interrupted"])]
    twice = found[found["tasks"] != found["different"]]
    wrong = [f"run {row.run_id} is {row.status}" for row in odd.itertuples()]
    return wrong + [f"run {row.run_id} has a task twice" for row in twice.itertuples()]


# -- many processes on one history


Answer = tuple[list[float], list[str], list[str]]  # how long something took each time, runs, errors


def write(database: str, seconds: float) -> Answer:
    """Run workflows for a while; return how long each waited for history, which they were, and what went wrong."""
    durations: list[float] = []
    finished: list[str] = []
    errors: list[str] = []
    with DefaultRunner(database, echo_output=quiet) as runner:
        recorder = runner.history().recorder()
        means = runner._engine._means  # noqa: SLF001 - what is measured is the engine's own wait

        def settle() -> None:
            begun = time.perf_counter()
            recorder.sync()
            durations.append(time.perf_counter() - begun)

        object.__setattr__(means, "settle", settle)
        flow = workflow()
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            result = runner.execute(flow, {"count": len(finished)})
            finished.append(result.run_id)
            if result.history_error is not None:
                errors.append(repr(result.history_error))
    return durations, finished, errors


def read(database: str, seconds: float) -> Answer:
    """Ask the history for a while; return how long each answer took, and what went wrong."""
    durations: list[float] = []
    errors: list[str] = []
    before = 0
    with DefaultRunner(database, echo_output=quiet) as runner:
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


def share(database: str, seconds: float) -> tuple[list[str], list[float]]:
    """Have several processes run workflows and one read; return what was wrong, and how long runs waited."""
    commands = [[sys.executable, __file__, what, database, str(seconds)] for what in ["write"] * WRITERS + ["read"]]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for command in commands]  # noqa: S603 - us
    answers = [process.communicate(timeout=seconds + PATIENCE)[0] for process in started]
    found: list[Answer] = [json.loads(answer.splitlines()[-1]) for answer in answers]
    wrong = [error for _, _, errors in found for error in errors]
    finished = [run_id for _, runs, _ in found for run_id in runs]
    waits = sorted(one for durations, runs, _ in found if runs for one in durations)
    answered = sorted(one for durations, runs, _ in found if not runs for one in durations)
    say(f"{len(finished):8,}  runs by {WRITERS} processes; waits for history: {shown(waits)}")
    say(f"{len(answered):8,}  answers to one reader: {shown(answered)}")
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


def say(text: str) -> None:
    """Tell who listens, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main(seconds: float, kills: int, seed: int) -> int:
    """Do both, and return the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        wrong = kill_many(str(Path(folder) / "killed.duckdb"), seconds, kills, random.Random(seed))  # noqa: S311 - no secret
        found, waits = share(str(Path(folder) / "shared.duckdb"), seconds)
    wrong += [*found, *too_long(waits)]
    for one in wrong[:20]:
        say(f"WRONG: {one}")
    say(f"seed {seed}: {'all as promised' if not wrong else f'{len(wrong)} promises broken'}")
    return int(bool(wrong))


if __name__ == "__main__":
    if sys.argv[1:2] == ["work"]:
        work(sys.argv[2], int(sys.argv[3]))
    elif sys.argv[1:2] in (["write"], ["read"]):
        say(json.dumps((write if sys.argv[1] == "write" else read)(sys.argv[2], float(sys.argv[3]))))
    else:
        given = [*sys.argv[1:], *["60", "1000", str(random.SystemRandom().randrange(2**32))][len(sys.argv) - 1 :]]
        sys.exit(main(float(given[0]), int(given[1]), int(given[2])))

"""Processes that run workflows, several at a time on one history, and are killed at any moment.

`kills.py DATABASE SECONDS FIRST KILLS SEED` kills that many, and prints what they have reported until then. It has
loaded everything and opens nothing, so that a victim is a fork that goes to work at once.
"""

import json
import math
import os
import random
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import duckdb  # noqa: F401 - loaded once, for all victims
import orjson  # noqa: F401 - see above
import pandas  # noqa: F401, ICN001 - see above
import pyarrow  # noqa: F401, ICN001 - see above
from siege import expected, initial, look, open_runner, say, workflow

from cloaca_nb.core.graph import Workflow
from cloaca_nb.engine.result import WorkflowResult
from cloaca_nb.errors import HistoryError
from cloaca_nb.runner import DefaultRunner

__all__ = ["kill_many"]

AT_ONCE: Final = 4
ROUND: Final = 50  # kills after which the history is looked at
LIVING: Final = 0.4  # seconds: how long a process lives on average after its first word
AT_THE_START: Final = 0.2  # how many of them live as long from their start, so that some die while they open history
EACH: Final = 1000  # more runs than one process comes to before it is killed
LOOKING: Final = 3  # runs after which a process looks at its history, which merges: a moment to be killed in as well
READY: Final = "ready"
BROKEN: Final = "broken: "


def kill_many(database: str, seconds: float, kills: int, dice: random.Random) -> list[str]:
    """Kill processes at random moments, look at the history, resume what was interrupted; return what was wrong."""
    wrong: list[str] = []
    finished: set[str] = set()
    killed, begun = 0, time.monotonic()
    while not wrong and killed < kills and time.monotonic() - begun < seconds:
        left = seconds - (time.monotonic() - begun)
        asked = (database, left, killed, min(ROUND, kills - killed), dice.randrange(2**32))
        command = [sys.executable, __file__, *map(str, asked)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603 - this program
        count, said = json.loads(done.stdout)
        killed += count
        finished |= {word for word in said if not word.startswith(BROKEN)}
        wrong += [word for word in said if word.startswith(BROKEN)]
        wrong += look(database, finished)
    if killed < kills and not wrong:
        wrong.append(f"only {killed:,} of {kills:,} processes were killed in {seconds:.0f} s")
    say(f"{killed:8,}  processes killed in {time.monotonic() - begun:.0f} s; {len(finished):,} runs reported finished")
    return wrong + resume_all(database)


def resume_all(database: str) -> list[str]:
    """Resume every run that was interrupted; return which come to another end than they should."""
    wrong: list[str] = []
    taken = 0
    with open_runner(database) as runner:
        history = runner.history()
        found = history.sql("SELECT run_id FROM runs WHERE status = 'Interrupted' ORDER BY started")["run_id"]
        flow = workflow()
        for run_id in found:
            count = history.initial(run_id, named=["large"])["count"]
            result = resume(runner, run_id, flow, count)
            taken += int((result.tasks["attempts"] == 0).sum())
            if dict(result.final_context) != expected(count):
                wrong.append(f"run {run_id} was resumed to {dict(result.final_context)}"[:300])
    say(f"{len(found):8,}  runs interrupted and resumed to their end; {taken:,} of their tasks taken from history")
    return wrong


def resume(runner: DefaultRunner, run_id: str, flow: Workflow, count: int) -> WorkflowResult:
    """Resume a run, as a user would: who is told that the large value wasn't written yet gives it again."""
    try:
        return runner.resume(run_id, workflow=flow)
    except HistoryError as error:
        if "began with 'large', which can't be given back" not in str(error):
            raise
        return runner.resume(run_id, workflow=flow, context=initial(count))


@dataclass(slots=True)
class Victim:
    """A process that is about to be killed."""

    process: int
    words: int  # where what it says can be read
    lives: float  # seconds
    dies: float = math.inf  # when, by the monotonic clock; not known before its first word

    def doom(self) -> None:
        """Let its time begin."""
        self.dies = time.monotonic() + self.lives

    def kill(self) -> list[str]:
        """Kill it, and return what it has said, in whole words."""
        os.kill(self.process, signal.SIGKILL)
        os.waitpid(self.process, 0)
        with os.fdopen(self.words) as words:
            return [line.strip() for line in words if line.endswith("\n") and line.strip() != READY]


def siege(database: str, seconds: float, first: int, kills: int, dice: random.Random) -> tuple[int, list[str]]:
    """Kill so many processes; return how many it were, and what they said."""
    victims: list[Victim] = []
    said: list[str] = []
    begun = killed = 0
    ends = time.monotonic() + seconds
    while victims or (begun < kills and time.monotonic() < ends):
        while len(victims) < AT_ONCE and begun < kills and time.monotonic() < ends:
            victims.append(forked(database, (first + begun) * EACH, dice))
            begun += 1
        wait_for_one(victims)
        for victim in [one for one in victims if one.dies <= time.monotonic()]:
            said += victim.kill()
            victims.remove(victim)
            killed += 1
    return killed, said


def wait_for_one(victims: list[Victim]) -> None:
    """Return when the time of one has come, or begins now."""
    silent = {one.words: one for one in victims if one.dies == math.inf}
    left = min(one.dies for one in victims) - time.monotonic()
    for words in select.select([*silent], [], [], None if left == math.inf else max(left, 0))[0]:
        silent[words].doom()


def forked(database: str, first: int, dice: random.Random) -> Victim:
    """Start a process that works until it is killed."""
    words, speech = os.pipe()
    process = os.fork()
    if process == 0:
        os.close(words)
        try:
            work(database, first, lambda word: os.write(speech, f"{word}\n".encode()))
        finally:
            os._exit(1)
    os.close(speech)
    victim = Victim(process, words, dice.expovariate(1 / LIVING))
    if dice.random() < AT_THE_START:
        victim.doom()
    return victim


def work(database: str, first: int, tell: Callable[[str], object]) -> None:
    """Run workflows for ever; tell of each that is reported finished, and of what must not happen."""
    try:
        with open_runner(database, durability="task" if first // EACH % 2 else "run") as runner:
            flow = workflow()
            tell(READY)
            for count in range(first, first + EACH):
                result = runner.execute(flow, initial(count))
                if result.history_error is not None:
                    tell(f"{BROKEN}{result.history_error!r}")
                tell(result.run_id)
                if count % LOOKING == LOOKING - 1:
                    runner.history().runs()
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is what this program looks for
        tell(f"{BROKEN}{error!r}")


if __name__ == "__main__":
    where, left, start, number, seed = sys.argv[1:]
    say(json.dumps(siege(where, float(left), int(start), int(number), random.Random(int(seed)))))  # noqa: S311 - no secret

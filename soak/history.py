"""Histories under siege: processes that are killed at any moment, and many processes on one history.

It kills processes that run workflows, then has four run workflows and one read for a while. It says what it saw, and
exits with 1 if a promise was broken: a run that was reported finished is whole, history always opens, a killed run is
Interrupted and comes to the right end when it is resumed; no error of a lock, no event lost or doubled, and what a run
waits for history is at most 20 ms (p99) and never more than 200 ms. What a bare write to the disk took meanwhile is
said beside it: on a machine that is busy with other things, that is what the waits are to be judged by.
"""

import argparse
import random
import sys
import tempfile
from pathlib import Path
from typing import Final

from kills import kill_many
from siege import say
from waits import share, too_long

PATIENCE: Final = 1800.0  # seconds for all kills


def main(seconds: float, kills: int, seed: int) -> int:
    """Do both, and return the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        wrong = kill_many(str(Path(folder) / "killed.duckdb"), PATIENCE, kills, random.Random(seed))  # noqa: S311 - no secret
        found, waits = share(str(Path(folder) / "shared.duckdb"), seconds)
    wrong += [*found, *too_long(waits)]
    for one in wrong[:20]:
        say(f"WRONG: {one}")
    say(f"seed {seed}: {'all as promised' if not wrong else f'{len(wrong)} promises broken'}")
    return int(bool(wrong))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("seconds", nargs="?", type=float, default=60.0, help="how long they share one history")
    parser.add_argument("kills", nargs="?", type=int, default=1000, help="how many processes are killed before")
    parser.add_argument("seed", nargs="?", type=int, default=random.SystemRandom().randrange(2**32))
    options = parser.parse_args()
    sys.exit(main(options.seconds, options.kills, options.seed))

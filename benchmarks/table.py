"""`make bench`: every speed that is promised, measured beside others in one run; each section in fresh processes."""

import argparse
import time

import background
import copies
import durability
import growth
import history
import latency
import live_panel
import memory
import overhead
import packing
import resume
from figure import Figure, table
from rich.console import Console

MODULES = (overhead, latency, durability, history, resume, background, growth, memory, copies, packing, live_panel)
SECTIONS = {module.__name__: module for module in MODULES}


def main() -> None:
    """Print a table for each section, and how many targets are met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=SECTIONS, action="append", help="this section alone; may be given again")
    parser.add_argument("--rounds", type=int, default=7, help="how often each is timed; figures are medians")
    parser.add_argument("--quick", action="store_true", help="smaller sizes and fewer rounds: a look, no verdict")
    options = parser.parse_args()
    rounds = min(options.rounds, 3) if options.quick else options.rounds
    console, every = Console(), list[Figure]()
    for name in options.only or SECTIONS:
        began = time.perf_counter()
        section = SECTIONS[name]
        found = section.figures(rounds, quick=options.quick)
        console.print(table(f"{section.TITLE}  [dim]({name}, {time.perf_counter() - began:.0f} s)[/]", found))
        every += found
    verdicts = [figure.is_met for figure in every if figure.is_met is not None]
    console.print(f"{sum(verdicts)} of {len(verdicts)} targets are met.")


if __name__ == "__main__":
    main()

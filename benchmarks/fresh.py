"""A measurement in a process of its own, so that no section's memory, threads or imports disturb another's figures."""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

__all__ = ["answer", "ask"]

Answer = dict[str, float]


def ask(script: str, **question: Any) -> Answer:
    """Run `script --child` in a fresh process and return what its `answer` measured.

    Raises:
        CalledProcessError: if it fails; what it said about that is on stderr.
    """
    command = [sys.executable, script, "--child", json.dumps(question)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own script
    found: Answer = json.loads(done.stdout)
    return found


def answer(measure: Callable[..., Answer]) -> None:
    """Be that process: measure what `--child` asks for, and print it."""
    parser = argparse.ArgumentParser(description="One measurement of `make bench`, in a process of its own.")
    parser.add_argument("--child", required=True, type=json.loads, help="what to measure, as JSON")
    json.dump(measure(**parser.parse_args().child), sys.stdout)

"""Executes the packages of the corpus, each in a process of its own; `shells.py` does so with notebooks.

`python batch.py imported FOLDER ANSWER`: the cases come as JSON on stdin, what they came to goes to ANSWER. The
processes are forks of this one, which has loaded what every package loads itself, and nothing else: an import that a
package has lost is missed.
"""

import importlib
import json
import os
import re
import signal
import sys
import warnings
from pathlib import Path

from cloaca_nb import DefaultRunner, WorkflowBuilder, workflows  # noqa: F401 - what every package loads, once for all

PATIENCE_S = 120  # for one case: then its process dies


def outcome(workflow, result):
    """Return a DAG and what a run of it came to, as text without addresses."""
    lines = [f"{one.id} <- {', '.join(workflow.dependencies[one.id])}".rstrip() for one in workflow.tasks]
    lines += ["", str(result.status), *([result.error_message] if result.error_message else [])]
    lines += [f"{key} = {value!r}" for key, value in sorted(result.final_context.items())]
    return re.sub(r" at 0x[0-9a-f]+", " at 0x…", "\n".join(lines)) + "\n"


def imported(folder, job):
    """Import a package as a program would that has it installed, and run its workflow."""
    case, _, package_name, _ = job
    if not (folder / case / "package").exists():
        return None
    os.chdir(folder / case)
    sys.path.insert(0, str(folder / case / "package"))
    warnings.simplefilter("ignore")  # cells that set settings of libraries
    importlib.import_module(package_name)
    (workflow,) = workflows().values()
    with DefaultRunner(":memory:") as runner:
        return {"outcome": outcome(workflow, runner.execute(workflow))}


def attempt(execute, folder, job, answer):
    """Write what a case comes to; a fork ends without the ends of the libraries, which wait for threads it hasn't."""
    signal.alarm(PATIENCE_S)
    try:
        found = execute(folder, job)
    except BaseException as error:  # noqa: BLE001 - whatever it is, the test of that case says it
        found = {"broken": f"{type(error).__name__}: {error}"}
    answer.write_text(json.dumps(found), "utf-8")
    os._exit(0)


def main(kinds):
    """Execute every case in the way of which the first argument is the name."""
    execute, folder, answer = kinds[sys.argv[1]], Path(sys.argv[2]), Path(sys.argv[3])
    found = {}
    for job in json.load(sys.stdin):
        part = answer.with_suffix(f".{job[0]}")
        if (child := os.fork()) == 0:
            attempt(execute, folder, job, part)
        os.waitpid(child, 0)
        found[job[0]] = json.loads(part.read_text("utf-8")) if part.exists() else {"broken": "its process died"}
    answer.write_text(json.dumps(found), "utf-8")


if __name__ == "__main__":
    main({"imported": imported})

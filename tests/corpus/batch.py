"""Executes the corpus live, or its packages, or the notebooks made of those again, each in a process of its own.

`python batch.py live|imported|back FOLDER ANSWER`: the cases come as JSON on stdin, what they came to goes to ANSWER.
The processes are forks of this one, which has loaded the libraries already.
"""

import importlib
import json
import os
import re
import signal
import sys
import warnings
from pathlib import Path

import duckdb  # noqa: F401 - loaded once for all
import nbformat
import pandas as pd  # noqa: F401 - likewise
from IPython.terminal.interactiveshell import TerminalInteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config

import cloaca_nb
from cloaca_nb.errors import CloacaError
from cloaca_nb.notebook.extension import load
from cloaca_nb.packaging.export.export import export
from cloaca_nb.packaging.export.write import write_package

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
    (workflow,) = cloaca_nb.workflows().values()
    with cloaca_nb.DefaultRunner(":memory:") as runner:
        return {"outcome": outcome(workflow, runner.execute(workflow))}


def back(folder, job):
    """Import a package as a notebook, execute that one's cells in an IPython shell, and run its workflow."""
    case, notebook_name, _, wanted = job
    path = folder / case / "back" / f"{notebook_name}.ipynb"
    if not path.exists():
        return None
    shell, session = shell_for(path)
    with capture_output():
        # The last cell runs the workflow: here that is done without a panel.
        failed = list(filter(None, (run_cell(shell, cell) for cell in nbformat.read(path, 4).cells[:-1])))
        workflow = session.workflow(wanted)
        result = session.run(workflow.name, panel=False)
    return {"failed": failed, "outcome": outcome(workflow, result)}


def shell_for(path):
    """Return an IPython shell for a notebook, and the session in it."""
    os.environ["JPY_SESSION_NAME"] = str(path)
    os.chdir(path.parent)
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    config.TerminalInteractiveShell.simple_prompt = True
    shell = TerminalInteractiveShell.instance(config=config)
    return shell, load(shell)


def live(folder, job):
    """Execute the cells in an IPython shell, run the workflow, show its tasks and export it."""
    case, notebook_name, package_name, wanted = job
    path = folder / case / f"{notebook_name}.ipynb"
    shell, session = shell_for(path)
    with capture_output():
        failed = list(filter(None, (run_cell(shell, cell) for cell in nbformat.read(path, 4).cells)))
        try:
            workflow = session.workflow(wanted)
            shown = {one.id: session.definitions.task_text(one.id, workflow.name) for one in workflow.tasks}
            package = export(session.executed.beside(path)[0], workflow, name=package_name)
        except CloacaError as error:
            return {"failed": failed, "error": str(error), "kind": type(error).__name__}
        write_package(package, folder / case / "live")
        result = session.run(workflow.name, panel=False)
    return {"failed": failed, "outcome": outcome(workflow, result), "shown": shown}


def run_cell(shell, cell):
    """Execute a cell; return its number and error if there is one."""
    if cell.cell_type != "code":
        return None
    result = shell.run_cell(cell.source, store_history=True, cell_id=cell.id)
    error = result.error_before_exec or result.error_in_exec
    return f"cell {cell.id}: {type(error).__name__}: {error}" if error else None


def attempt(kind, folder, job, answer):
    """Write what a case comes to; a fork ends without the ends of the libraries, which wait for threads it hasn't."""
    signal.alarm(PATIENCE_S)
    try:
        found = {"live": live, "imported": imported, "back": back}[kind](folder, job)
    except BaseException as error:  # noqa: BLE001 - whatever it is, the test of that case says it
        found = {"broken": f"{type(error).__name__}: {error}"}
    answer.write_text(json.dumps(found), "utf-8")
    os._exit(0)


def main():
    kind, folder, answer = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    os.environ |= {"PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}  # `!pip install` in a cell asks nobody
    jobs = json.load(sys.stdin)
    nbformat.read(folder / jobs[0][0] / f"{jobs[0][1]}.ipynb", 4)  # it makes its validators once for all
    found = {}
    for job in jobs:
        part = answer.with_suffix(f".{job[0]}")
        if (child := os.fork()) == 0:
            attempt(kind, folder, job, part)
        os.waitpid(child, 0)
        found[job[0]] = json.loads(part.read_text("utf-8")) if part.exists() else {"broken": "its process died"}
    answer.write_text(json.dumps(found), "utf-8")


if __name__ == "__main__":
    main()

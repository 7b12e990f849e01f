"""Executes notebooks in an IPython shell, each in a process of its own: the corpus, and what its packages become again.

`python shells.py live|back FOLDER ANSWER`, as `batch.py` is called.
"""

import os

import duckdb  # noqa: F401 - loaded once for all
import nbformat
import pandas as pd  # noqa: F401 - likewise
from batch import main, outcome
from IPython.terminal.interactiveshell import TerminalInteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config

from cloaca_nb.errors import CloacaError
from cloaca_nb.notebook.extension import load
from cloaca_nb.packaging.export.export import export
from cloaca_nb.packaging.export.write import write_package


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


if __name__ == "__main__":
    os.environ |= {"PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}  # `!pip install` in a cell asks nobody
    nbformat.validate(nbformat.v4.new_notebook())  # it makes its validators once for all
    main({"live": live, "back": back})

"""One notebook executed live, or one package imported and run, in this process, which has no network.

`python soak/live.py NOTEBOOK` or `python soak/live.py FOLDER MODULE` prints one JSON object: what `Outcome` says.
"""

import importlib
import json
import os
import re
import socket
import sys
import warnings
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

import nbformat
from IPython.terminal.interactiveshell import TerminalInteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config

import cloaca_nb
from cloaca_nb.core.graph import Workflow
from cloaca_nb.errors import CloacaError
from cloaca_nb.notebook.extension import load
from cloaca_nb.packaging.analysis.distributions import Installed
from cloaca_nb.packaging.export.export import export

__all__ = ["ANYTHING", "PACKAGE", "Outcome"]

PACKAGE: Final = "soaked_package"


class Everything(dict[str, list[str]]):
    """An environment in which each module comes from the distribution of its name."""

    def get(self, module: str, _default: object = None) -> list[str]:
        """Return the distribution."""
        return [module]


ANYTHING: Final = Installed(provides=Everything, version=lambda _name: "1", files=lambda _name: [])


@dataclass(frozen=True)
class Outcome:
    """What executing it came to.

    Attributes:
        failed: which cell fails, and how; empty if none does.
        refused: what the live export says; empty if it makes a package.
        files: of the package that a live export makes.
        dag: a line for each task, with what it follows.
        end: the run's status and error, and the final context, value by value.
    """

    failed: str = ""
    refused: str = ""
    files: dict[str, str] | None = None
    dag: tuple[str, ...] = ()
    end: tuple[str, ...] = ()


def of_notebook(path: Path) -> Outcome:
    """Execute a notebook's cells in an IPython shell, export its workflow, and run it."""
    os.environ["JPY_SESSION_NAME"] = str(path)
    config = Config()
    config.HistoryManager.enabled = False
    config.TerminalInteractiveShell.simple_prompt = True
    shell = TerminalInteractiveShell.instance(config=config)
    session = load(shell)
    run_cell: Any = shell.run_cell  # IPython has no annotations
    for cell in nbformat.read(path, 4).cells:
        result = run_cell(cell.source, store_history=True, cell_id=cell.id)
        if (error := result.error_before_exec or result.error_in_exec) is not None:
            return Outcome(f"cell {cell.id}: {_line(error)}")
    try:
        workflow = session.workflow()
        package = export(session.executed.beside(path)[0], workflow, name=PACKAGE, installed=ANYTHING)
    except CloacaError as error:
        return Outcome(refused=_line(error))
    return Outcome("", "", dict(package.files), *_run(workflow, session.run(workflow.name, panel=False)))


def of_package(folder: Path, module: str) -> Outcome:
    """Import a package and run its workflow."""
    sys.path.insert(0, str(folder))
    importlib.import_module(module)
    (workflow,) = cloaca_nb.workflows().values()
    with cloaca_nb.DefaultRunner(":memory:") as runner:
        return Outcome("", "", None, *_run(workflow, runner.execute(workflow)))


def _run(workflow: Workflow, result: cloaca_nb.WorkflowResult) -> tuple[tuple[str, ...], tuple[str, ...]]:
    dag = tuple(f"{one.id} <- {', '.join(workflow.dependencies[one.id])}".rstrip() for one in workflow.tasks)
    return dag, tuple(_end(result))


def _end(result: cloaca_nb.WorkflowResult) -> Iterator[str]:
    """Yield what a run ended with; of an error its kind, since where it stands is told by cell and by file."""
    yield str(result.status)
    yield from ([type(result.error).__name__] if result.error is not None else [])
    for key, value in sorted(result.final_context.items()):
        yield re.sub(r"\b0x[0-9a-f]+", "0x…", f"{key} = {value!r}")


def _line(error: BaseException) -> str:
    return re.sub(r"\s+", " ", f"{type(error).__name__}: {error}")[:160]


def _no_network(event: str, arguments: tuple[Any, ...]) -> None:
    """Stand in the way of connections to elsewhere."""
    if event == "socket.getaddrinfo" or (event == "socket.connect" and arguments[0].family != socket.AF_UNIX):
        raise OSError("there is no network here")


def main(path: str, module: str = "") -> NoReturn:
    """Write what becomes of a notebook or a package; leave at once, whatever threads there are."""
    answer = os.fdopen(os.dup(1), "w")
    sys.addaudithook(_no_network)
    warnings.simplefilter("ignore")
    with capture_output():
        found = of_package(Path(path), module) if module else of_notebook(Path(path))
    answer.write(json.dumps(asdict(found)))
    answer.close()
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])

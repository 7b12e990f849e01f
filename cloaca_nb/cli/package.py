"""The command line of an exported package: `python -m PACKAGE`."""

import sys
from collections.abc import Sequence
from typing import NoReturn

import typer

from cloaca_nb.cli.options import STYLE, Durable, HistoryUrl, Params, Variables
from cloaca_nb.cli.outcome import readable_errors
from cloaca_nb.cli.run import given, run_workflow
from cloaca_nb.cli.settings import describe
from cloaca_nb.declare.registry import REGISTRY
from cloaca_nb.runner import DURABILITIES

__all__ = ["package_main"]


def package_main(workflow_name: str, argv: Sequence[str] | None = None) -> NoReturn:
    """Run one workflow from the command line: what the `__main__.py` of an exported package calls.

    Leaves the process with 0 (Completed), 1 (Failed), 2 (wrong usage) or 130 (Cancelled).

    Args:
        workflow_name: of a workflow that is registered in this process.
        argv: the arguments, without the program's name; None: those of the process.
    """
    with readable_errors():
        workflow = REGISTRY.workflow(workflow_name)
    package = typer.Typer(**STYLE)

    @package.command(help=describe(workflow))
    def run(
        param: Params = None,
        var: Variables = None,
        history: HistoryUrl = None,
        durability: Durable = DURABILITIES[0],
    ) -> None:
        with readable_errors(), given(var):
            run_workflow(workflow, param, history, durability=durability)

    sys.exit(package(args=None if argv is None else list(argv)))

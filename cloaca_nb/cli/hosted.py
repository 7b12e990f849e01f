"""Inside the process of an archive that is run: what it goes on with once the archive is accepted."""

import sys

import typer

from cloaca_nb.cli.outcome import WRONG_USAGE, readable_errors
from cloaca_nb.cli.run import run_workflow
from cloaca_nb.packaging.loading.guest import enter
from cloaca_nb.packaging.loading.load import choose, workflows_of
from cloaca_nb.reuse import Reuse

__all__ = ["go_on"]


def go_on() -> None:
    """Import the package, wait until it is accepted, run its workflow, and leave with the run's exit code."""
    asked = enter()
    with readable_errors():
        found = workflows_of(asked.entry_module, anywhere=True)
        workflow = choose(found, asked.more["workflow"], asked.more["where"])
        try:
            taken = Reuse(**asked.more["taken"])
            how = {name: asked.more[name] for name in ("durability", "verbose")}
            run_workflow(workflow, asked.more["param"], asked.more["history"], taken, asked.more["again"], **how)
        except typer.BadParameter as error:
            typer.echo(f"Error: Invalid value for {error.param_hint}: {error.message}", err=True)
            sys.exit(WRONG_USAGE)

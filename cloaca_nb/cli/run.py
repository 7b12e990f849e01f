"""`cloaca-nb run`: a workflow is executed before the user's eyes."""

import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Annotated, Final, NoReturn

import typer
from rich.text import Text

from cloaca_nb.cli.archive import SUFFIX, run_archive
from cloaca_nb.cli.going_on import advice, command
from cloaca_nb.cli.options import (
    Durable,
    HistoryUrl,
    Params,
    Variables,
    Verbose,
    WorkflowName,
    check_exists,
)
from cloaca_nb.cli.outcome import EXIT_CODES, FAILED, readable_errors
from cloaca_nb.cli.reuse import Cached, From, Only, Resume, reuse
from cloaca_nb.cli.settings import settings
from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.status import Status
from cloaca_nb.declare.place import file_label
from cloaca_nb.declare.variables import variables
from cloaca_nb.engine.failure import describe_failure
from cloaca_nb.engine.run import Run
from cloaca_nb.errors import CloacaError, DefinitionError
from cloaca_nb.packaging.loading.load import load
from cloaca_nb.reuse import Reuse
from cloaca_nb.runner import DURABILITIES, DefaultRunner
from cloaca_nb.terminal.marks import console_on
from cloaca_nb.terminal.progress import progress_on
from cloaca_nb.terminal.summary import say_summary
from cloaca_nb.terminal.task_line import run_name

__all__ = ["execute", "given", "run_path", "run_workflow"]

TICK: Final = 0.2  # seconds between looks at a pending interrupt


def run_path(  # noqa: PLR0913, PLR0917 - one for each option
    path: Annotated[
        Path,
        typer.Argument(
            metavar="PATH",
            help="A notebook (.ipynb), an exported package's folder, an archive (.cloacina), or a script (.py).",
        ),
    ],
    param: Params = None,
    var: Variables = None,
    workflow: WorkflowName = None,
    history: HistoryUrl = None,
    resume: Resume = None,
    cached: Cached = False,  # noqa: FBT002 - an option, which has a name
    from_tasks: From = None,
    only: Only = None,
    durability: Durable = DURABILITIES[0],
    verbose: Verbose = False,  # noqa: FBT002 - see above
) -> None:
    """Run the workflow of a notebook, a package, an archive or a script.

    Of a notebook only its tasks are run, with the imports, helpers and constants that they need. An archive is
    checked, and runs in a process of its own; nothing of it is left on disk.

    Progress goes to stderr; stdout is what the tasks print. Exit code: 0 Completed, 1 Failed, 130 Cancelled.
    """
    with readable_errors():
        check_exists(path, "PATH")
        taken = reuse(resume, cached, from_tasks, only)
        again = command(path, workflow, history, var or ())
        with given(var):
            if path.suffix == SUFFIX:
                run_archive(path, workflow, param, history, taken, again, durability=durability, verbose=verbose)
            run_workflow(_load(path, workflow), param, history, taken, again, durability=durability, verbose=verbose)


def run_workflow(
    workflow: Workflow,
    param: Sequence[str] | None,
    history: str | None,
    taken: Reuse = Reuse(),  # noqa: B008 - frozen
    again: Sequence[str] = (),
    *,
    durability: str = DURABILITIES[0],
    verbose: bool = False,
) -> NoReturn:
    """Execute a workflow before the user's eyes, and leave with the exit code of its status.

    `again` is the command that runs it again; of a run that failed it says how to go on, where there is one.
    """
    initial = settings(param or (), workflow.parameters, workflow.secret)
    console = console_on(sys.stderr)
    with DefaultRunner(history, durability=durability) as runner:
        with progress_on(console, verbose=verbose) as progress:
            run = execute(partial(taken.start, runner, workflow, initial, (progress.observe,)))
        say_summary(console, run.record, run.history_error)
        location = runner.history().location
        kept = "kept in memory only" if location.path is None else f"in {file_label(str(location.path))}"
        console.print(Text(f"  {run_name(run.run_id)} {kept}", style="dim"))
        if run.status is Status.FAILED and again and location.path is not None and run.history_error is None:
            console.print(Text(f"  {advice(again, initial, workflow.secret)}"))
        if to_prune := runner.history().advice():
            console.print(Text(f"! {to_prune}", style="yellow"))
    raise SystemExit(EXIT_CODES[run.record.status])


@contextmanager
def given(var: Sequence[str] | None) -> Iterator[None]:
    """Have `var` find what `--var` says, for the block."""
    try:
        block = variables(var or ())
    except DefinitionError as error:
        raise typer.BadParameter(str(error), param_hint="--var") from None
    with block:
        yield


def _load(path: Path, name: str | None) -> Workflow:
    """Load what PATH holds; an error in the user's own code is shown as they would see it in Python."""
    try:
        return load(path, name)
    except CloacaError:
        raise
    except Exception as error:  # noqa: BLE001 - it is the user's own code that runs here, and it may raise anything
        typer.echo(
            f"{file_label(str(path))} can't be loaded.\n\n{describe_failure(error).traceback}", err=True, nl=False
        )
        raise SystemExit(FAILED) from None


def execute(start: Callable[[], Run]) -> Run:
    """Start a run and wait until it is over; an interrupt cancels it, however early it comes."""
    with _interrupts_held() as interrupts:
        run = start()
    with suppress(KeyboardInterrupt):  # the next line answers it
        while not interrupts and not run.is_over:
            with suppress(TimeoutError):  # one that comes just before a wait is noticed only when it ends
                run.wait(TICK)
    run.cancel()  # no effect on a run that is over
    run.wait()
    return run


@contextmanager
def _interrupts_held() -> Iterator[list[int]]:
    """For the block, let an interrupt wait: it is put into the list."""
    held: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: held.append(number))
    try:
        yield held
    finally:
        signal.signal(signal.SIGINT, before)

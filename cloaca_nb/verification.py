"""Whether a package does what its notebook did: it is run as a recorded run was, and their final contexts compared."""

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

from cloaca_nb.core.run_id import short
from cloaca_nb.core.status import Status
from cloaca_nb.declare.variables import given_variables
from cloaca_nb.errors import CloacaError, HistoryError, PackageError
from cloaca_nb.history.diff import RunDiff
from cloaca_nb.history.history import History
from cloaca_nb.packaging.loading.guest import Asked, enter
from cloaca_nb.packaging.loading.host import PackageProcess
from cloaca_nb.packaging.loading.load import choose, workflows_of
from cloaca_nb.packaging.loading.registered import RegisteredWorkflow
from cloaca_nb.packaging.pack import Check
from cloaca_nb.runner import DefaultRunner

__all__ = ["go_on", "verification"]

KIND: Final = "check"  # of the runs that verify a package: they never count as the latest run
PROGRAM: Final = "from cloaca_nb.verification import go_on; go_on()"
TICK: Final = 0.2  # seconds between looks at a pending interrupt
IMPORTING: Final = 60.0  # seconds
REPORT: Final = "report.json"  # both beside the package's folder
OUTPUT: Final = "output.txt"
AGAIN: Final = "a package that is verified has it from the environment variable {variable}"
LAST_WORDS: Final = 2_000  # characters of its output that an error quotes


def verification(history: History, run: str, tell: Callable[[str], object] = lambda _: None) -> Check:
    """Return a check for `pack`: the package has to end with what a run ended with, value by value and type by type.

    The package starts with that run's initial context, in a process of its own, in this working directory. Its run is
    kept in the same history, as a check.

    Args:
        history: in which the run is; on disk, since another process has to read it.
        run: its id, a beginning of it, or "last": the latest of the package's workflow.
        tell: is told what was compared, if all is well.

    Raises:
        HistoryError: if the history is in memory, or has no such run.
    """
    if history.location.path is None:
        raise HistoryError(
            "The history is in memory, where no other process can read the run to compare with. Give it a place: "
            "CLOACA_HISTORY=/path/to/history.duckdb, or no URL at all."
        )
    history.resolve(run)
    return partial(_verify, history, str(history.location.path), run, tell)


def _verify(
    history: History,
    url: str,
    run: str,
    tell: Callable[[str], object],
    folder: Path,
    entry_module: str,
    workflows: Sequence[RegisteredWorkflow],
) -> None:
    name = workflows[0].name
    run_id, of_run = history.to_resume(run, name)
    if of_run not in {one.name for one in workflows}:
        raise PackageError(f"Run {short(run_id)} is of workflow {of_run!r}, and the package holds {name!r}.")
    more = {"history": url, "run": run_id, "workflow": of_run}
    with PackageProcess(folder, entry_module, program=PROGRAM, more=more, is_quiet=False) as process:
        process.registered(IMPORTING)
        process.go_on()
        code = _waited(process)
    found = history.diff(run_id, _checked(folder.parent, code))
    if told := list(_told(found)):
        raise PackageError(
            f"The package doesn't do what run {short(run_id)} did:\n" + "\n".join(told) + "\n"
            "What is new in every run can't be verified: make a time or a random seed a parameter, and keep what no "
            "later task needs, like a figure, out of the context by a name like _fig.",
            told,
        )
    tell(f"The package ends as run {short(run_id)} did: {found.b.status}, the same final context.")


def _waited(process: PackageProcess) -> int:
    while True:
        with suppress(TimeoutError):  # an interrupt that comes just before a wait is noticed only when it ends
            return process.wait(TICK)


def _checked(scratch: Path, code: int) -> str:
    """Return the id of the run that the process made."""
    report, output = scratch / REPORT, scratch / OUTPUT
    words = output.read_text("utf-8", errors="replace").strip()[-LAST_WORDS:] if output.exists() else ""
    said = json.loads(report.read_text("utf-8")) if report.exists() else {}
    if "run" in said:
        return str(said["run"])
    why = said.get("error") or f"its process ended with exit code {code}"
    raise PackageError(f"The package can't be run to verify it: {why}." + (f"\n{words}" if words else ""))


def _told(found: RunDiff) -> Iterator[str]:
    """Yield a line for each thing that counts: how run and tasks ended, and the final context."""
    if found.a.status != found.b.status:
        yield f"  the run: {found.a.status} → {found.b.status}" + (f": {found.b.error}" if found.b.error else "")
    for task in found.tasks:
        yield f"  task {task.task_id}: {task.before or 'not there'} → {task.after or 'not there'}"
    for value in (*found.initial, *found.final):
        yield f"  {value.key}: {value.before or 'not there'} → {value.after or 'not there'}"


# -- in the package's own process


def go_on() -> None:
    """Import the package, wait until it is accepted, and run its workflow as the run that it is compared with."""
    scratch = Path(json.loads(sys.argv[-1])["folder"]).parent
    output = os.open(scratch / OUTPUT, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(output, stream)
    os.close(output)
    asked = enter()
    try:
        said = {"run": _run(asked)}
    except CloacaError as error:
        said = {"error": str(error).rstrip(".")}
    (scratch / REPORT).write_text(json.dumps(said), encoding="utf-8")


def _run(asked: Asked) -> str:
    workflow = choose(workflows_of(asked.entry_module, anywhere=True), asked.more["workflow"], "The package")
    with DefaultRunner(asked.more["history"]) as runner:
        initial = runner.history().initial(asked.more["run"], secrets=given_variables(), again=AGAIN)
        result = runner.start(workflow, initial, kind=KIND).wait()
        if result.status is Status.CANCELLED:
            raise PackageError("its run was cancelled")
    return result.run_id

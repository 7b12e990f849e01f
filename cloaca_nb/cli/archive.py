"""An archive that is run: loaded into a process of its own, which goes on as `cloaca-nb run` once it is accepted."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NoReturn

import typer

from cloaca_nb.packaging.loading.host import PackageProcess
from cloaca_nb.packaging.loading.loader import loaded
from cloaca_nb.reuse import Reuse

__all__ = ["SUFFIX", "run_archive"]

SUFFIX: Final = ".cloacina"
TICK: Final = 0.2  # seconds between looks at a pending interrupt
PROGRAM: Final = "from cloaca_nb.cli.hosted import go_on; go_on()"


def run_archive(
    path: Path,
    workflow: str | None,
    param: Sequence[str] | None,
    history: str | None,
    taken: Reuse,
    again: Sequence[str],
    *,
    durability: str,
    verbose: bool,
) -> NoReturn:
    """Load an archive, run its workflow, and leave with the exit code of the run.

    Raises:
        PackageError: a ValueError, if it is refused.
    """
    more: dict[str, Any] = {"where": str(path), "workflow": workflow, "param": list(param or ()), "history": history}
    more |= {"taken": taken._asdict(), "again": list(again)}
    more |= {"durability": durability, "verbose": verbose}
    with loaded(path, program=PROGRAM, more=more, is_quiet=False) as found:
        for warning in found.warnings:
            typer.echo(f"{path.name}: {warning}", err=True)
        found.process.go_on()
        code = _wait(found.process)
    raise SystemExit(code if code >= 0 else 128 - code)


def _wait(process: PackageProcess) -> int:
    """Wait for a run, and pass interrupts on to it: the first cancels it, the next one ends this wait."""
    try:
        return _waited(process)
    except KeyboardInterrupt:
        process.interrupt()
        return _waited(process)


def _waited(process: PackageProcess) -> int:
    while True:
        with suppress(TimeoutError):  # an interrupt that comes just before a wait is noticed only when it ends
            return process.wait(TICK)

"""The loader: from an archive to a process that has imported its package, or to every reason why not.

An archive's code runs with the rights of whoever loads it: the checks find damage, slips and traps in the file, and
keep packages apart from each other and from the caller; they don't make foreign code harmless. It may read and write
what its user may, and use the network. What it starts is ended with it: on Linux all of that, elsewhere not what leaves
its group of processes and clears its environment.
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cloaca_nb.errors import PackageError
from cloaca_nb.packaging.archive.inspection import Inspection, inspected
from cloaca_nb.packaging.archive.manifest import Manifest
from cloaca_nb.packaging.archive.members import Archive, Limits
from cloaca_nb.packaging.loading.guest import CHECK
from cloaca_nb.packaging.loading.host import PackageProcess
from cloaca_nb.packaging.loading.registered import RegisteredWorkflow, differences

__all__ = ["Loaded", "check_archive", "loaded", "refusal"]


@dataclass(frozen=True, slots=True)
class Loaded:
    """An archive that passed every check.

    Attributes:
        manifest: what it says of itself, which its code confirms.
        workflows: what it registers.
        warnings: what is odd and no reason to refuse it.
        process: has imported it and waits; over when the block is, and after `check_archive`.
    """

    manifest: Manifest
    workflows: tuple[RegisteredWorkflow, ...]
    warnings: tuple[str, ...]
    process: PackageProcess


def check_archive(path: str | Path, limits: Limits | None = None) -> Loaded:
    """Apply every check to an archive, its import in a process of its own among them, and return what was found.

    Nothing is left on disk or in memory, and nothing that the package does when it is imported reaches this process.

    Args:
        path: a ``.cloacina`` file.
        limits: what it may cost; None: 500 MB unpacked, 60 s to import, and more; see `Limits`.

    Raises:
        PackageError: a ValueError, if it is refused; `problems` has every reason. Its code is not run if its files
            are not what its maker put in.
    """
    with loaded(path, limits=limits) as found:
        return found


@contextmanager
def loaded(
    path: str | Path,
    *,
    program: str = CHECK,
    more: Mapping[str, Any] | None = None,
    is_quiet: bool = True,
    limits: Limits | None = None,
) -> Iterator[Loaded]:
    """Load an archive for the length of the block; see `check_archive` for what is checked, and `PackageProcess`.

    Args:
        path: a ``.cloacina`` file.
        program: what its process goes on with when `process.go_on()` is called.
        more: for that program; JSON.
        is_quiet: whether its output is taken from it.
        limits: what it may cost; None: the usual.

    Raises:
        PackageError: a ValueError, if it is refused; `problems` has every reason.
    """
    within = limits or Limits()
    with tempfile.TemporaryDirectory(prefix="cloaca-", ignore_cleanup_errors=True) as scratch:
        folder = Path(scratch) / "package"
        folder.mkdir()
        try:
            with inspected(Path(path), within) as (archive, inspection):
                _extract(archive, inspection, folder)
        except PackageError as error:
            raise refusal(path, error.problems) from error
        module = inspection.manifest.entry_module
        with PackageProcess(folder, module, program=program, more=more, is_quiet=is_quiet) as process:
            workflows = _registered(process, inspection, within, path)
            yield Loaded(inspection.manifest, tuple(workflows), inspection.warnings, process)


def refusal(path: str | Path, problems: Sequence[str]) -> PackageError:
    """Return the error that says why an archive is refused: all reasons, one below the other."""
    name = Path(path).name
    if len(problems) == 1:
        return PackageError(f"{name} is refused: {problems[0]}", problems)
    return PackageError(f"{name} is refused:\n" + "\n".join(f"  - {one}" for one in problems), problems)


def _extract(archive: Archive, inspection: Inspection, folder: Path) -> None:
    if not inspection.is_importable:
        raise PackageError(inspection.problems[0], inspection.problems)
    archive.extract(folder)


def _registered(
    process: PackageProcess, inspection: Inspection, limits: Limits, path: str | Path
) -> list[RegisteredWorkflow]:
    """Return what the package registers, or raise with all that is wrong with it."""
    workflows: list[RegisteredWorkflow] = []
    try:
        workflows = process.registered(limits.importing, limits.memory)
        problems = list(differences(inspection.manifest, workflows))
    except PackageError as error:
        problems = list(error.problems)
    if problems := [*inspection.problems, *problems]:
        raise refusal(path, problems)
    return workflows

"""Pack: a project that follows the reference page in, an archive out, with the same bytes each time."""

import bz2
import os
import re
import shutil
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Final, NamedTuple, TypeAlias

from cloaca_nb.declare.entry import PYPROJECT, entry_module
from cloaca_nb.errors import ConfigurationError, PackageError
from cloaca_nb.packaging.archive.contents import contents
from cloaca_nb.packaging.archive.fingerprint import MANIFEST, counted, fingerprint
from cloaca_nb.packaging.archive.inspection import Inspection, has_native_code, host_target, inspection_of, is_native
from cloaca_nb.packaging.archive.manifest import Manifest, ManifestTask, read_manifest
from cloaca_nb.packaging.archive.member_names import module_name_problem, name_problem, shadowing
from cloaca_nb.packaging.archive.members import CHUNK, Limits, archive_in
from cloaca_nb.packaging.archive.vendored import vendored
from cloaca_nb.packaging.loading.expected import Expected
from cloaca_nb.packaging.loading.host import PackageProcess
from cloaca_nb.packaging.loading.loader import refusal
from cloaca_nb.packaging.loading.registered import RegisteredWorkflow

__all__ = ["FIXED_DATE", "Check", "Packed", "pack"]

# Of the unpacked files, the entry module's name, and what it registers.
Check: TypeAlias = Callable[[Path, str, Sequence[RegisteredWorkflow]], None]

SUFFIX: Final = ".cloacina"
ANYWHERE: Final = ("linux-x86_64", "linux-arm64", "macos-x86_64", "macos-arm64")
OLDEST_PYTHON: Final = ">=3.11"
_OF_ONE_PYTHON: Final = re.compile(r"\.(cpython-|cp)\d+")  # in the name of an extension module
FIXED_DATE: Final = "1980-01-01T00:00:00Z"  # of an archive of which nothing else says when it was made


class Packed(NamedTuple):
    """An archive that was made.

    Attributes:
        path: where it is.
        inspection: what the loader finds in it.
        workflows: what it registers.
    """

    path: Path
    inspection: Inspection
    workflows: tuple[RegisteredWorkflow, ...]


def pack(
    folder: str | Path,
    output: str | Path | None = None,
    *,
    vendor: Iterable[str] = (),
    expected: Expected | None = None,
    modified: str | None = None,
    check: Check | None = None,
    environ: Mapping[str, str] | None = None,
    limits: Limits | None = None,
) -> Packed:
    """Make the archive of a project, after every check that the loader makes; an older one is replaced.

    The package is imported in a fresh process, from a copy that holds only what the archive will hold.

    Args:
        folder: the project's: with a pyproject.toml that names an entry module.
        output: the archive, or a folder for it; None: ``<name>-<version>.cloacina`` in the working directory.
        vendor: distributions of this environment that are carried in ``vendor/``, with what they require.
        expected: the DAG that it must make: its notebook's.
        modified: when the project was last changed, RFC 3339, where that is on record.
        check: a last look at the files, after all other checks; no archive is made if it raises.
        environ: environment variables; ``SOURCE_DATE_EPOCH`` says when the archive was made, instead of `modified`.
        limits: what it may cost to load; None: the usual.

    Raises:
        ConfigurationError: if the folder holds no project with an entry module.
        PackageError: a ValueError with every reason why the loader would refuse it.
    """
    top = Path(folder).resolve()
    facts = _project(top)
    within = limits or Limits()
    with tempfile.TemporaryDirectory(prefix="cloaca-", ignore_cleanup_errors=True) as scratch:
        staged = Path(scratch) / "package"
        paths = _stage(vendored(vendor) | contents(top, facts.entry_module), staged, top)
        workflows = _registered(staged, facts, within, top)
        if expected is not None and (problems := expected.differences(workflows)):
            raise refusal(top, problems)
        created = _created(os.environ if environ is None else environ, modified)
        manifest = _manifest(facts, paths, workflows, created)
        manifest = replace(manifest, fingerprint=_fingerprint(manifest, staged, paths))
        if problems := read_manifest(manifest.text().encode())[2]:  # before its name and version become a file's name
            raise refusal(top, problems)
        with _replaced(_target(output, facts)) as target, tempfile.TemporaryFile() as tar:
            _write(tar, staged, paths, manifest)
            _compress(tar, target)  # what it unpacks to is at hand: to unpack it again would take as long once more
            inspection = inspection_of(archive_in(tar, target.stat().st_size, within), within)
            if inspection.problems:
                raise refusal(top, inspection.problems)
            if check is not None:
                check(staged, facts.entry_module, workflows)
    return Packed(_target(output, facts), inspection, tuple(workflows))


class _Project(NamedTuple):
    """What a pyproject.toml says."""

    name: str
    version: str
    requires_python: str
    entry_module: str


def _project(folder: Path) -> _Project:
    module = entry_module(folder)
    if module is None:
        raise ConfigurationError(
            f"{folder} holds no project to pack: its pyproject.toml has to say which module registers the tasks:\n"
            '[tool.cloaca]\nentry_module = "…"'
        )
    said = tomllib.loads((folder / PYPROJECT).read_text(encoding="utf-8")).get("project")
    table: dict[str, Any] = said if isinstance(said, dict) else {}
    found = {key: table.get(key) for key in ("name", "version")}
    problems = [
        f'pyproject.toml: [project] {key} is missing or no text, and an archive has one: {key} = "…"'
        for key, value in found.items()
        if not isinstance(value, str) or not value
    ]
    if problem := module_name_problem(module):
        problems.append(f"pyproject.toml: {problem}")
    if problems:
        raise refusal(folder, problems)
    requires = table.get("requires-python", OLDEST_PYTHON)
    return _Project(str(found["name"]), str(found["version"]), str(requires), module)


def _stage(files: Mapping[str, Path], folder: Path, top: Path) -> list[str]:
    """Copy what is carried, checked by name, and return its paths."""
    problems = [problem for path in files if (problem := name_problem(path)) is not None]
    if problems := [*problems, *shadowing(files)]:
        raise refusal(top, problems)
    for path, file in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, folder / path)
    return sorted(files)


def _registered(staged: Path, facts: _Project, limits: Limits, top: Path) -> list[RegisteredWorkflow]:
    try:
        with PackageProcess(staged, facts.entry_module) as process:
            workflows = process.registered(limits.importing, limits.memory)
    except PackageError as error:
        raise refusal(top, error.problems) from error
    tasks = [task.id for workflow in workflows for task in workflow.tasks]
    twice = sorted({task_id for task_id in tasks if tasks.count(task_id) > 1})
    problems = [f"Task {one!r} is in several workflows, and an archive has one list of tasks." for one in twice]
    if not workflows:
        problems = [f"Importing {facts.entry_module!r} registers no workflow."]
    if problems:
        raise refusal(top, problems)
    return workflows


def _manifest(
    facts: _Project, paths: Sequence[str], workflows: Iterable[RegisteredWorkflow], created: datetime
) -> Manifest:
    tasks: list[ManifestTask] = [task.as_manifest() for workflow in workflows for task in workflow.tasks]
    return Manifest(
        name=facts.name,
        version=facts.version,
        fingerprint="",
        targets=(host_target(),) if has_native_code(dict.fromkeys(paths, 0)) else ANYWHERE,
        requires_python=_requires_python(facts, paths),
        entry_module=facts.entry_module,
        tasks=tuple(tasks),
        triggers=(),
        created_at=created.strftime("%Y-%m-%dT%H:%M:%SZ"),
    )


def _requires_python(facts: _Project, paths: Iterable[str]) -> str:
    """Return which Python it needs: no other than this one if it holds extension modules that were built for it."""
    if any(is_native(path) and _OF_ONE_PYTHON.search(path) for path in paths):
        return f"{facts.requires_python},=={sys.version_info.major}.{sys.version_info.minor}.*"
    return facts.requires_python


def _created(environ: Mapping[str, str], modified: str | None) -> datetime:
    epoch = environ.get("SOURCE_DATE_EPOCH", "")
    try:
        if epoch:
            return datetime.fromtimestamp(int(epoch), UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise ConfigurationError(f"SOURCE_DATE_EPOCH is {epoch!r}, but has to be whole seconds since 1970.") from error
    return datetime.fromisoformat(modified or FIXED_DATE).astimezone(UTC)


def _fingerprint(manifest: Manifest, staged: Path, paths: Iterable[str]) -> str:
    data = counted(manifest.to_dict())
    files = ((path, (staged / path).stat().st_size, _pieces(staged / path)) for path in paths)
    return fingerprint([(MANIFEST, len(data), [data]), *files])


def _pieces(file: Path) -> Iterator[bytes]:
    with file.open("rb") as source:
        while piece := source.read(CHUNK):
            yield piece


def _target(output: str | Path | None, facts: _Project) -> Path:
    name = f"{facts.name}-{facts.version}{SUFFIX}"
    path = Path(output or name).absolute()
    return path / name if path.is_dir() else path


@contextmanager
def _replaced(target: Path) -> Iterator[Path]:
    """Give a path beside `target` to write to, and put what was written there into its place if all went well."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as made:
        new = Path(made) / target.name
        yield new
        os.replace(new, target)  # noqa: PTH105 - replaces, which Path.rename doesn't everywhere


def _compress(tar: IO[bytes], target: Path) -> None:
    tar.seek(0)
    with bz2.open(target, "wb") as packed:
        shutil.copyfileobj(tar, packed, CHUNK)


def _write(stream: IO[bytes], staged: Path, paths: Iterable[str], manifest: Manifest) -> None:
    """Write a tar: members in order of their names, nothing in it of who made it and where."""
    made = int(datetime.fromisoformat(manifest.created_at).timestamp())
    (staged / MANIFEST).write_text(manifest.text(), encoding="utf-8", newline="\n")
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path in (MANIFEST, *paths):
            info = tarfile.TarInfo(path)
            info.size = (staged / path).stat().st_size
            info.mtime = made
            info.mode = 0o644
            with (staged / path).open("rb") as file:
                tar.addfile(info, file)

"""What can be known of an archive without running any of it: everything but whether its code says the same."""

import platform
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from cloaca_nb.errors import PackageError
from cloaca_nb.packaging.analysis.distributions import accepts
from cloaca_nb.packaging.archive.fingerprint import MANIFEST, fingerprint
from cloaca_nb.packaging.archive.manifest import Manifest, read_manifest
from cloaca_nb.packaging.archive.member_names import VENDOR, shadowing, shown
from cloaca_nb.packaging.archive.members import Archive, Limits, open_archive

__all__ = ["Inspection", "has_native_code", "host_target", "inspect_archive", "inspected", "inspection_of", "is_native"]

NATIVE: Final = (".so", ".pyd", ".dll", ".dylib")
_SYSTEMS: Final = {"darwin": "macos"}
_MACHINES: Final = {"amd64": "x86_64", "aarch64": "arm64"}


class Inspection(NamedTuple):
    """What was found.

    Attributes:
        manifest: what the archive says of itself; stand-ins where it doesn't.
        fingerprint: what it should say; empty if a member is refused.
        files: the length in bytes of each file, by path.
        packed: the archive's own size in bytes.
        problems: why it is refused, all of them; empty if it isn't.
        warnings: what is odd and no reason to refuse it.
        is_importable: whether its code may be run to find out more: its files are what whoever made it put in.
    """

    manifest: Manifest
    fingerprint: str
    files: dict[str, int]
    packed: int
    problems: tuple[str, ...]
    warnings: tuple[str, ...]
    is_importable: bool

    @property
    def vendored(self) -> list[str]:
        """The names directly under ``vendor/``."""
        parts = (path.split("/") for path in self.files)
        return sorted({part[1] for part in parts if part[0] == VENDOR and len(part) > 1})

    @property
    def unpacked(self) -> int:
        """The size of all files in bytes."""
        return sum(self.files.values())


@dataclass(slots=True)
class _Findings:
    problems: list[str]
    warnings: list[str]
    is_importable: bool

    def forbid(self, *problems: str) -> None:
        """Note what makes the code itself doubtful."""
        self.problems += problems
        self.is_importable = self.is_importable and not problems


def inspect_archive(path: Path, limits: Limits | None = None) -> Inspection:
    """Read an archive and check all that can be checked without running any of it; nothing is left on disk.

    Raises:
        PackageError: if it can't be read to its end: no bzip2 tar, damaged, or larger than the limits.
    """
    with inspected(path, limits) as (_, inspection):
        return inspection


@contextmanager
def inspected(path: Path, limits: Limits | None = None) -> Iterator[tuple[Archive, Inspection]]:
    """Open an archive, with what `inspect_archive` finds; the archive can be extracted in the block."""
    if not path.is_file():
        raise PackageError(f"There is no file {str(path)!r}.")
    within = limits or Limits()
    with open_archive(path, within) as archive:
        yield archive, inspection_of(archive, within)


def has_native_code(files: dict[str, int]) -> bool:
    """Say whether files hold machine code, which runs on one platform only."""
    return any(map(is_native, files))


def is_native(path: str) -> bool:
    """Say whether a file holds machine code.

    >>> is_native("lib/fast.cpython-311-x86_64-linux-gnu.so"), is_native("vendor/lib.so.1"), is_native("so.py")
    (True, True, False)
    """
    name = path.rpartition("/")[2]
    return name.endswith(NATIVE) or ".so." in name


def host_target() -> str:
    """Return the platform of this process as manifests name it, like ``linux-x86_64``."""
    system, machine = platform.system().lower(), platform.machine().lower()
    return f"{_SYSTEMS.get(system, system)}-{_MACHINES.get(machine, machine)}"


def inspection_of(archive: Archive, limits: Limits) -> Inspection:
    """Check all that can be checked of an archive that is open; see `inspect_archive`."""
    found = _Findings([], [], is_importable=True)
    found.forbid(*archive.problems)
    files = {path: member.length for path, member in archive.members.items()}
    found.forbid(*shadowing(files))
    manifest, counted = _manifest(archive, limits, found)
    digest = _fingerprint(archive, counted) if counted and not archive.problems else ""
    _check_fingerprint(manifest, digest, found)
    _check_entry(manifest, files, found)
    _check_host(manifest, files, found)
    return Inspection(
        manifest, digest, files, archive.packed, tuple(found.problems), tuple(found.warnings), found.is_importable
    )


def _manifest(archive: Archive, limits: Limits, found: _Findings) -> tuple[Manifest, bytes]:
    """Return what the manifest says, and the bytes by which it counts: none if it can't be read."""
    member = archive.members.get(MANIFEST)
    if member is None:
        found.forbid(f"It has no {MANIFEST} at its root.")
    elif member.length > limits.manifest:
        found.forbid(f"{MANIFEST} is larger than {limits.manifest:,} bytes, which is the most that is read.")
    else:
        manifest, counted, problems = read_manifest(archive.read(MANIFEST))
        found.problems += problems
        return manifest, counted
    return read_manifest(b"{}")[0], b""


def _fingerprint(archive: Archive, counted: bytes) -> str:
    others = ((path, one.length, archive.chunks(path)) for path, one in archive.members.items() if path != MANIFEST)
    return fingerprint([(MANIFEST, len(counted), [counted]), *others])


def _check_fingerprint(manifest: Manifest, digest: str, found: _Findings) -> None:
    if not digest or not manifest.fingerprint:
        return
    if manifest.digest is None:
        found.warnings.append(
            f"The fingerprint is {shown(manifest.fingerprint)}, which stands in for one: whether the archive is as it "
            f"was made can't be told. It would be {digest}."
        )
    elif manifest.digest != digest:
        found.forbid(
            f"The fingerprint is wrong: manifest.json says {shown(manifest.fingerprint)}, the content makes {digest}. "
            "The archive was damaged or changed after it was made."
        )


def _check_entry(manifest: Manifest, files: dict[str, int], found: _Findings) -> None:
    """Check that the entry module is there; a wrong name is told with the manifest's other problems."""
    path = manifest.entry_module.replace(".", "/")
    if not path:
        found.is_importable = False
    elif f"{path}/__init__.py" not in files and f"{path}.py" not in files:
        found.forbid(
            f"The entry module {manifest.entry_module!a} is not there: no {path}/__init__.py and no {path}.py."
        )


def _check_host(manifest: Manifest, files: dict[str, int], found: _Findings) -> None:
    if manifest.requires_python:
        found.problems += _python_problems(manifest.requires_python)
    if manifest.targets and (host := host_target()) not in manifest.targets:
        said = f"It was made for {', '.join(map(ascii, manifest.targets))}, and this is {host}."
        if has_native_code(files):
            found.forbid(f"{said} Its machine code can't run here.")
        else:
            found.warnings.append(f"{said} It holds no machine code, so it is loaded all the same.")


def _python_problems(specifier: str) -> Iterator[str]:
    version = platform.python_version()
    try:
        if not accepts(specifier, version):
            yield f"It requires Python {specifier}, and this is {version}."
    except ValueError:
        yield f"manifest.json: python.requires_python is {specifier!a}, which is no version specifier like '>=3.11'."

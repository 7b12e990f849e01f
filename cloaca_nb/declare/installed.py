"""Which installed distribution a module belongs to, and its version: told by the lists of files that were installed."""

import importlib.metadata
import os
from collections.abc import Iterator
from importlib.metadata import Distribution
from pathlib import Path
from typing import Final, NamedTuple

__all__ = ["INSTALLED", "version_of"]

INSTALLED: Final = frozenset({"site-packages", "dist-packages"})


class _Known(NamedTuple):
    """What was found for a module, and the folders that said so, with their times of change."""

    version: tuple[str, str] | None
    seen: tuple[tuple[Path, int], ...]


_known: Final[dict[tuple[str, Path], _Known]] = {}


def version_of(module: str, file: Path) -> tuple[str, str] | None:
    """Return the distribution that provides a module and its version; None if that can't be known.

    Args:
        module: the dotted name.
        file: of the module, in a folder of installed packages.
    """
    key = (module.partition(".")[0], file.parent)  # the folder tells the packages of one namespace apart
    known = _known.get(key)
    if known is None or any(_changed(folder) != when for folder, when in known.seen):
        known = _known[key] = _look_up(module, file)
    return known.version


def _look_up(module: str, file: Path) -> _Known:
    """Look into the distributions beside the module; ask the metadata of all only if none of them lists its file."""
    site = _site(file)
    listed = file.relative_to(site).as_posix()
    for folder in _likely_first(site, module.partition(".")[0]):
        if _lists(folder, listed):
            found = Distribution.at(folder)
            return _Known((found.metadata["Name"], found.version), ((folder, _changed(folder)),))
    names = importlib.metadata.packages_distributions().get(module.partition(".")[0], ())
    versions = sorted({name: importlib.metadata.version(name) for name in names}.items())  # several share a namespace
    shown = (", ".join(name for name, _ in versions), ", ".join(version for _, version in versions))
    return _Known(shown if versions else None, ((site, _changed(site)),))


def _site(file: Path) -> Path:
    return next(folder for folder in (file, *file.parents) if folder.name in INSTALLED)


def _likely_first(site: Path, module: str) -> Iterator[Path]:
    plain = _plain(module)
    yield from sorted(site.glob("*.dist-info"), key=lambda folder: plain not in _plain(folder.name))


def _plain(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "")


def _lists(folder: Path, file: str) -> bool:
    record = folder / "RECORD"
    if not record.is_file():
        return False
    text = record.read_text(encoding="utf-8", errors="replace")
    return text.startswith(f"{file},") or f"\n{file}," in text


def _changed(folder: Path) -> int:
    """Return when a folder was changed, in nanoseconds; 0 if there is none."""
    try:
        return os.stat(folder).st_mtime_ns  # noqa: PTH116 - a third of the cost
    except FileNotFoundError:
        return 0

"""Distributions of this environment that are carried in `vendor/`, each with those that it requires."""

import importlib.metadata
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from cloaca_nb.errors import PackageError, near_miss
from cloaca_nb.packaging.analysis.distributions import required_here
from cloaca_nb.packaging.archive.member_names import VENDOR

__all__ = ["vendored"]

OURS: Final = "cloaca-nb"
# What installing leaves beside a distribution's own files; it differs from machine to machine.
_LEFT_OUT: Final = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")


def vendored(names: Iterable[str]) -> dict[str, Path]:
    """Return the files of distributions, and of all that they require, by their path in an archive.

    What cloaca-nb requires itself is there wherever an archive is loaded, and not carried.

    Args:
        names: of distributions that are installed here.

    Raises:
        PackageError: for one that isn't installed, or whose files aren't known, as with an editable install.
    """
    there = _closure([OURS], ())
    return {path: file for name in _closure(names, there) for path, file in _files(name)}


def _closure(names: Iterable[str], without: Iterable[str]) -> list[str]:
    """Return the normalised names of distributions and of all that they require, each once."""
    known = set(without)
    found: list[str] = []
    waiting = [(name, "") for name in names]
    while waiting:
        name, reader = waiting.pop()
        if (bare := _normalised(name)) in known:
            continue
        known.add(bare)
        found.append(bare)
        waiting += [(one, bare) for one in required_here(_distribution(name, reader))]
    return found


def _distribution(name: str, reader: str) -> importlib.metadata.Distribution:
    try:
        return importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        known = [one.name for one in importlib.metadata.distributions()]
        whose = f", which {reader} requires," if reader else ""
        raise PackageError(
            f"The distribution {name!r}{whose} is not installed here, so it can't be carried.{near_miss(name, known)} "
            f"Install it: pip install {name}"
        ) from None


def _files(name: str) -> Iterator[tuple[str, Path]]:
    distribution = importlib.metadata.distribution(name)
    found = [one for one in distribution.files or () if _is_carried(one)]
    if all(any(part.endswith((".dist-info", ".egg-info")) for part in one.parts) for one in found):
        raise PackageError(
            f"The files of {name!r} are not known: it was installed as editable, or by something else than pip. "
            f"Install it with pip, or put its folder into {VENDOR}/ yourself."
        )
    yield from ((f"{VENDOR}/{one.as_posix()}", Path(str(one.locate()))) for one in found)


def _is_carried(path: importlib.metadata.PackagePath) -> bool:
    return not ({"..", "__pycache__"} & set(path.parts) or path.name in _LEFT_OUT or path.suffix == ".pth")


def _normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()

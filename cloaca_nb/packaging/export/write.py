"""A package or a notebook written to disk: the only place that writes those, all or nothing, never over your work."""

import hashlib
import os
import shutil
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from cloaca_nb.errors import ExportError
from cloaca_nb.packaging.analysis.notebook import Notebook, notebook_text
from cloaca_nb.packaging.export.package import Package

__all__ = ["exported_files", "write_notebook", "write_package"]

PYPROJECT: Final = "pyproject.toml"
# By this table a later export knows that it may replace the files, and whether somebody has changed them since.
_MARK: Final = "\n[tool.cloaca.exported]\n"


def write_package(package: Package, folder: str | Path) -> Path:
    """Write every file of a package, or none.

    A previous export in the folder is replaced; what else lies there (a `.cloaca` history, `.git`) stays.

    Args:
        package: what to write.
        folder: the project's folder; made where it doesn't exist.

    Returns:
        The folder as an absolute path.

    Raises:
        ExportError: if the folder holds something else than a previous export, or one that was changed by hand.
    """
    target = Path(folder).resolve()
    stale = _replaceable(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as made:
        staged = Path(made) / target.name
        for path, content in _marked(package).items():
            _write(staged / path, content)
        _put(staged, target, stale)
    return target


def write_notebook(notebook: Notebook, files: Mapping[str, str | bytes], path: str | Path) -> Path:
    """Write a notebook and the modules beside it, or nothing; what is there already is never replaced.

    Args:
        notebook: its cells.
        files: the modules, text by path, and the bytes of other files.
        path: the notebook's file, which must not exist; a module may, if it is the same.

    Returns:
        The file as an absolute path.

    Raises:
        ExportError: if that would replace something.
    """
    target = Path(path).resolve()
    if target.exists():
        raise ExportError(f"{target} is there already, so nothing was written. Name another file with -o.")
    for name, content in files.items():
        other = target.parent / name
        if other.is_file() and _digest(other.read_bytes()) != _digest(content):
            raise ExportError(f"{other} is there already and differs, so nothing was written. Name another folder.")
    for name, content in {**files, target.name: notebook_text(notebook.cells)}.items():
        _write(target.parent / name, content)
    return target


def exported_files(target: Path) -> dict[str, str] | None:
    """Return path and digest of each file of the previous export in a folder; None if there was none."""
    try:
        tables = tomllib.loads((target / PYPROJECT).read_text("utf-8"))
        return dict(tables["tool"]["cloaca"]["exported"])
    except (FileNotFoundError, tomllib.TOMLDecodeError, KeyError):  # no export, or none of ours
        return None


def _write(file: Path, content: str | bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content.encode() if isinstance(content, str) else content)


def _put(staged: Path, target: Path, stale: set[str]) -> None:
    """Move the finished files into place: at once where there is nothing yet, else each as a whole."""
    if not target.exists() or not any(target.iterdir()):
        if target.exists():
            target.rmdir()
        staged.rename(target)
        return
    paths = [path.relative_to(staged).as_posix() for path in sorted(staged.rglob("*")) if path.is_file()]
    for path in sorted(paths, key=lambda one: one == PYPROJECT):  # pyproject.toml vouches for the others: it comes last
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        os.replace(staged / path, target / path)  # noqa: PTH105 - replaces, which Path.rename doesn't everywhere
    for path in stale - set(paths):
        (target / path).unlink(missing_ok=True)
        _remove_empty((target / path).parent, target)


def _remove_empty(folder: Path, top: Path) -> None:
    """Remove folders that only held a file of the previous export, with what Python cached of it."""
    while folder != top and all(one.name == "__pycache__" for one in folder.iterdir()):
        shutil.rmtree(folder)
        folder = folder.parent


def _replaceable(target: Path) -> set[str]:
    """Return the files of the previous export in a folder, all of them untouched; none if the folder is empty."""
    if not target.exists():
        return set()
    if not target.is_dir():
        raise ExportError(f"{target} is a file. Export to another folder.")
    if not any(target.iterdir()):
        return set()
    digests = exported_files(target)
    if digests is None:
        raise ExportError(
            f"{target} is not empty and holds no previous export, so nothing was written. Export to another folder."
        )
    for path, digest in digests.items():
        if (target / path).is_file() and _digest(_without_mark((target / path).read_bytes())) != digest:
            raise ExportError(
                f"{target / path} was changed since it was exported, so nothing was written. Take the change over into "
                "the notebook and remove the file, or export to another folder."
            )
    return set(digests)


def _marked(package: Package) -> dict[str, str | bytes]:
    """Return the files, with a digest of each in pyproject.toml."""
    files: dict[str, str | bytes] = {**package.files, **package.data}
    lines = (f'"{path}" = "{_digest(content)}"\n' for path, content in sorted(files.items()))
    return {**files, PYPROJECT: package.files[PYPROJECT] + _MARK + "".join(lines)}


def _without_mark(content: bytes) -> bytes:
    return _with_plain_ends(content).partition(_MARK.encode())[0]


def _digest(content: str | bytes) -> str:
    """Return what tells one content from another, however its lines end: version control may change that."""
    data = content.encode() if isinstance(content, str) else content
    return hashlib.sha256(_with_plain_ends(data)).hexdigest()[:16]


def _with_plain_ends(content: bytes) -> bytes:
    return content.replace(b"\r\n", b"\n")

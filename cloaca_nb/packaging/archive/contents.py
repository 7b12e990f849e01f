"""Which files of a project go into its archive: the entry module, what it imports beside it, and `vendor/`."""

import tokenize
from collections.abc import Iterator
from pathlib import Path

from cloaca_nb.errors import PackageError
from cloaca_nb.packaging.analysis.carried_modules import imported_modules, is_left_out
from cloaca_nb.packaging.archive.member_names import VENDOR

__all__ = ["contents", "files_below"]


def contents(folder: Path, entry_module: str) -> dict[str, Path]:
    """Return the files that an archive of a project holds, by their path in it.

    A package is carried whole, with its data files; of what else lies in the folder, only modules that the code
    imports. Hidden files and Python's caches stay behind.

    Args:
        folder: the project's.
        entry_module: a dotted name.

    Raises:
        PackageError: for a link, an entry module that isn't there, or a module that is no Python.
    """
    found: dict[str, Path] = {}
    top = entry_module.partition(".")[0]
    waiting = [top]
    done: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in done:
            continue
        done.add(name)
        new = dict(_module(folder, name))
        found |= new
        waiting += [one for path, file in new.items() if path.endswith(".py") for one in _imports(file)]
    if not found:
        raise PackageError(f"The entry module is not there: {folder} has neither a folder {top} nor a file {top}.py.")
    return found | dict(files_below(folder, folder / VENDOR))


def files_below(folder: Path, top: Path) -> Iterator[tuple[str, Path]]:
    """Yield the files below `top` that are carried, each with its path from `folder`.

    Raises:
        PackageError: for a link, or what is neither file nor folder.
    """
    if not top.is_dir():
        return
    _refuse_link(top)
    for path in sorted(top.iterdir()):
        if is_left_out(path):
            continue
        if path.is_dir():
            yield from files_below(folder, path)
        else:
            yield _file(folder, path)


def _module(folder: Path, name: str) -> Iterator[tuple[str, Path]]:
    if (single := folder / f"{name}.py").is_file():
        yield _file(folder, single)
    if any((folder / name).glob("**/*.py")):
        yield from files_below(folder, folder / name)


def _file(folder: Path, path: Path) -> tuple[str, Path]:
    _refuse_link(path)
    if not path.is_file():
        raise PackageError(f"{path} is neither a file nor a folder, and archives hold nothing else. Remove it.")
    return path.relative_to(folder).as_posix(), path


def _refuse_link(path: Path) -> None:
    if path.is_symlink():
        raise PackageError(f"{path} is a link, which no loader takes. Put the file itself there.")


def _imports(file: Path) -> Iterator[str]:
    """Yield the top-level names that a module imports."""
    try:
        with tokenize.open(file) as source:  # in the encoding that it names
            text = source.read()
        names = [one.module.partition(".")[0] for one in imported_modules(text, str(file))]
    except (SyntaxError, ValueError) as error:
        raise PackageError(f"{file} is no Python: {error}.") from error
    yield from filter(str.isidentifier, names)  # a relative import stays in its package, which is carried whole

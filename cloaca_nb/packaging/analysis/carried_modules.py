"""What the imports of a package stand on: modules beside the notebook, which are carried, and distributions."""

import ast
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from cloaca_nb.errors import ExportError
from cloaca_nb.packaging.analysis.distributions import Installed, requirement
from cloaca_nb.packaging.analysis.imports import OUR_NAMES
from cloaca_nb.packaging.analysis.quiet import parse

__all__ = ["Foundation", "ImportedModule", "foundation", "imported_modules", "is_left_out"]

MOST_DATA: Final = 50_000_000  # bytes that a local package may hold besides modules


class ImportedModule(NamedTuple):
    """A module that some code imports."""

    module: str
    where: str  # for messages
    guarded: bool  # inside ``try`` or ``if``: the code has an answer if it isn't there


@dataclass(frozen=True, slots=True)
class Foundation:
    """What a package's imports stand on.

    Attributes:
        files: the local modules, text by path beside the package's folder.
        data: what local packages hold besides modules, by path.
        requirements: of distributions, sorted.
    """

    files: dict[str, str]
    data: dict[str, bytes]
    requirements: tuple[str, ...]

    @property
    def local_names(self) -> set[str]:
        """The top-level names of the local modules."""
        return {path.partition("/")[0].removesuffix(".py") for path in self.files}


def imported_modules(text: str, where: str) -> Iterator[ImportedModule]:
    """Yield the modules that a code imports anywhere, inside functions too."""
    yield from _imported(parse(text), where, guarded=False)


def foundation(imports: Iterable[ImportedModule], folder: Path | None, installed: Installed) -> Foundation:
    """Find out what `imports` stand on.

    Args:
        imports: of the package's own code.
        folder: where local modules are looked for first, as a notebook's kernel does; None: nowhere.
        installed: the distributions that there are.

    Raises:
        ExportError: for a relative import, or one that nothing provides.
    """
    files: dict[str, str] = {}
    data: dict[str, bytes] = {}
    needed: set[str] = set()
    waiting = list(imports)
    while waiting:
        one = waiting.pop()
        top = one.module.partition(".")[0]
        found = _local_files(top, folder)
        new = {path: _text(file) for path, file in found.items() if path.endswith(".py") and path not in files}
        files |= new
        data |= _data({path: file for path, file in found.items() if path not in {*files, *data}}, top, one.where)
        for path, text in new.items():
            waiting += [other for other in imported_modules(text, path) if not other.module.startswith(".")]
        if not found:
            needed.update(_required(one, installed))
    return Foundation(dict(sorted(files.items())), dict(sorted(data.items())), tuple(sorted(needed, key=str.lower)))


def is_left_out(path: Path) -> bool:
    """Say whether a file or folder stays behind when the package that it lies in is carried: hidden, or a cache."""
    return path.name.startswith(".") or path.name == "__pycache__" or path.suffix in {".pyc", ".pyo"}


def _imported(node: ast.AST, where: str, *, guarded: bool) -> Iterator[ImportedModule]:
    if isinstance(node, ast.Import):
        yield from (ImportedModule(alias.name, where, guarded) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        # `from google.cloud import storage`: the last name may be a module as well
        names = [f"{node.module}.{alias.name}" for alias in node.names] if node.module and not node.level else []
        yield from (ImportedModule(name, where, guarded) for name in names or ["." * node.level + (node.module or "")])
    elif isinstance(node, ast.Call):
        yield from (ImportedModule(name, where, guarded=True) for name in _asked_for(node))
    for child in ast.iter_child_nodes(node):
        yield from _imported(child, where, guarded=guarded or isinstance(node, ast.Try | ast.If))


def _asked_for(call: ast.Call) -> Iterator[str]:
    """Yield the module that ``find_spec("x")`` or ``import_module("x")`` asks for."""
    match call:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=[ast.Constant(value=str(module)), *_]):
            if name in {"find_spec", "import_module"}:
                yield module


def _required(one: ImportedModule, installed: Installed) -> list[str]:
    if one.module.startswith("."):
        raise ExportError(
            f"{one.where}: a relative import (`from {one.module} …`) means nothing in a notebook. "
            "Import the module by its name."
        )
    found = requirement(one.module, installed)
    if found is None and not one.guarded:
        top = one.module.partition(".")[0]
        raise ExportError(
            f"{one.where}: nothing provides the module {top!r}: no distribution that is installed here, and no "
            f"{top}.py beside the notebook. Install it, or put the file there."
        )
    return found or []


def _local_files(name: str, folder: Path | None) -> dict[str, Path]:
    """Return the files of a module beside the notebook, by path: of a package all that lies in it."""
    if folder is None or not name or name in {*sys.stdlib_module_names, *OUR_NAMES}:
        return {}
    if (single := folder / f"{name}.py").is_file():
        return {single.name: single}
    if (folder / name / "__init__.py").is_file():
        return {path.relative_to(folder).as_posix(): path for path in _files_below(folder / name)}
    return {}


def _files_below(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.is_dir() and not path.is_symlink() and not is_left_out(path):
            yield from _files_below(path)
        elif path.is_file() and not is_left_out(path):
            yield path


def _data(files: Mapping[str, Path], name: str, where: str) -> dict[str, bytes]:
    """Return the content of files that are no modules, where a package can bear that."""
    if (size := sum(file.stat().st_size for file in files.values())) > MOST_DATA:
        largest = max(files, key=lambda path: files[path].stat().st_size)
        raise ExportError(
            f"{where}: the package {name!r} beside the notebook holds {size / 1e6:,.0f} MB besides its modules, "
            f"{largest} above all, and at most {MOST_DATA / 1e6:.0f} MB are carried. Move its data elsewhere, and give "
            "the tasks a parameter that says where."
        )
    return {path: file.read_bytes() for path, file in files.items()}


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ExportError(
            f"{file} is not in UTF-8, in which a package's modules are written. Save it as that."
        ) from None

"""What the imports of a package stand on: modules beside the notebook, which are carried, and distributions."""

import ast
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from cloaca_nb.errors import ExportError
from cloaca_nb.packaging.analysis.distributions import Installed, requirement
from cloaca_nb.packaging.analysis.imports import OUR_NAMES
from cloaca_nb.packaging.analysis.quiet import parse

__all__ = ["Foundation", "ImportedModule", "foundation", "imported_modules"]


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
        requirements: of distributions, sorted.
    """

    files: dict[str, str]
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
    needed: set[str] = set()
    waiting = list(imports)
    while waiting:
        one = waiting.pop()
        found = _local_files(one.module.partition(".")[0], folder)
        new = {path: text for path, text in found.items() if path not in files}
        files |= new
        for path, text in new.items():
            waiting += [other for other in imported_modules(text, path) if not other.module.startswith(".")]
        if not found:
            needed.update(_required(one, installed))
    return Foundation(dict(sorted(files.items())), tuple(sorted(needed, key=str.lower)))


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


def _local_files(name: str, folder: Path | None) -> dict[str, str]:
    if folder is None or not name or name in {*sys.stdlib_module_names, *OUR_NAMES}:
        return {}
    if (single := folder / f"{name}.py").is_file():
        return {single.name: _text(single)}
    if (folder / name / "__init__.py").is_file():
        return {path.relative_to(folder).as_posix(): _text(path) for path in sorted((folder / name).rglob("*.py"))}
    return {}


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ExportError(
            f"{file} is not in UTF-8, in which a package's modules are written. Save it as that."
        ) from None

"""Import: a package in, a notebook out, as text in memory. An export of that notebook gives the package again."""

import ast
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from cloaca_nb.declare.entry import PYPROJECT, entry_module
from cloaca_nb.errors import PackageError
from cloaca_nb.packaging.analysis.notebook import Notebook
from cloaca_nb.packaging.analysis.quiet import parse
from cloaca_nb.packaging.archive.contents import contents
from cloaca_nb.packaging.archive.inspection import inspected
from cloaca_nb.packaging.export.cells_of_tests import read_tests
from cloaca_nb.packaging.export.draft import Draft
from cloaca_nb.packaging.export.sections import read_module
from cloaca_nb.packaging.export.write import exported_files

__all__ = ["Imported", "import_package"]

ARCHIVE: Final = ".cloacina"
_MOST_NAMED: Final = 3  # files of one message


@dataclass(frozen=True, slots=True)
class Imported:
    """A notebook made of a package.

    Attributes:
        notebook: its name and its code cells.
        files: the modules that its cells import from beside it, text by path, and the bytes of what their packages
            hold besides.
        note: why a plain export of it would not give the package again, were it called like the one that the package
            was exported from; empty if it would.
    """

    notebook: Notebook
    files: Mapping[str, str | bytes]
    note: str


def import_package(path: str | Path, name: str | None = None) -> Imported:
    """Make a notebook of a package; nothing of the package is run, and nothing is written.

    What an export wrote goes back into the cells that its comments name; of a package that was written by hand each
    task, function and class gets a cell, and so do constants that stand together.

    Args:
        path: a folder whose pyproject.toml names an entry module, or a module's file, or an archive.
        name: the notebook's, without suffix; None: of the one that the package was exported from.

    Raises:
        PackageError: if there is no entry module, or it is no Python, or imports parts of its own package, or if the
            archive is one that no loader takes.
    """
    found = Path(path).resolve()
    if found.suffix == ARCHIVE and found.is_file():
        return _import_archive(found, name)
    if found.suffix == ".py" and found.is_file():
        return _import_module(found.parent, found, found.stem, name, is_alone=True)
    entry = entry_module(found) if found.is_dir() else None
    if entry is None:
        raise PackageError(
            f"{path} holds no package: name a folder whose pyproject.toml says [tool.cloaca] entry_module, a "
            f"module's .py file, or a {ARCHIVE} archive."
        )
    return _import_module(found, _entry(found, entry), entry, name)


def _import_archive(path: Path, name: str | None) -> Imported:
    with inspected(path) as (archive, inspection), TemporaryDirectory(prefix="cloaca-import-") as folder:
        if inspection.problems:
            raise PackageError(f"{path}: {inspection.problems[0]}", inspection.problems)
        archive.extract(Path(folder))
        entry = inspection.manifest.entry_module
        return _import_module(Path(folder), _entry(Path(folder), entry), entry, name)


def _import_module(
    folder: Path, file: Path, package_name: str, notebook_name: str | None, *, is_alone: bool = False
) -> Imported:
    """Make a notebook of an entry module and those that lie beside it."""
    text = _text(file)
    module = read_module(text)
    _refuse_relative(file.relative_to(folder), text)
    others = {} if is_alone else contents(folder, package_name)
    files = {name: _content(one) for name, one in others.items() if _is_beside(name, package_name)}
    name = module.notebook or re.sub(r"\W+", "_", package_name)
    tests = read_tests(folder, package_name, module)
    draft = Draft(module, Notebook(name, (), folder), package_name, tests)
    differs = draft.settle(text, _requirements(folder))
    options = f"To get the same package, export it with {draft.options}." if draft.options else ""
    note = " ".join(filter(None, [differs, options, _lost(folder, draft)]))
    return Imported(draft.notebook(notebook_name), files, note)


def _lost(folder: Path, draft: Draft) -> str:
    """Return which files of an earlier export another one wouldn't write, for a person."""
    if draft.package is None:
        return ""
    made = {*draft.package.files, *draft.package.data}
    lost = [path for path in exported_files(folder) or () if path not in made and (folder / path).is_file()]
    if not lost:
        return ""
    more = f" and {len(lost) - _MOST_NAMED} more" if len(lost) > _MOST_NAMED else ""
    golden = any("golden" in path for path in lost)
    why = " Golden tests are made of a recorded run: export it with --golden RUN." if golden else ""
    return f"A notebook doesn't hold {', '.join(lost[:_MOST_NAMED])}{more}.{why}"


def _content(file: Path) -> str | bytes:
    return _text(file) if file.suffix == ".py" else file.read_bytes()


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except UnicodeDecodeError:
        raise PackageError(f"{file} is not in UTF-8, in which a notebook is written. Save it as that.") from None


def _entry(folder: Path, name: str) -> Path:
    """Return the file of a project's entry module."""
    stem = folder.joinpath(*name.split("."))
    for file in (stem / "__init__.py", stem.with_suffix(".py")):
        if file.is_file():
            return file
    raise PackageError(f"The entry module {name!r} is not there: {folder} has neither {stem.name}/ nor {stem.name}.py.")


def _refuse_relative(file: Path, text: str) -> None:
    for node in ast.walk(parse(text)):
        if isinstance(node, ast.ImportFrom) and node.level:
            raise PackageError(
                f"{file}, line {node.lineno}: `{ast.unparse(node)}` imports a part of the package itself, and a "
                "notebook has no parts. Import that module by its name, as one beside the package, or copy it in."
            )


def _is_beside(path: str, package_name: str) -> bool:
    top = path.partition("/")[0].removesuffix(".py")
    return top not in {package_name.partition(".")[0], "vendor"}


def _requirements(folder: Path) -> Sequence[str]:
    file = folder / PYPROJECT
    tables: dict[str, Any] = tomllib.loads(file.read_text("utf-8")) if file.is_file() else {}
    found = tables.get("project", {}).get("dependencies", [])
    return [one for one in found if isinstance(one, str)]

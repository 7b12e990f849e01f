"""Import: a package in, a notebook out, as text in memory. An export of that notebook gives the package again."""

import ast
import re
import shlex
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from cloaca_nb.declare.entry import PYPROJECT, entry_module
from cloaca_nb.errors import CloacaError, PackageError
from cloaca_nb.packaging.analysis.notebook import Cell, Notebook
from cloaca_nb.packaging.analysis.quiet import parse
from cloaca_nb.packaging.archive.contents import contents
from cloaca_nb.packaging.archive.inspection import inspected
from cloaca_nb.packaging.export.back import names_of_parameters, parameters_cell, task_cell, task_id
from cloaca_nb.packaging.export.cells_of_tests import CellsOfTests, read_tests
from cloaca_nb.packaging.export.export import export
from cloaca_nb.packaging.export.package import Package
from cloaca_nb.packaging.export.package_name import bare
from cloaca_nb.packaging.export.sections import Module, Section, read_module

__all__ = ["Imported", "import_package"]

ARCHIVE: Final = ".cloacina"
_ROUNDS: Final = 4  # of exports that are compared with the package: task cells, their --after, plain cells, once more


@dataclass(frozen=True, slots=True)
class Imported:
    """A notebook made of a package.

    Attributes:
        notebook: its name and its code cells.
        files: the modules that its cells import from beside it, text by path.
        note: why an export of it would not give the package again; empty if it would.
    """

    notebook: Notebook
    files: Mapping[str, str]
    note: str


def import_package(path: str | Path) -> Imported:
    """Make a notebook of a package; nothing of the package is run, and nothing is written.

    What an export wrote goes back into the cells that its comments name; of a package that was written by hand each
    task, function and class gets a cell, and so do constants that stand together.

    Args:
        path: a folder whose pyproject.toml names an entry module, or a module's file, or an archive.

    Raises:
        PackageError: if there is no entry module, or it is no Python, or imports parts of its own package, or if the
            archive is one that no loader takes.
    """
    found = Path(path).resolve()
    if found.suffix == ARCHIVE and found.is_file():
        return _import_archive(found)
    if found.suffix == ".py" and found.is_file():
        return _import_module(found.parent, found, found.stem, is_alone=True)
    name = entry_module(found) if found.is_dir() else None
    if name is None:
        raise PackageError(
            f"{path} holds no package: name a folder whose pyproject.toml says [tool.cloaca] entry_module, a "
            f"module's .py file, or a {ARCHIVE} archive."
        )
    return _import_module(found, _entry(found, name), name)


def _import_archive(path: Path) -> Imported:
    with inspected(path) as (archive, inspection), TemporaryDirectory(prefix="cloaca-import-") as folder:
        if inspection.problems:
            raise PackageError(f"{path}: {inspection.problems[0]}", inspection.problems)
        archive.extract(Path(folder))
        name = inspection.manifest.entry_module
        return _import_module(Path(folder), _entry(Path(folder), name), name)


def _import_module(folder: Path, file: Path, package_name: str, *, is_alone: bool = False) -> Imported:
    """Make a notebook of an entry module and those that lie beside it."""
    text = _text(file)
    module = read_module(text)
    _refuse_relative(file.relative_to(folder), text)
    others = {} if is_alone else contents(folder, package_name)
    files = {name: _text(one) for name, one in others.items() if _is_beside(name, package_name)}
    name = module.notebook or re.sub(r"\W+", "_", package_name)
    draft = _Draft(module, Notebook(name, (), folder), package_name, read_tests(folder, package_name, module))
    note = draft.settle(text, _requirements(folder))
    return Imported(draft.notebook(), files, note)


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
    return path.endswith(".py") and top not in {package_name.partition(".")[0], "vendor"}


def _requirements(folder: Path) -> Sequence[str]:
    file = folder / PYPROJECT
    tables: dict[str, Any] = tomllib.loads(file.read_text("utf-8")) if file.is_file() else {}
    found = tables.get("project", {}).get("dependencies", [])
    return [one for one in found if isinstance(one, str)]


@dataclass(slots=True)
class _Draft:
    """A notebook that is exported and corrected until that gives the package again.

    Attributes:
        module: the package's, taken apart.
        empty: the notebook without cells.
        package_name: the package's.
        tests: the package's, as cells.
        plain: the cells whose tasks stay functions with a decorator.
        after: what task cells have to name as dependencies.
        kept: the cells that nothing needs and that are carried because they say so.
        hints: requirements that no import tells.
    """

    module: Module
    empty: Notebook
    package_name: str
    tests: CellsOfTests
    plain: set[str] = field(default_factory=set)
    after: dict[str, tuple[str, ...]] = field(default_factory=dict)
    kept: set[str] = field(default_factory=set)
    hints: list[str] = field(default_factory=list)

    def settle(self, text: str, requirements: Sequence[str]) -> str:
        """Correct the draft; return what differs in the end, for a person."""
        for number in range(_ROUNDS):
            try:
                package = self._export()
            except CloacaError as error:
                problem = f"An export of it says: {error}"
                self.plain |= {one.cell for one in self.module.sections}
            else:
                problem = self._difference(package, text)
                if not problem or not self._correct(package, is_last=number == _ROUNDS - 1):
                    self._hint(package, requirements)
                    return problem if _is_exported(self.module) else ""
        return problem

    def notebook(self) -> Notebook:
        """Return the notebook as it stands."""
        numbered = (
            Cell(number, name, text) for number, (name, text) in enumerate(self._framed(dict(self._cells())).items(), 1)
        )
        return Notebook(self.empty.name, tuple(numbered), self.empty.folder)

    def _difference(self, package: Package, text: str) -> str:
        """Return in which files an export differs from the package, for a person."""
        wanted = {package.entry: text, self.tests.path: self.tests.text}
        wrong = [path for path, one in wanted.items() if package.files.get(path, "") != one]
        others = "".join(
            f" {one} has decorators or takes fixtures, so it can't be a test cell: keep it in a file of its own."
            for one in self.tests.others
        )
        return f"An export of it differs from the package, in {' and '.join(wrong)}.{others}" if wrong else ""

    def _export(self) -> Package:
        return export(self.notebook(), self.module.workflow or None, name=self.package_name)

    def _correct(self, package: Package, *, is_last: bool) -> bool:
        """Change the cells whose export differs; say whether there was one."""
        made = {(one.cell, one.in_block): one.text for one in read_module(package.files[package.entry]).sections}
        wrong = [one for one in self.module.sections if made.get((one.cell, one.in_block)) != one.text]
        changed = False
        for one in wrong:
            missing = self._missing(one, package)
            if one.in_block and one.cell not in self.plain:
                if missing and one.cell not in self.after and not is_last:
                    self.after[one.cell] = missing
                else:
                    self.plain.add(one.cell)
                changed = True
            elif not one.in_block and one.cell not in self.kept and (one.cell, False) not in made:
                self.kept.add(one.cell)
                changed = True
        return changed

    def _missing(self, section: Section, package: Package) -> tuple[str, ...]:
        """Return the dependencies that a task names in the package and doesn't have in the notebook."""
        match = re.search(r"dependencies=\[(.*?)\]", section.text)
        wanted = re.findall(r'"([^"]*)"', match[1]) if match else []
        found = package.dependencies.get(task_id(section.text) or "", ())
        return tuple(one for one in wanted if one not in found)

    def _hint(self, package: Package, requirements: Sequence[str]) -> None:
        known = {bare(one) for one in tomllib.loads(package.files[PYPROJECT])["project"]["dependencies"]}
        self.hints = [one for one in requirements if bare(one) not in known]

    # -- cells

    def _cells(self) -> Iterable[tuple[str, str]]:
        above = {one.cell: one.text for one in self.module.sections if not one.in_block}
        for cell, text in self.tests.plain.items():
            above[cell] = f"{above[cell]}\n\n\n{text}" if cell in above else text
        tasks: dict[str, str] = {}
        for one in self.module.sections:
            if one.in_block:
                tasks[one.cell] = f"{tasks[one.cell]}\n\n{one.text}" if one.cell in tasks else one.text
        for cell in _merged(list(above), list(tasks)):
            yield cell, self._text(cell, above.get(cell, ""), tasks.get(cell, ""))

    def _text(self, cell: str, above: str, tasks: str) -> str:
        if tasks and names_of_parameters(tasks) and task_id(tasks) is None:
            return parameters_cell(tasks, above)
        made = task_cell(tasks, self.after.get(cell, ())) if tasks and not above and cell not in self.plain else None
        if made is not None:
            return made
        directive = "#| cloaca: export\n" if cell in self.kept else ""
        return directive + "\n\n\n".join(filter(None, [above, tasks]))

    def _framed(self, cells: Mapping[str, str]) -> dict[str, str]:
        """Put what makes it a notebook that runs around the cells."""
        setup = ["%load_ext cloaca_nb"]
        is_made = any(one.in_block for one in self.module.sections)
        if is_made and self.module.workflow != self.empty.workflow_name:
            setup.append(f"%cloaca_workflow {shlex.quote(self.module.workflow)}")
        if self.hints:
            setup.append(f"%pip install --quiet {' '.join(map(shlex.quote, self.hints))}")
        frame = {"setup": "\n".join(setup), "imports": f"{self.module.imports}\n{self.tests.imports}".strip("\n")}
        first = {_free(name, cells): text for name, text in frame.items() if text}
        own = {_free(name, cells): text for name, text in self.tests.tests.items()}
        return {**first, **cells, _free("run", {*cells, *own}): "%cloaca_run", **own}


def _is_exported(module: Module) -> bool:
    return bool(module.notebook)


def _free(name: str, taken: Iterable[str]) -> str:
    known = set(taken)
    while name in known:
        name += "-"
    return name


def _merged(above: Sequence[str], tasks: Sequence[str]) -> list[str]:
    """Return all cells in an order that keeps both: what stands above the workflow as early as that allows."""
    found: dict[str, None] = {}
    waiting = list(tasks)
    for cell in above:
        while cell in waiting:
            found[waiting.pop(0)] = None
        found[cell] = None
    return [*found, *(one for one in waiting if one not in found)]

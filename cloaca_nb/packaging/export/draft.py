"""A notebook that is being made of a package: exported and corrected until that gives the package again."""

import ast
import re
import shlex
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from cloaca_nb.declare.entry import PYPROJECT
from cloaca_nb.errors import CloacaError
from cloaca_nb.packaging.analysis.imports import OUR_NAMES
from cloaca_nb.packaging.analysis.notebook import Cell, Notebook
from cloaca_nb.packaging.analysis.quiet import parse
from cloaca_nb.packaging.export.back import names_of_parameters, parameters_cell, task_cell, task_id
from cloaca_nb.packaging.export.cells_of_tests import CellsOfTests
from cloaca_nb.packaging.export.export import export
from cloaca_nb.packaging.export.package import Package
from cloaca_nb.packaging.export.package_name import bare, default_name
from cloaca_nb.packaging.export.sections import Module, Section, read_module

__all__ = ["Draft"]

_ROUNDS: Final = 4  # of exports that are compared with the package: task cells, their --after, plain cells, once more
_OURS: Final = {bare(one) for one in OUR_NAMES}  # distributions: a notebook has one of them, and installs no other


@dataclass(slots=True)
class Draft:
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
        package: the last export; None if that failed.
    """

    module: Module
    empty: Notebook
    package_name: str
    tests: CellsOfTests
    plain: set[str] = field(default_factory=set)
    after: dict[str, tuple[str, ...]] = field(default_factory=dict)
    kept: set[str] = field(default_factory=set)
    hints: list[str] = field(default_factory=list)
    package: Package | None = None

    @property
    def import_name(self) -> str:
        """What the package imports; one that was written by hand may say cloaca and mean cloaca_nb."""
        imports = [one for one in parse(self.module.imports).body if isinstance(one, ast.Import | ast.ImportFrom)]
        names = {one.module if isinstance(one, ast.ImportFrom) else one.names[0].name for one in imports}
        return "cloaca" if _is_exported(self.module) and "cloaca" in names else "cloaca_nb"

    @property
    def options(self) -> str:
        """With which options it has to be exported to give the package again; empty if with none."""
        name = f"--name {self.package_name}" if self.package_name != default_name(self.module.workflow) else ""
        engine = f"--import-name {self.import_name}" if self.import_name != "cloaca_nb" else ""
        return " ".join(filter(None, [name, engine])) if _is_exported(self.module) else ""

    def settle(self, text: str, requirements: Sequence[str]) -> str:
        """Correct the draft; return what differs in the end, for a person."""
        for number in range(_ROUNDS):
            try:
                package = self.package = self._export()
            except CloacaError as error:
                self.package = None
                problem = f"An export of it says: {error}"
                self.plain |= {one.cell for one in self.module.sections}
            else:
                problem = self._difference(package, text)
                if not problem or not self._correct(package, is_last=number == _ROUNDS - 1):
                    self._hint(package, requirements)
                    return problem if _is_exported(self.module) else ""
        return problem

    def notebook(self, name: str | None = None) -> Notebook:
        """Return the notebook as it stands, under another name if one is given."""
        empty = replace(self.empty, name=name or self.empty.name)
        cells = self._framed(dict(self._cells()), empty).items()
        numbered = (Cell(number, cell_id, text) for number, (cell_id, text) in enumerate(cells, 1))
        return replace(empty, cells=tuple(numbered))

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
        return export(
            self.notebook(), self.module.workflow or None, name=self.package_name, import_name=self.import_name
        )

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
        self.hints = [one for one in requirements if bare(one) not in known | _OURS]

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

    def _framed(self, cells: Mapping[str, str], empty: Notebook) -> dict[str, str]:
        """Put what makes it a notebook that runs around the cells."""
        setup = ["%load_ext cloaca_nb"]
        is_made = any(one.in_block for one in self.module.sections)
        if is_made and self.module.workflow != empty.workflow_name:
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

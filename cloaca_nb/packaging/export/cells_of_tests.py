"""The notebook's own tests, taken from the test module of its package: as cells again, with what only they need."""

import ast
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from cloaca_nb.core.testing import PREFIX
from cloaca_nb.packaging.analysis.quiet import parse
from cloaca_nb.packaging.export.back import test_cell
from cloaca_nb.packaging.export.sections import Module, read_module
from cloaca_nb.packaging.export.tested import TESTS

__all__ = ["CellsOfTests", "read_tests"]


@dataclass(slots=True)
class CellsOfTests:
    """What the cells of the tests are.

    Attributes:
        path: of the test module, in the package.
        text: the module's; empty if the package has none.
        imports: those that its entry module lacks.
        plain: what only tests need, by cell.
        tests: the test cells, by cell.
        others: the names of tests that no cell can be, because they have decorators or take fixtures.
    """

    path: str
    text: str = ""
    imports: str = ""
    plain: dict[str, str] = field(default_factory=dict)
    tests: dict[str, str] = field(default_factory=dict)
    others: list[str] = field(default_factory=list)


def read_tests(folder: Path, package_name: str, module: Module) -> CellsOfTests:
    """Return the tests that an export wrote; none where it wrote none.

    Args:
        folder: the project's.
        package_name: of its entry module.
        module: the entry module, taken apart.

    Raises:
        PackageError: if the test module is no Python.
    """
    found = CellsOfTests(TESTS.format(name=package_name))
    file = folder / found.path
    if not file.is_file():
        return found
    found.text = file.read_text("utf-8")
    tests = read_module(found.text)
    found.imports = _more_imports(tests.imports, module.imports, package_name)
    for section in tests.sections:
        for name, text in _parts(section.text):
            _add(found, section.cell, name, text)
    return found


def _add(found: CellsOfTests, cell: str, name: str, text: str) -> None:
    """Put a test, by its name, or what tests need into the cell that it comes from."""
    made = test_cell(text) if name else None
    if made is not None:
        found.tests[cell if cell not in found.tests else name] = made
    elif name:
        found.others.append(name)
    else:
        found.plain[cell] = f"{found.plain[cell]}\n{text}" if cell in found.plain else text


def _parts(text: str) -> Iterator[tuple[str, str]]:
    """Yield the tests in a text, each with its name, and what stands between them, without one."""
    lines, nodes = text.split("\n"), parse(text).body
    ends = [0, *(one.end_lineno or one.lineno for one in nodes[:-1]), len(lines)]
    for (begin, end), node in zip(pairwise(ends), nodes, strict=True):
        name = node.name if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else ""
        yield name if name.startswith(PREFIX) else "", "\n".join(lines[begin:end])


def _more_imports(text: str, above: str, package_name: str) -> str:
    """Return the imports of a text that bind other names than those above, and take nothing from the package."""
    known = {name for one in _imports(above) for name in map(_binds, one.names)}
    return "\n".join(
        ast.unparse(less)
        for one in _imports(text)
        if not (isinstance(one, ast.ImportFrom) and one.module == package_name)
        if (less := _without(one, known)).names
    )


def _imports(text: str) -> Iterable[ast.Import | ast.ImportFrom]:
    return [one for one in parse(text).body if isinstance(one, ast.Import | ast.ImportFrom)]


def _without(node: ast.Import | ast.ImportFrom, known: Collection[str]) -> ast.Import | ast.ImportFrom:
    node.names = [one for one in node.names if _binds(one) not in known]
    return node


def _binds(alias: ast.alias) -> str:
    return alias.asname or alias.name

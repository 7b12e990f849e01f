"""Import statements taken apart into the names that they bind, and put together again as a module's import block."""

import ast
import sys
from collections.abc import Collection, Iterable, Iterator
from typing import Final, NamedTuple

from cloaca_nb.packaging.analysis.statements import Statement

__all__ = ["OUR_NAMES", "Import", "import_block", "imported_by", "imports_of"]

OUR_NAMES: Final = ("cloaca_nb", "cloaca")
WIDTH: Final = 88


class Import(NamedTuple):
    """One name that an import binds.

    Attributes:
        module: the module's dotted name.
        name: what is taken from it; None for ``import module``, ``*`` for all.
        alias: the name that is bound, where it is another one.
    """

    module: str
    name: str | None = None
    alias: str | None = None

    @property
    def binds(self) -> str:
        """The name that a module has afterwards."""
        return self.alias or self.name or self.module.partition(".")[0]

    @property
    def distribution_module(self) -> str:
        """The top-level module that must be installed."""
        return self.module.partition(".")[0]

    def spells(self, dotted: str) -> str | None:
        """Return how code that has this import writes something of a module; None if it can't by this import.

        >>> Import("os", None, "o").spells("os.path.join"), Import("os", "path").spells("os.path.join")
        ('o.path.join', 'path.join')
        """
        whole = self.module if self.name is None else f"{self.module}.{self.name}"
        of_bound = whole if self.name or self.alias else self.distribution_module
        return self.binds + dotted.removeprefix(of_bound) if f"{dotted}.".startswith(f"{of_bound}.") else None

    def of(self, module: str) -> "Import":
        """Return the import of the same name from another spelling of our own package."""
        alias = self.alias or (self.module if self.name is None else None)
        renamed = self.module.replace(self.distribution_module, module, 1)
        return self._replace(module=renamed, alias=None if alias == renamed else alias)


def imports_of(statement: Statement) -> list[Import]:
    """Return what an import statement binds; nothing for another statement."""
    return imported_by(statement.node)


def imported_by(node: ast.AST) -> list[Import]:
    """Return what a node binds if it is an import; nothing for another one."""
    if isinstance(node, ast.Import):
        return [Import(alias.name, None, alias.asname) for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        module = "." * node.level + (node.module or "")
        return [
            Import(module, alias.name, None if alias.asname == alias.name else alias.asname) for alias in node.names
        ]
    return []


def import_block(imports: Iterable[Import], own: Collection[str] = ()) -> str:
    """Return import statements, grouped and sorted as ruff's isort rules have them.

    Args:
        imports: in any order.
        own: top-level names of modules that are carried along.
    """
    groups: dict[int, set[Import]] = {}
    for one in imports:
        groups.setdefault(_group(one, own), set()).add(one)
    return "\n\n".join("\n".join(_lines(groups[number])) for number in sorted(groups))


def _group(one: Import, own: Collection[str]) -> int:
    if one.module == "__future__":
        return 0
    if one.distribution_module in sys.stdlib_module_names:
        return 1
    return 3 if one.distribution_module in own else 2


def _lines(imports: Collection[Import]) -> Iterator[str]:
    plain = sorted((one for one in imports if one.name is None), key=lambda one: (one.module.lower(), one.alias or ""))
    for one in plain:
        yield f"import {one.module} as {one.alias}" if one.alias else f"import {one.module}"
    taken = [one for one in imports if one.name is not None]
    for module in sorted({one.module for one in taken}, key=str.lower):
        yield from _taken_lines(module, [one for one in taken if one.module == module])


def _taken_lines(module: str, taken: list[Import]) -> Iterator[str]:
    if any(one.name == "*" for one in taken):
        yield f"from {module} import *"
    found = sorted((one for one in taken if one.name != "*"), key=_order)
    names = [str(one.name) for one in found if one.alias is None]
    line = f"from {module} import {', '.join(names)}"
    if names and len(line) <= WIDTH:
        yield line
    elif names:
        yield f"from {module} import (\n" + "".join(f"    {name},\n" for name in names) + ")"
    yield from (f"from {module} import {one.name} as {one.alias}" for one in found if one.alias)


def _order(one: Import) -> tuple[int, str, str]:
    """Constants, then classes, then the rest, as isort has it."""
    name = one.name or ""
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2
    return kind, name.lower(), one.alias or ""

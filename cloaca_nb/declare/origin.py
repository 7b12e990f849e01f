"""Where a module comes from: the standard library, a distribution of some version, or a file of the user's own."""

import ast
import sys
import sysconfig
from collections.abc import Iterator
from functools import cache
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import resolve_name
from pathlib import Path
from typing import Final, NamedTuple

from cloaca_nb.declare.installed import INSTALLED

__all__ = ["Origin", "imported_by", "origin_of"]

_OURS: Final = frozenset({"cloaca_nb", "cloaca"})  # what the engine offers to bodies is no part of a task's code


class Origin(NamedTuple):
    """Where a module comes from.

    Attributes:
        kind: "standard", "distribution", "local" or "unknown".
        file: of a local or installed module. A folder without ``__init__.py``: None if local, itself if installed.
        is_package: whether it may hold other modules.
    """

    kind: str
    file: Path | None = None
    is_package: bool = False


def origin_of(name: str) -> Origin:
    """Return where the module of a dotted name comes from; nothing is imported for it."""
    top = name.partition(".")[0]
    if top in sys.stdlib_module_names or top in _OURS:
        return Origin("standard")
    spec = _spec(name)
    if spec is None:
        return Origin("unknown")
    package = spec.submodule_search_locations is not None
    places = [spec.origin] if spec.has_location and spec.origin else list(spec.submodule_search_locations or ())
    if not places:
        return Origin("unknown")
    installed = [Path(place) for place in places if INSTALLED.intersection(Path(place).parts)]
    if installed:
        return Origin("distribution", installed[0], package)
    if any(Path(place).is_relative_to(_standard_library()) for place in places):
        return Origin("standard")
    return Origin("local", Path(places[0]) if spec.has_location else None, package)


def imported_by(tree: ast.AST, package: str) -> Iterator[str]:
    """Yield the dotted names of the modules that a code may import, those of ``from package import module`` too.

    Args:
        tree: of the code.
        package: the dotted name that its relative imports start from.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level and not package:
                continue
            base = resolve_name("." * node.level + base, package) if node.level else base
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names if alias.name != "*")


@cache
def _standard_library() -> str:
    return sysconfig.get_path("stdlib")


def _spec(name: str) -> ModuleSpec | None:
    """Find a module as an import would, parents first, without importing any."""
    loaded = getattr(sys.modules.get(name), "__spec__", None)
    if isinstance(loaded, ModuleSpec):
        return loaded
    parent = name.rpartition(".")[0]
    if not parent:
        return PathFinder.find_spec(name)
    outer = _spec(parent)
    if outer is None or outer.submodule_search_locations is None:
        return None
    return PathFinder.find_spec(name, list(outer.submodule_search_locations))

"""The modules that a task's code reaches: local ones by their source and what they import, others by their version."""

import ast
import linecache
import sys
import types
from collections.abc import Iterable, Iterator
from importlib.util import resolve_name
from pathlib import Path

from cloaca_nb.declare.code_text import digest_text, is_as_written, tree_digest
from cloaca_nb.declare.origin import Origin, imported_by, origin_of, version_of
from cloaca_nb.declare.place import file_label

__all__ = ["Modules"]

Found = tuple[str, tuple[str, str, str], tuple[str, ...]]  # name, (digest, where, shown), why it can't be tracked


class Modules:
    """What modules come to; made for one run, since their files may change after it."""

    def __init__(self) -> None:
        self._origins: dict[str, Origin] = {}
        self._single: dict[str, tuple[list[Found], list[str]]] = {}

    def is_live_only(self, name: str) -> bool:
        """Say whether a module has no file to tell its code by: a notebook, a script, a namespace made by hand."""
        return name in ("", "__main__") or self._origin(name).kind == "unknown"

    def names(self, imports: Iterable[tuple[str, int, tuple[str, ...]]], package: str) -> Iterator[str]:
        """Yield the modules that import statements may mean; see `CodeReads.imports`."""
        for module, level, taken in imports:
            base = resolve_name("." * level + module, package) if level and package else module
            yield base
            yield from (name for one in taken if self._origin(name := f"{base}.{one}").kind == "local")

    def found(self, name: str) -> list[Found]:
        """Return what a module comes to: itself, and the modules that it imports if it is a local one."""
        waiting, seen, parts = [name], set(), []
        while waiting:
            one = waiting.pop()
            if one in seen:
                continue
            seen.add(one)
            if one not in self._single:
                self._single[one] = self._look_at(one)
            found, imports = self._single[one]
            parts += found
            waiting += imports
        return parts

    def _origin(self, name: str) -> Origin:
        if name not in self._origins:
            self._origins[name] = origin_of(name)
        return self._origins[name]

    def _look_at(self, name: str) -> tuple[list[Found], list[str]]:
        origin = self._origin(name)
        if origin.kind == "distribution":
            return [_distribution(name)], []
        if origin.kind != "local":
            return [], []
        parents = [name.rpartition(".")[0]] if "." in name else []
        if origin.file is None:
            return [], parents
        if origin.file.suffix != ".py":
            return [(f"module {name}", (_bytes_digest(origin.file), file_label(str(origin.file)), ""), ())], parents
        linecache.checkcache(str(origin.file))
        tree = ast.parse("".join(linecache.getlines(str(origin.file))))
        package = name if origin.is_package else name.rpartition(".")[0]
        imports = [one for one in imported_by(tree, package) if self._origin(one).kind in ("local", "distribution")]
        part = (tree_digest(tree.body), file_label(str(origin.file)), "")
        return [(f"module {name}", part, tuple(_stale(name, origin.file, tree)))], [*parents, *imports]


def _distribution(module: str) -> Found:
    known = version_of(module)
    if known is None:
        top = module.partition(".")[0]
        return f"distribution of {top}", (digest_text(top), "", ""), (f"the version of module {top} isn't known",)
    name, version = known
    return f"distribution {name}", (digest_text(version), "", version), ()


def _bytes_digest(file: Path) -> str:
    return digest_text(file.read_bytes().hex())


def _stale(name: str, file: Path, tree: ast.Module) -> Iterator[str]:
    """Say it if the module in memory is another than its file: what runs is not what is read."""
    module = sys.modules.get(name)
    if module is None:
        return
    functions = [one for one in vars(module).values() if isinstance(one, types.FunctionType)]
    own = [one for one in functions if one.__code__.co_filename == str(file)]
    literals = dict(_literals(tree))
    changed = [one.__name__ for one in own if not is_as_written(one.__code__)]
    changed += [key for key, one in literals.items() if key in vars(module) and _differs(vars(module)[key], one)]
    if changed:
        yield (
            f"module {name} in memory is not what {file.name} says ({', '.join(sorted(changed))}): "
            "restart the kernel or reload it"
        )


def _differs(live: object, written: object) -> bool:
    return type(live) is not type(written) or live != written


def _literals(tree: ast.Module) -> Iterator[tuple[str, object]]:
    """Yield the names that a module gives one plain value, once."""
    stored = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
    for statement in tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=value)) if stored.count(name) == 1:
                yield name, value

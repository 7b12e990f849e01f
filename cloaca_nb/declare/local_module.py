"""What a local module comes to: the source that is loaded, and what was changed in it since.

What runs is what is loaded, whatever the file says by now. So the source of a module is kept from the first look on,
and is believed until the module is loaded again; what is loaded otherwise than the source says counts by itself.
"""

import ast
import dis
import linecache
import os
import sys
import types
from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any, Final, NamedTuple
from weakref import ref

from cloaca_nb.declare.code_text import content, digest_text, nested_codes, tree_digest
from cloaca_nb.declare.origin import Origin, imported_by
from cloaca_nb.declare.place import file_label
from cloaca_nb.declare.secrecy import is_secret, source_holds_secret

__all__ = ["Found", "LocalModule", "local_module"]

# Its name; digest, where, shown and secret, see `Part`; why it can't be tracked.
Found = tuple[str, tuple[str, str, str, bool], tuple[str, ...]]


class LocalModule(NamedTuple):
    """What a module comes to.

    Attributes:
        found: itself, and the constants that were changed since it was loaded.
        imports: the dotted names of all that it may import.
    """

    found: tuple[Found, ...]
    imports: tuple[str, ...]


class _Source(NamedTuple):
    """What a file says.

    Attributes:
        digest: of it without comments, layout and docstrings.
        imports: the dotted names of all that it may import.
        contents: of the functions in it.
        functions: the names of those that nothing else is bound to and nothing decorates.
        literals: the names that are given one plain value, once.
        secret: whether it may hold a secret.
    """

    digest: str
    imports: tuple[str, ...] = ()
    contents: frozenset[str] = frozenset()
    functions: tuple[str, ...] = ()
    literals: tuple[tuple[str, Any], ...] = ()
    secret: bool = False


class _Loaded(NamedTuple):
    """The source of a module in memory."""

    module: "ref[types.ModuleType]"
    spec: ModuleSpec | None  # another one after each reload
    source: _Source


_files: Final[dict[tuple[str, Path], tuple[tuple[int, int], _Source]]] = {}
_loaded: Final[dict[str, _Loaded]] = {}


def local_module(name: str, origin: Origin) -> LocalModule:
    """Return what a local module comes to.

    Args:
        name: its dotted name.
        origin: where it comes from.
    """
    if origin.file is None:
        return LocalModule((), ())
    module = sys.modules.get(name)
    source = _kept(name, module) or _file_source(name, origin.file, origin)
    if module is None:
        return LocalModule((_itself(name, origin.file, source, source.digest),), source.imports)
    others = dict(_others(module, name, origin.file, source)) if origin.file.suffix == ".py" else {}
    if others and _kept(name, module):
        _loaded.pop(name)  # functions were exchanged, as autoreload does: perhaps for those of the file
        return local_module(name, origin)
    if not others:
        _loaded[name] = _Loaded(ref(module), module.__spec__, source)
    digest = digest_text(source.digest, *(f"{key} {one}" for key, one in sorted(others.items())))
    itself = _itself(name, origin.file, source, digest if others else source.digest)
    if others:
        reason = (
            f"module {name} in memory is not what {origin.file.name} says ({', '.join(sorted(others))}): "
            "restart the kernel or reload it"
        )
        itself = (*itself[:2], (reason,))
    return LocalModule((itself, *_constants(module, name, source)), source.imports)


def _kept(name: str, module: types.ModuleType | None) -> _Source | None:
    kept = _loaded.get(name)
    is_same = kept is not None and module is not None and kept.module() is module and kept.spec is module.__spec__
    return kept.source if kept is not None and is_same else None


def _itself(name: str, file: Path, source: _Source, digest: str) -> Found:
    return f"module {name}", (digest, file_label(str(file)), "", source.secret), ()


# -- the file


def _file_source(name: str, file: Path, origin: Origin) -> _Source:
    status = os.stat(file)  # noqa: PTH116 - a third of the cost
    stamp = (status.st_mtime_ns, status.st_size)
    known = _files.get((name, file))
    if known is None or known[0] != stamp:
        known = _files[name, file] = stamp, _read(name, file, origin)
    return known[1]


def _read(name: str, file: Path, origin: Origin) -> _Source:
    if file.suffix != ".py":
        return _Source(digest_text(file.read_bytes().hex()))
    linecache.checkcache(str(file))  # for tracebacks and inspect, which ask it next
    tree = ast.parse(file.read_bytes())
    package = name if origin.is_package else name.rpartition(".")[0]
    code = compile(file.read_bytes(), str(file), "exec", dont_inherit=True)
    return _Source(
        tree_digest(tree.body),
        tuple(imported_by(tree, package)),
        frozenset(map(content, nested_codes(code))),
        tuple(_plain_functions(tree)),
        tuple(_literals(tree)),
        source_holds_secret(tree),
    )


def _bound_once(tree: ast.Module) -> set[str]:
    stored = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    stored += [node.name for node in ast.walk(tree) if isinstance(node, kinds)]
    return {name for name in stored if stored.count(name) == 1}


def _plain_functions(tree: ast.Module) -> Iterator[str]:
    once = _bound_once(tree)
    for one in tree.body:
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef) and not one.decorator_list and one.name in once:
            yield one.name


def _literals(tree: ast.Module) -> Iterator[tuple[str, Any]]:
    """Yield the names that a module gives one plain value, once."""
    once = _bound_once(tree)
    for statement in tree.body:
        match statement:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
            ) if name in once:
                constant = _constant(value)
                if constant is not _UNKNOWN:
                    yield name, constant


_UNKNOWN: Final = object()
_PLAIN: Final = (int, float, complex, str, bytes, bool, type(None))


def _constant(value: ast.expr) -> Any:
    """Return what an expression is where the compiler can say it: ``60 * 60`` too."""
    code = compile(ast.Expression(value), "<constant>", "eval")
    steps = [one for one in dis.get_instructions(code) if one.opname not in ("RESUME", "RETURN_VALUE")]
    is_constant = len(steps) == 1 and steps[0].opname in ("LOAD_CONST", "RETURN_CONST", "LOAD_SMALL_INT")
    return steps[0].argval if is_constant and isinstance(steps[0].argval, _PLAIN) else _UNKNOWN


# -- what is loaded


def _others(module: types.ModuleType, name: str, file: Path, source: _Source) -> Iterator[tuple[str, str]]:
    """Yield the functions in memory that the file doesn't hold, each with what it is."""
    for key, function in _functions(module, name):
        if function.__code__.co_filename == str(file) and content(function.__code__) not in source.contents:
            yield key, content(function.__code__)
    for key in source.functions:
        one = vars(module).get(key)
        if not isinstance(one, types.FunctionType):
            yield key, "gone"
        elif content(one.__code__) not in source.contents:
            yield key, content(one.__code__)


def _functions(module: types.ModuleType, name: str) -> Iterator[tuple[str, types.FunctionType]]:
    for key, one in list(vars(module).items()):
        if isinstance(one, types.FunctionType):
            yield key, one
        elif isinstance(one, type) and one.__module__ == name:
            for member, inside in list(vars(one).items()):
                yield from ((f"{key}.{member}", function) for function in _inside(inside))


def _inside(member: Any) -> Iterator[types.FunctionType]:
    match member:
        case types.FunctionType():
            yield member
        case staticmethod() | classmethod():
            yield from _inside(member.__func__)
        case property():
            for one in (member.fget, member.fset, member.fdel):
                yield from _inside(one)


def _constants(module: types.ModuleType, name: str, source: _Source) -> Iterator[Found]:
    """Yield the constants that somebody gave another value: what is loaded counts."""
    for key, written in source.literals:
        live = vars(module).get(key, _UNKNOWN)
        if live is written or (type(live) is type(written) and live == written):
            continue
        if type(live) in _PLAIN:
            secret = is_secret(key)
            shown = repr(live) if type(live) in (int, float, bool) and not secret else ""
            yield f"set {name}.{key}", (digest_text(type(live).__name__, repr(live)), "", shown, secret), ()
        else:
            reason = f"{key} of module {name} was given another value, which can't be tracked there"
            yield f"set {name}.{key}", (digest_text(type(live).__qualname__), "", "", False), (reason,)

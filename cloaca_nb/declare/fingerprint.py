"""The fingerprint of a task's code: by it a later run knows whether an output is still what the code would make."""

import inspect
import sys
import types
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

from cloaca_nb.core.names import Keys
from cloaca_nb.core.task import Task
from cloaca_nb.declare.code_text import CodeTexts, digest_text
from cloaca_nb.declare.differences import BODY, differences
from cloaca_nb.declare.known_code import KnownCode, Lead, Node, Part, known_code
from cloaca_nb.declare.modules import Modules
from cloaca_nb.declare.reach import Reach
from cloaca_nb.declare.secrecy import function_holds_secret
from cloaca_nb.declare.shapes import Shape, Shapes

__all__ = ["CodeFingerprint", "Fingerprints", "Part"]


@dataclass(frozen=True, slots=True)
class CodeFingerprint:
    """What a task's code is, as of one moment.

    Attributes:
        digest: 32 hexadecimal digits: equal for equal code, in any process under one minor version of Python.
        parts: what it is made of, by name: "task body", "helper clean_name", "constant LIMIT", "distribution pandas".
        untracked: why a change might not be seen, as sentences; empty if every change would be.
        secret: whether a part holds a secret.
    """

    digest: str
    parts: Mapping[str, Part]
    untracked: tuple[str, ...] = ()
    secret: bool = False

    def hidden(self, digest: Callable[[str], str]) -> "CodeFingerprint":
        """Return the same fit to be kept: with other digests of what holds secrets.

        Args:
            digest: makes of a digest that tells too much one that tells nothing.
        """
        if not self.secret:
            return self
        parts = {
            name: part._replace(digest=digest(part.digest)) if part.secret else part
            for name, part in self.parts.items()
        }
        return CodeFingerprint(_digest_of(parts), MappingProxyType(parts), self.untracked, secret=True)

    def differences(self, earlier: Mapping[str, Part]) -> list[str]:
        """Say in words what is different now.

        Args:
            earlier: the parts of an earlier fingerprint.
        """
        return differences(self.parts, earlier)


class Fingerprints:
    """Computes the fingerprints of the tasks of one run, which share what their helpers come to.

    Make a new one for each run, since a constant may have been changed since. What earlier runs found is used again
    where nothing that it was made from can have changed.

    Args:
        digest: the digest of a value without functions in it, as text; None if it has none, as an open file hasn't.
        known: what code came to in earlier runs; by default what this process knows.
    """

    def __init__(self, digest: Callable[[Any], str | None], known: KnownCode | None = None) -> None:
        self._known = known_code(digest) if known is None else known
        self._shapes = Shapes(digest)
        self._modules = Modules()
        self._texts = CodeTexts()
        self._reaches: dict[str, Reach] = {}
        self._made: dict[int, tuple[Task, CodeFingerprint]] = {}
        self._behind: dict[tuple[str, frozenset[type | str]], CodeFingerprint] = {}

    def of(self, task: Task) -> CodeFingerprint:
        """Return the fingerprint of a task's code; its retries, timeout and callbacks are no part of it."""
        made = self._made.get(id(task.function))
        if made is not None and _is_alike(task, made[0]):
            return made[1]
        found = self._from_before(task) or self._anew(task)
        self._made[id(task.function)] = task, found
        return found

    def behind(self, task: Task, code: frozenset[type | str]) -> CodeFingerprint:
        """Return the fingerprint of what a value is made of that a task reads: its methods are code of that task.

        Args:
            task: who reads it.
            code: the value's classes, and the modules of functions that it leads to.
        """
        module = _module(inspect.unwrap(task.function))
        found = self._behind.get((module, code))
        if found is None:
            units = [unit for _, node in self._reach(module).reached(code) for unit in node.units]
            merged: dict[str, list[Part]] = {}
            for unit in units:
                merged.setdefault(unit.name, []).append(unit.part)
            found = self._behind[module, code] = _of_parts(merged, {one for unit in units for one in unit.untracked})
        return found

    def _from_before(self, task: Task) -> CodeFingerprint | None:
        function = task.function
        if type(function) is not types.FunctionType:  # another callable may hold anything
            return None
        result: _Result | None = self._known.result(function)
        if result is None or not result.is_of(task) or not self._reach(result.module).still(result.nodes):
            return None
        return result.fingerprint

    def _anew(self, task: Task) -> CodeFingerprint:
        inner = inspect.unwrap(task.function)
        module = _module(inner)
        root = self._shapes.of(task.function, BODY)
        reached = self._reach(module).reached(root.leads_to)
        found = _fingerprint(task, inner, root, reached)
        if type(task.function) is types.FunctionType:
            nodes = tuple(node for _, node in reached)
            self._known.keep_result(task.function, _Result(module, nodes, found, task.source, task.keys, task.where))
        return found

    def _reach(self, module: str) -> Reach:
        reach = self._reaches.get(module)
        if reach is None:
            reach = self._reaches[module] = Reach(module, self._shapes, self._modules, self._known, self._texts)
        return reach


class _Result(NamedTuple):
    """A fingerprint, what it was made from, and what of the task counts beside its function."""

    module: str
    nodes: tuple[Node, ...]
    fingerprint: CodeFingerprint
    source: str
    keys: Keys
    where: str

    def is_of(self, task: Task) -> bool:
        return task.where == self.where and task.source == self.source and task.keys == self.keys


def _is_alike(one: Task, other: Task) -> bool:
    return one is other or (one.where == other.where and one.source == other.source and one.keys == other.keys)


def _fingerprint(task: Task, inner: Any, root: Shape, reached: list[tuple[Lead, Node]]) -> CodeFingerprint:
    merged: dict[str, list[Part]] = {
        BODY: [Part(root.digest if root.held else "", task.where, secret=_is_secret(task.function))]
    }
    reasons = list(root.untracked)
    for one, node in reached:
        for unit in node.units:
            is_body = one is inner and unit.name.startswith("helper ")
            part = unit.part._replace(where=task.where or unit.part.where) if is_body else unit.part
            merged.setdefault(BODY if is_body else unit.name, []).append(part)
            reasons += unit.untracked
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    merged["Python"] = [Part(digest_text(version), shown=version)]
    return _of_parts(merged, set(reasons))


def _of_parts(merged: Mapping[str, list[Part]], reasons: Collection[str]) -> CodeFingerprint:
    parts = {name: _merge(found) for name, found in sorted(merged.items(), key=_name_of)}
    secret = any(part.secret for part in parts.values())
    return CodeFingerprint(_digest_of(parts), MappingProxyType(parts), tuple(sorted(reasons)), secret)


def _digest_of(parts: Mapping[str, Part]) -> str:
    return digest_text(*(text for name, part in parts.items() for text in (name, part.digest)))


def _name_of(item: tuple[str, Any]) -> str:
    return item[0]


def _module(function: Any) -> str:
    """Return the name of the module whose code is followed function by function."""
    while not isinstance(function, types.FunctionType):
        inside = getattr(function, "func", None) or getattr(function, "__func__", None)
        if inside is None and isinstance(function, types.BuiltinFunctionType | type):
            return "__main__"
        function = inside or vars(type(function)).get("__call__", type(function))
    return str(function.__globals__.get("__name__", "__main__"))


def _merge(parts: list[Part]) -> Part:
    """Make one part of those of one name: e.g. of the wrappers that one decorator made."""
    if len(parts) == 1:
        return parts[0]
    digests = sorted({one.digest for one in parts if one.digest})
    secret = any(one.secret for one in parts)
    if len(digests) == 1:
        return next(one for one in parts if one.digest)._replace(secret=secret)
    return parts[0]._replace(digest=digest_text(*digests), secret=secret)


def _is_secret(function: Any) -> bool:
    return isinstance(function, types.FunctionType) and function_holds_secret(function)

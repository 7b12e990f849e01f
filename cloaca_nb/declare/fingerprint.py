"""The fingerprint of a task's code: by it a later run knows whether an output is still what the code would make."""

import inspect
import sys
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from cloaca_nb.core.cells import is_task_cell, parse_task_cell
from cloaca_nb.core.task import Task
from cloaca_nb.declare.code_text import digest_text, tree_digest
from cloaca_nb.declare.modules import Modules
from cloaca_nb.declare.reach import Part, Reach, Unit
from cloaca_nb.declare.shapes import Shapes

__all__ = ["CodeFingerprint", "Fingerprints", "Part"]

BODY = "task body"


@dataclass(frozen=True, slots=True)
class CodeFingerprint:
    """What a task's code is, as of one moment.

    Attributes:
        digest: 32 hexadecimal digits: equal for equal code, in any process under one minor version of Python.
        parts: what it is made of, by name: "task body", "helper clean_name", "constant LIMIT", "distribution pandas".
        untracked: why a change might not be seen, as sentences; empty if every change would be.
    """

    digest: str
    parts: Mapping[str, Part]
    untracked: tuple[str, ...] = ()

    def differences(self, earlier: Mapping[str, Part]) -> list[str]:
        """Say in words what is different now.

        Args:
            earlier: the parts of an earlier fingerprint.
        """
        names = [name for name in (*self.parts, *earlier) if _of(self.parts, name) != _of(earlier, name)]
        return [_sentence(name, self.parts.get(name), earlier.get(name)) for name in dict.fromkeys(names)]


class Fingerprints:
    """Computes the fingerprints of the tasks of one run, which share what their helpers come to.

    Make a new one for each run: a constant may have been changed in place since.

    Args:
        digest: the digest of a value without functions in it, as text; None if it has none, as an open file hasn't.
    """

    def __init__(self, digest: Callable[[Any], str | None]) -> None:
        self._shapes = Shapes(digest)
        self._modules = Modules()
        self._reaches: dict[int, Reach] = {}

    def of(self, task: Task) -> CodeFingerprint:
        """Return the fingerprint of a task's code; its retries, timeout and callbacks are no part of it."""
        inner = inspect.unwrap(task.function)
        reach = self._reach(inner)
        root = self._shapes.of(task.function, BODY)
        units = reach.units(root.leads_to)
        merged: dict[str, list[Part]] = {BODY: [Part(root.digest if root.held else "", task.where)]}
        reasons = list(root.untracked)
        for one, unit in units:
            is_body = one is inner and unit.name.startswith("helper ")
            merged.setdefault(BODY if is_body else unit.name, []).append(_body(task, unit) if is_body else unit.part)
            reasons += unit.untracked
        parts = {name: _merge(found) for name, found in sorted(merged.items(), key=lambda item: item[0])}
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        parts["Python"] = Part(digest_text(version), shown=version)
        digest = digest_text(*(text for name in sorted(parts) for text in (name, parts[name].digest)))
        return CodeFingerprint(digest, MappingProxyType(parts), tuple(sorted(set(reasons))))

    def _reach(self, function: Any) -> Reach:
        while not isinstance(function, types.FunctionType):
            inside = getattr(function, "func", None) or getattr(function, "__func__", None)
            if inside is None and isinstance(function, types.BuiltinFunctionType | type):
                return self._reach_of({"__name__": "__main__"})
            function = inside or vars(type(function)).get("__call__", type(function))
        return self._reach_of(function.__globals__)

    def _reach_of(self, namespace: dict[str, Any]) -> Reach:
        if id(namespace) not in self._reaches:
            self._reaches[id(namespace)] = Reach(namespace, self._shapes, self._modules)
        return self._reaches[id(namespace)]


def _body(task: Task, unit: Unit) -> Part:
    """Return the part of the task's own function; that of a cell is told by what the author wrote."""
    if not is_task_cell(task.source):
        return unit.part
    cell = parse_task_cell(task.source)
    return Part(digest_text(tree_digest(cell.code.statements), repr(tuple(task.keys))), task.where)


def _merge(parts: list[Part]) -> Part:
    """Make one part of those of one name: e.g. of the wrappers that one decorator made."""
    if len(parts) == 1:
        return parts[0]
    digests = sorted({one.digest for one in parts if one.digest})
    if len(digests) == 1:
        return next(one for one in parts if one.digest)
    return parts[0]._replace(digest=digest_text(*digests))


def _of(parts: Mapping[str, Part], name: str) -> str | None:
    return parts[name].digest if name in parts else None


def _sentence(name: str, now: Part | None, before: Part | None) -> str:
    subject = name.removeprefix("constant ").removeprefix("distribution ").removeprefix("name ")
    if now is None:
        return f"{name} is no longer used"
    where = f" ({now.where})" if now.where and name != BODY else ""
    if before is None:
        return f"{name}{where} is used now, and wasn't before"
    if now.shown and before.shown:
        if name.startswith("distribution ") or name == "Python":
            return f"{subject} {before.shown} → {now.shown}"
        if now.shown != before.shown:
            return f"{subject} is {now.shown} now, was {before.shown}"
    return f"{name}{where} was changed"

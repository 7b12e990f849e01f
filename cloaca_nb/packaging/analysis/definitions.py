"""Who defines each name of a notebook: the statement that makes its value, and those that change it afterwards."""

import ast
import builtins
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from cloaca_nb.core.code.bindings import own_scope
from cloaca_nb.errors import ExportError, near_miss
from cloaca_nb.packaging.analysis.aliases import aliases, reached_by
from cloaca_nb.packaging.analysis.calls import Calls, used_at_once
from cloaca_nb.packaging.analysis.changes import changed_at_once, given_out, may_rebind
from cloaca_nb.packaging.analysis.imports import OUR_NAMES, Import, imports_of
from cloaca_nb.packaging.analysis.statements import Place, Statement
from cloaca_nb.packaging.analysis.states import States

__all__ = ["COMPOUND", "Definition", "Definitions", "Reader"]


# Statements that hold others: what they bind, they may have bound before they read it.
COMPOUND: Final = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.Try, ast.TryStar, ast.With, ast.AsyncWith, ast.Match)


# Magics that give names values.
_DEFINES: Final = re.compile(r"%(run|store|pylab|load|macro)\b")
# What IPython puts into every notebook besides `display`, which modules can import.
_OF_IPYTHON: Final = {"get_ipython", "In", "Out", "_", "__", "___", "_i", "_ii", "_iii", "_ih", "_oh", "_dh"}


@dataclass(frozen=True, slots=True)
class Reader:
    """Who needs a name, and from where.

    Attributes:
        what: as messages call it: "task 'clean'".
        where: the cell and line.
        place: where it reads the name at once; None if it reads it only when a task runs, after all cells.
        above: whether its code stands above the tasks in the package.
    """

    what: str
    where: str
    place: Place | None = None
    above: bool = False


@dataclass(slots=True, eq=False)
class Definition:
    """One value of a name: how it comes to be."""

    name: str
    statement: Statement
    changes: list[Statement] = field(default_factory=list)

    @property
    def is_import(self) -> bool:
        """Whether an import statement binds the name."""
        return isinstance(self.statement.node, ast.Import | ast.ImportFrom)

    @property
    def is_assigned(self) -> bool:
        """Whether it is a value: no module, function or class."""
        return not isinstance(
            self.statement.node, ast.Import | ast.ImportFrom | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
        )

    @property
    def is_ours(self) -> bool:
        """Whether the name is this library's module, or something of it."""
        return any(one.distribution_module in OUR_NAMES for one in self.imports())

    @property
    def is_changeable(self) -> bool:
        """Whether a method may change the value: not so for numbers, texts, functions, classes and modules."""
        node = self.statement.node
        return not isinstance(getattr(node, "value", None), ast.Constant) and isinstance(
            node, ast.Assign | ast.AnnAssign | ast.If | ast.For | ast.Try | ast.Match
        )

    def same_as(self, other: "Definition") -> bool:
        """Say whether both give the name the same value."""
        if self.is_import or other.is_import:
            return self.imports() == other.imports()
        steps, others = [self.statement, *self.changes], [other.statement, *other.changes]
        return len(steps) == len(others) and all(one.same_as(two) for one, two in zip(steps, others, strict=True))

    def imports(self) -> list[Import]:
        """Return what an import statement binds to the name."""
        return [one for one in imports_of(self.statement) if one.binds == self.name]


class Definitions:
    """All definitions of a notebook's names.

    Args:
        statements: all statements of the notebook, in document order.
    """

    def __init__(self, statements: Iterable[Statement]) -> None:
        self._found: dict[str, list[Definition]] = {}
        self._aliases: dict[str, set[str]] = {}
        self._calls = Calls()
        self._states = States()
        self._by_calls: dict[Statement, frozenset[str]] = {}
        self._changers: dict[Statement, frozenset[str]] = {}
        self._magics: list[Statement] = []
        for statement in statements:
            if _DEFINES.match(statement.first_line):
                self._magics.append(statement)
            self._changers[statement] = self._calls.changers(statement) | self._states.called_by(statement)
            self._by_calls[statement] = self._calls.changed_by(statement) | self._changed_inside(statement)
            changed = self._changed(statement) | self._calls.told_of(statement)
            for name in sorted(statement.names.defined):
                self._define(name, statement)
                self._calls.define(name, statement)
                self._states.define(name, statement, self._calls.methods)
                self._aliases[given_out(name)] = set(self._calls.given_out_by(name))
            for name in sorted(changed - statement.names.defined):
                if name in self._found:
                    self._found[name][-1].changes.append(statement)

    def __contains__(self, name: str) -> bool:
        return name in self._found

    def names(self) -> list[str]:
        """Return all names that are defined."""
        return list(self._found)

    def changers(self, statement: Statement) -> frozenset[str]:
        """Return the notebook's functions and classes that a statement uses and that change something when called."""
        return self._changers[statement]

    def is_changed_by_call(self, name: str, statement: Statement) -> bool:
        """Say whether a statement changes the value of a name by calling a function of the notebook."""
        return name in self._by_calls[statement]

    def is_defined_above(self, name: str, statement: Statement) -> bool:
        """Say whether a name has a value already when `statement` is executed."""
        return any(one.statement.place < statement.place for one in self._found.get(name, ()))

    def above(self, name: str, statement: Statement) -> Definition | None:
        """Return the definition that a name has when `statement` is executed; None if that can't be told."""
        return next((one for one in reversed(self._found.get(name, ())) if one.statement.place < statement.place), None)

    def called_by(self, statement: Statement) -> set[str]:
        """Return the names that the notebook's functions may read which a statement calls at once."""
        found: set[str] = set()
        seen: set[str] = set()
        waiting = list(used_at_once(statement))
        while waiting:
            name = waiting.pop()
            one = self.above(name, statement) if name not in seen else None
            seen.add(name)
            if one is not None and not one.is_import:
                found |= one.statement.names.later
                waiting += one.statement.names.later | one.statement.names.now
        return found

    def imports_named(self, name: str) -> list[Import]:
        """Return the imports that bind a name."""
        imports = [one for found in self._found.get(name, ()) for one in imports_of(found.statement)]
        return [one for one in imports if one.binds == name]

    def find(self, name: str, reader: Reader) -> Definition | None:
        """Return the definition that a reader means; None if the notebook never defines the name.

        Raises:
            ExportError: if cells define it differently and a task could mean either, or if it is defined only below.
        """
        found = self._found.get(name, [])
        if not found or all(one.same_as(found[0]) for one in found):
            return self._not_below(name, found[:1], reader)
        if reader.place is not None:
            return self._not_below(name, found, reader)
        last_of_cell = {one.statement.place.cell: one for one in found}
        first, *others = last_of_cell.values()
        for other in others:
            if not other.same_as(first):
                raise ExportError(
                    f"{reader.where}: {reader.what} needs {name!r}, which {first.statement.where} "
                    f"(`{first.statement.first_line}`) and {other.statement.where} (`{other.statement.first_line}`) "
                    "define differently, so either could be meant. Rename one of them, or move the one that is meant "
                    "into the task."
                )
        return first

    def _changed_inside(self, statement: Statement) -> frozenset[str]:
        """Return the names whose values methods change inside of a statement's expressions; modules keep theirs."""
        changed = {*changed_at_once(statement.node, self._calls.methods), *self._states.used_up_by(statement)}
        if may_rebind(statement.node):
            changed.update(name for name, found in self._found.items() if found[-1].is_assigned)
        return frozenset(name for name in changed if not (name in self._found and self._found[name][-1].is_import))

    def _changed(self, statement: Statement) -> set[str]:
        """Return the names whose values a statement changes; after ``a = b``, a change of `a` is one of `b` too."""
        updated = statement.names.defined if isinstance(statement.node, ast.AugAssign) else frozenset()
        own = self._aliases_by(statement)
        known = {name: self._aliases.get(name, set()) | own.get(name, set()) for name in {*self._aliases, *own}}
        return reached_by({*statement.changes, *self._by_calls[statement], *updated}, known)

    def _aliases_by(self, statement: Statement) -> dict[str, set[str]]:
        """Return for each name that a statement binds, and each call in it, the names whose values it may hold."""
        found: dict[str, set[str]] = {}
        for name, other in aliases(own_scope([statement.node])):
            found.setdefault(name, set()).add(other)
        for called, handed in self._calls.given_back_in(statement):
            for others in [*found.values(), found.setdefault(called, {called})]:
                others.update(handed if called in others else ())
        return found

    def _define(self, name: str, statement: Statement) -> None:
        if not isinstance(statement.node, ast.AugAssign):
            kept = self._aliases.get(name, set()) if isinstance(statement.node, COMPOUND) else set()
            self._aliases[name] = (kept | self._aliases_by(statement).get(name, set())) - {name}
        found = self._found.setdefault(name, [])
        if found and _continues(name, statement, found[-1]):
            found[-1].changes.append(statement)
        else:
            found.append(Definition(name, statement))

    def _not_below(self, name: str, found: list[Definition], reader: Reader) -> Definition | None:
        """Return the nearest definition above the reader; imports are hoisted, so they are above everything."""
        if reader.place is None or not found or found[0].is_import:
            return found[-1] if found else None
        above = [one for one in found if one.statement.place < reader.place]
        if not above and hasattr(builtins, name):
            return None
        if not above:
            raise ExportError(
                f"{reader.where}: {reader.what} needs {name!r}, which is defined only below, in "
                f"{found[-1].statement.where}. Move that cell up."
            )
        return above[-1]

    def missing(self, name: str, reader: Reader, outputs: Iterable[str], private: str | None) -> ExportError:
        """Return the error for a name that nothing defines, or only a task cell for itself: the one at `private`."""
        if name in set(outputs):
            fix = (
                "Tasks set it, but code outside them doesn't see that: pass it as an argument, or define it in a cell."
            )
        elif name in _OF_IPYTHON:
            fix = (
                "IPython has it for every notebook, and a package runs without IPython: give the value a name of your "
                "own, or write the line as Python."
            )
        elif private is not None:
            fix = f"The task of {private} has one of its own: move that line into a plain cell, which all tasks see."
        elif self._magics:
            one = self._magics[0]
            fix = (
                f"If `{one.first_line}` in {one.where} defines it: only IPython can run that line. Define it in a "
                "cell, or import it."
            )
        else:
            fix = f"Define it in a cell, or import it.{near_miss(name, self._found)}"
        return ExportError(f"{reader.where}: {reader.what} needs {name!r}, which no cell defines. {fix}")


def _continues(name: str, statement: Statement, before: Definition) -> bool:
    """Say whether a statement works on the value that the name has, rather than giving it a new one."""
    node = statement.node
    if isinstance(node, ast.Import):
        return before.is_import and all("." in one.module for one in imports_of(statement) if one.binds == name)
    if isinstance(node, COMPOUND):
        return True
    reads_itself = name in statement.names.now
    return reads_itself and not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)

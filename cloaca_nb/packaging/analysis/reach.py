"""Reachability: everything of a notebook that its tasks need, and nothing else."""

import ast
import builtins
from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from cloaca_nb.errors import ExportError
from cloaca_nb.packaging.analysis.calls import used_at_once
from cloaca_nb.packaging.analysis.carried_modules import imported_modules
from cloaca_nb.packaging.analysis.definitions import COMPOUND, Definition, Definitions, Reader
from cloaca_nb.packaging.analysis.effects import Effect, effect_of, obstacle, syntax_obstacle, uses_ipython
from cloaca_nb.packaging.analysis.free_names import FreeNames
from cloaca_nb.packaging.analysis.imports import OUR_NAMES, Import, imports_of
from cloaca_nb.packaging.analysis.settings import sets_of_imports
from cloaca_nb.packaging.analysis.statements import Statement

__all__ = ["Need", "Reached", "reach"]

# What IPython puts into every notebook, and where a module gets it from.
_FROM_IPYTHON: Final = {"display": Import("IPython.display", "display")}
_OF_MODULES: Final = {"__name__", "__file__", "__doc__", "__package__", "__spec__"}


@dataclass(frozen=True, slots=True)
class Need:
    """The names that a piece of code needs, and whom an error names for it."""

    names: FreeNames
    reader: Reader


@dataclass(frozen=True, slots=True)
class Reached:
    """What is carried.

    Attributes:
        imports: each with the place of its statement, for messages.
        statements: definitions and changes other than imports, in document order.
        names: every name that the tasks or what is carried for them use, whoever defines it.
    """

    imports: Mapping[Import, str]
    statements: tuple[Statement, ...]
    names: frozenset[str]


def reach(
    statements: Sequence[Statement],
    needs: Iterable[Need],
    *,
    in_workflow: Sequence[Statement] = (),
    wanted: Mapping[Statement, bool] | None = None,
    outputs: Collection[str] = (),
    private: Mapping[str, str] = MappingProxyType({}),
    provided: Collection[str] = (),
    modules: Collection[str] = (),
) -> Reached:
    """Return what the tasks need, directly or through what they need.

    Args:
        statements: all statements of the notebook, those of the workflow included, in document order.
        needs: what the task cells use.
        in_workflow: the statements that define tasks: they are carried anyway, below everything else.
        wanted: statements that are carried in any case, each with whether it may do more than make a value.
        outputs: the keys that tasks set, for the message about a name that only a task knows.
        private: names that only a task cell binds for itself, and that cell, for the same message.
        provided: names that the module has in any case.
        modules: top-level modules that tasks import themselves.

    Raises:
        ExportError: if something that is needed can't be carried; it names the cell, the line and the fix.
    """
    closure = _Closure(statements, set(in_workflow), set(outputs), set(provided), modules)
    closure.private = private
    for need in needs:
        closure.add(need)
    for statement in in_workflow:
        closure.add_tasks(statement)
    for statement, may_act in (wanted or {}).items():
        if statement not in in_workflow:
            closure.add_wanted(statement, may_act=may_act)
    closure.finish()
    return closure.reached()


class _Closure:
    def __init__(
        self,
        statements: Sequence[Statement],
        in_workflow: set[Statement],
        outputs: set[str],
        provided: set[str],
        modules: Collection[str],
    ) -> None:
        self._statements = statements
        self._definitions = Definitions(statements)
        self._in_workflow = in_workflow
        self._outputs = outputs
        self._provided = provided
        self.private: Mapping[str, str] = {}  # names that only a task cell binds for itself, and that cell
        self._carried: set[Statement] = set()
        self._imports: dict[Import, str] = {}
        self._names: set[str] = set()
        self._done: set[int] = set()
        self._waiting: deque[Need] = deque()
        self._modules = set(modules)

    def add(self, need: Need) -> None:
        """Take in what `need` names, and what that needs in turn."""
        self._waiting.append(need)
        self._take_all()

    def add_tasks(self, statement: Statement) -> None:
        """Take in a statement that defines tasks, and what it needs."""
        if uses_ipython(statement.node):
            raise ExportError(
                f"{statement.where}: `{statement.first_line}` defines a task with a shell or magic line in it, which "
                "only IPython can run. Write it as Python, e.g. with subprocess.run."
            )
        reader = Reader(f"`{statement.first_line}`", statement.where, statement.place)
        self.add(Need(self._free(statement), reader))

    def add_wanted(self, statement: Statement, *, may_act: bool) -> None:
        """Take in a statement whose author says that it is carried, and what it needs."""
        if imports_of(statement):
            self._import(statement, None)
        else:
            self._carry(statement, "its cell says so, but it", may_act=may_act)
        self._take_all()

    def finish(self) -> None:
        """Add what holds for everything that is carried: settings of the imported modules, postponed annotations."""
        for statement in self._statements:
            if any(one.module == "__future__" for one in imports_of(statement)):
                self._import(statement, None)
        self._modules.add("warnings")
        count = -1
        while count != len(self._carried):
            count = len(self._carried)
            self._modules.update(one.distribution_module for one in self._imports)
            self._modules.difference_update(OUR_NAMES)
            for statement in self._statements:
                if statement in self._carried:
                    self._add_values_between(statement)
                elif statement not in self._in_workflow and self._is_setting(statement):
                    self._carry(statement, "it")
                self._take_all()

    def _add_values_between(self, statement: Statement) -> None:
        """Carry the values that a statement's calls read, where a name gets another one further down."""
        for name in sorted(self._definitions.called_by(statement)):
            if (found := self._definitions.above(name, statement)) is not None and not found.is_import:
                self._name(name, Reader(f"`{statement.first_line}`", statement.where, statement.place, above=True))

    def reached(self) -> Reached:
        """Return everything that has been taken in."""
        place = {one: number for number, one in enumerate(self._statements)}
        statements = sorted(self._carried, key=place.__getitem__)
        return Reached(dict(self._imports), tuple(statements), frozenset(self._names))

    def _take_all(self) -> None:
        while self._waiting:
            self._take(self._waiting.popleft())

    def _take(self, need: Need) -> None:
        later = replace(need.reader, place=None)
        for name in sorted(need.names.now):
            self._name(name, need.reader)
        for name in sorted(need.names.later):
            self._name(name, later)
        for name in sorted(need.names.hinted):
            if name in self._definitions:
                self._name(name, later)

    def _name(self, name: str, reader: Reader) -> None:
        self._names.add(name)
        definition = self._definitions.find(name, reader)
        if definition is None:
            self._undefined(name, reader)
        elif definition.statement in self._in_workflow:
            self._check_order(name, reader)
        elif definition.is_import:
            self._import(definition.statement, name)
            self._change(definition, reader)
        else:
            self._carry(definition.statement, f"{reader.what} needs {name!r}, but it")
            self._change(definition, reader)

    def _undefined(self, name: str, reader: Reader) -> None:
        if name in self._provided or name in _OF_MODULES:
            return
        if name in _FROM_IPYTHON:
            self._imports.setdefault(_FROM_IPYTHON[name], reader.where)
        elif not hasattr(builtins, name) and not self._import_stars():
            raise self._definitions.missing(name, reader, self._outputs, self.private.get(name))

    def _import_stars(self) -> bool:
        """Carry every ``from x import *``: a name that nothing else defines may come from any of them."""
        stars = [one for one in self._statements if any(two.name == "*" for two in imports_of(one))]
        for statement in stars:
            self._import(statement, None)
        return bool(stars)

    def _check_order(self, name: str, reader: Reader) -> None:
        if reader.place is not None and reader.above:
            raise ExportError(
                f"{reader.where}: {reader.what} uses the task {name!r} when it is executed, but the package defines "
                "its tasks last. Move it into a function, or below the tasks."
            )

    def _import(self, statement: Statement, name: str | None) -> None:
        for one in imports_of(statement):
            if name in (None, one.binds):
                self._imports.setdefault(one, statement.where)

    def _change(self, definition: Definition, reader: Reader) -> None:
        """Carry what changes a value after its definition."""
        if definition.is_ours:
            return  # `with cloaca.WorkflowBuilder(…)`, `@cloaca.task` and `cloaca.history()` leave the module as it is
        for statement in definition.changes:
            if statement in self._carried or statement in self._in_workflow:
                continue
            if definition.is_import and isinstance(statement.node, ast.Import):
                self._import(statement, definition.name)
                continue
            if definition.is_import and isinstance(
                statement.node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
            ):
                continue  # decorated by something of the module, which is no change of it
            effect = effect_of(statement.node, self._definitions.changers(statement))
            is_told = self._definitions.is_changed_by_call(definition.name, statement)
            if not is_told and (effect is Effect.LOOK or (effect is Effect.UNKNOWN and not definition.is_changeable)):
                continue
            effect = Effect.UNKNOWN if is_told and effect is Effect.LOOK else effect
            if effect is Effect.UNKNOWN:
                raise ExportError(
                    f"{statement.where}: `{statement.first_line}` may change {definition.name!r}, which {reader.what} "
                    f"needs. If it does, assign what it makes (`{definition.name} = …`) or move it into the task; "
                    "if it doesn't, remove the line."
                )
            self._carry(statement, f"{reader.what} needs {definition.name!r}, which this line changes, but it")

    def _carry(self, statement: Statement, why: str, *, may_act: bool = False) -> None:
        if statement in self._carried:
            return
        changers = self._definitions.changers(statement)
        if reason := syntax_obstacle(statement.node) if may_act else obstacle(statement.node, changers):
            raise ExportError(
                f"{statement.where}: `{statement.first_line}` can't be carried into a package: {why} {reason}. "
                "Put it into the task, or into a function that the task calls."
            )
        self._carried.add(statement)
        self._modules.update(one.module.partition(".")[0] for one in imported_modules(statement.text, statement.where))
        reader = Reader(f"`{statement.first_line}`", statement.where, statement.place, above=True)
        self._waiting.append(Need(self._free(statement), reader))

    def _free(self, statement: Statement) -> FreeNames:
        """Return what a statement needs from elsewhere."""
        names = statement.names
        lambdas = {one for one in names.later if self._definitions.is_defined_above(one, statement)}
        now = names.now | (lambdas & used_at_once(statement))
        return names._replace(now=frozenset(one for one in now if not self._binds_itself(statement, one)))

    def _binds_itself(self, statement: Statement, name: str) -> bool:
        """Say whether a name that a statement reads is one that it gives a value first, as a loop variable is."""
        if name not in statement.names.defined or self._definitions.is_defined_above(name, statement):
            return False
        walrus = (one.target.id for one in ast.walk(statement.node) if isinstance(one, ast.NamedExpr))
        return isinstance(statement.node, COMPOUND) or name in walrus

    def _is_setting(self, statement: Statement) -> bool:
        """Say whether a statement sets how a module works that is imported, or how warnings are shown."""
        return any(
            one.distribution_module in self._modules
            for name in sets_of_imports(statement.node)
            for one in self._definitions.imports_named(name)
        )

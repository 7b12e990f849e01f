"""What a notebook declares, read from its text alone: its statements, its tasks in either spelling, its parameters.

The rules are those of the kernel: tasks join the workflow that `%cloaca_workflow NAME` made current above them, at
first the notebook's own.
"""

import ast
import re
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Final, TypeAlias

from cloaca_nb.core.cells import ParamsCell, TaskCell, parse_params_cell, parse_task_cell
from cloaca_nb.core.directives import EXPORT, SETUP, SKIP, TEST, without_directive
from cloaca_nb.core.secret import SecretKeys
from cloaca_nb.errors import CellError, ExportError
from cloaca_nb.packaging.analysis.decorated import (
    DecoratedTask,
    OurNames,
    decorated_tasks,
    factories,
    makes_tasks,
    tasks_made_by,
    without_inference,
    workflow_block,
)
from cloaca_nb.packaging.analysis.defaults import Parameters, replaced, with_later_values
from cloaca_nb.packaging.analysis.effects import uses_ipython
from cloaca_nb.packaging.analysis.imports import imports_of
from cloaca_nb.packaging.analysis.install_lines import installed_by, words_of
from cloaca_nb.packaging.analysis.ipython_calls import calls_in, cell_magic_acts
from cloaca_nb.packaging.analysis.magics import Transform, cell_magic, tidied, to_python
from cloaca_nb.packaging.analysis.marked import TestOfCell, mark_of, read_test
from cloaca_nb.packaging.analysis.notebook import Cell, Notebook
from cloaca_nb.packaging.analysis.statements import KNOWN, Place, Statement, read_statements

__all__ = ["Declared", "Entry", "StatementTasks", "TaskOfCell", "placed", "read_declared"]

# Cell magics whose body runs in the notebook as it is.
_PEELED: Final = {"time", "capture"}


@dataclass(frozen=True, slots=True)
class TaskOfCell:
    """A task cell."""

    cell: Cell
    task: TaskCell
    workflow: str

    def same_as(self, other: "Entry") -> bool:
        """Say whether both are the same text: a cell that stands there twice, or was executed twice."""
        return isinstance(other, TaskOfCell) and self.cell.text == other.cell.text and self.workflow == other.workflow

    @property
    def place(self) -> Place:
        """Its place in document order."""
        return Place(self.cell.number, 0)

    @property
    def where(self) -> str:
        """The cell, as error messages name it."""
        return self.cell.at(1)


@dataclass(frozen=True, slots=True)
class StatementTasks:
    """A statement that defines tasks by our decorator, or by calling a function that does."""

    statement: Statement
    tasks: tuple[DecoratedTask, ...]
    workflow: str

    def same_as(self, other: "Entry") -> bool:
        """Say whether both do the same; not so where executing it again may define other tasks."""
        if not isinstance(other, StatementTasks) or not all(task.id for task in self.tasks) or not self.tasks:
            return False
        return self.statement.same_as(other.statement) and self.workflow == other.workflow

    @property
    def cell(self) -> Cell:
        """The cell in which it stands."""
        return self.statement.cell

    @property
    def place(self) -> Place:
        """Its place in document order."""
        return self.statement.place

    @property
    def where(self) -> str:
        """The cell and line, as error messages name them."""
        return self.statement.where


Entry: TypeAlias = TaskOfCell | StatementTasks


@dataclass(slots=True)
class Declared:
    """What a notebook declares.

    Attributes:
        statements: all top-level statements of plain cells, in document order.
        entries: tasks outside `with WorkflowBuilder` blocks, in document order.
        blocks: the `with WorkflowBuilder` blocks with their tasks, by the name of their workflow.
        parameters: the parameters cells, with the values that later cells give their parameters.
        install_hints: the arguments of `!pip install` lines.
        tests: the cells that are tests, in document order.
        wanted: statements that are carried though no task may need them, each with whether it may have effects.
        skipped: a line for each cell whose magic makes it no Python.
        acting: the cells of which a magic runs something else than Python.
        workflows: the names that tasks join, in order.
    """

    statements: list[Statement] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    blocks: dict[str, StatementTasks] = field(default_factory=dict)
    parameters: list[Parameters] = field(default_factory=list)
    install_hints: list[str] = field(default_factory=list)
    tests: list[TestOfCell] = field(default_factory=list)
    wanted: dict[Statement, bool] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)
    acting: list[Cell] = field(default_factory=list)
    ours: OurNames = field(default_factory=lambda: OurNames(()))


def read_declared(notebook: Notebook, transform: Transform = to_python) -> Declared:
    """Read what a notebook declares.

    Args:
        notebook: its cells.
        transform: makes plain Python of a cell's text with IPython syntax, line for line.

    Raises:
        ExportError: for a cell that is no Python, or a task cell that can't be understood.
    """
    return _Reading(notebook, transform).declared()


class _Reading:
    """Goes through the cells once, in document order."""

    def __init__(self, notebook: Notebook, transform: Transform) -> None:
        self._transform = transform
        self._found = Declared()
        self._workflow = notebook.workflow_name
        self._joined: dict[Place, str] = {}  # the workflow that is current at each statement
        self._lazy_annotations = False
        for cell in notebook.cells:
            self._read(cell)

    def declared(self) -> Declared:
        """Return everything, the statements that define tasks found among the others."""
        found = self._found
        found.ours = OurNames(found.statements)
        self._take_later_values()
        made_by = factories(found.statements, found.ours)
        for statement in found.statements:
            if (call := workflow_block(statement, found.ours)) is not None:
                name = _block_name(call, statement)
                tasks = without_inference(self._tasks(statement, made_by), call)
                found.blocks[name] = StatementTasks(statement, tasks, name)
            elif makes_tasks(statement, found.ours, made_by):
                tasks = self._tasks(statement, made_by)
                found.entries.append(StatementTasks(statement, tasks, self._joined[statement.place]))
        found.entries.sort(key=lambda entry: entry.place)
        return found

    def _take_later_values(self) -> None:
        """Give each parameter the value that the notebook has for it in the end."""
        found = self._found
        gone = replaced(found.parameters)
        found.parameters = [cell for cell in found.parameters if cell not in gone]
        found.statements = [one for one in found.statements if not any(one in cell.statements for cell in gone)]
        own = {one for cell in found.parameters for one in cell.statements}
        plain = [one for one in found.statements if one not in own]
        valued = [with_later_values(cell, plain) for cell in found.parameters]
        puts = zip(found.parameters, valued, strict=True)
        instead = {a: b for old, new in puts for a, b in zip(old.statements, new.statements, strict=True)}
        moved = {one for cell in valued for one in cell.later}
        found.statements = [instead.get(one, one) for one in found.statements if one not in moved]
        found.parameters = valued

    def _tasks(self, statement: Statement, made_by: frozenset[str]) -> tuple[DecoratedTask, ...]:
        """Return the tasks that a statement defines, itself or by calling a function of `made_by`."""
        ours = self._found.ours
        called = [one for one in self._found.statements if one.names.defined & made_by & statement.names.now]
        return (*decorated_tasks(statement, ours), *tasks_made_by(called, ours))

    def _read(self, written: Cell) -> None:
        cell = written
        if "\r" in written.text:
            cell = replace(written, text=written.text.replace("\r\n", "\n").replace("\r", "\n"))
        cell = cell if cell.text == (text := tidied(cell.text)) else replace(cell, text=text)
        magic, word = cell_magic(cell.text), mark_of(cell)
        if word == SKIP:
            self._found.skipped.append(f"{cell.at(1)}: `#| cloaca: skip`")
        elif word == TEST or (magic is not None and magic.name == "cloaca_test"):
            self._found.tests.append(read_test(cell, self._workflow, self._transform))
        elif magic is None:
            self._read_plain(cell, without_directive(cell.text) if word else cell.text)
            self._want(cell, word)
        elif magic.name == "cloaca_task":
            self._found.entries.append(TaskOfCell(cell, _understood(cell), self._workflow))
        elif magic.name == "cloaca_params":
            self._read_parameters(cell)
        elif magic.name in _PEELED and cell_magic(magic.body) is not None:
            self._read(replace(cell, text=magic.body))
        elif magic.name in _PEELED:
            self._read_plain(cell, magic.body)
        elif cell_magic_acts(magic.name):
            self._found.acting.append(cell)
        else:
            self._found.skipped.append(f"{cell.at(1)}: %%{magic.name} {magic.line}".rstrip())

    def _read_plain(self, cell: Cell, text: str) -> None:
        for statement in _read_once(cell, text, self._transform, self._lazy_annotations):
            if any(one.module == "__future__" and one.name == "annotations" for one in imports_of(statement)):
                self._lazy_annotations = True
            if uses_ipython(statement.node) and isinstance(statement.node, ast.Expr):
                self._obey(statement)
            self._joined[statement.place] = self._workflow
            self._found.statements.append(statement)

    def _want(self, cell: Cell, word: str | None) -> None:
        if word in {EXPORT, SETUP}:
            own = (one for one in self._found.statements if one.cell == cell)
            self._found.wanted |= dict.fromkeys(own, word == SETUP)

    def _read_parameters(self, cell: Cell) -> None:
        parsed = _understood_parameters(cell)
        magic = cell_magic(cell.text)
        body = magic.body if magic else ""
        statements = read_statements(cell, self._transform(body), lazy_annotations=self._lazy_annotations)
        own = tuple(one for one in statements if not one.names.defined.isdisjoint(parsed.names))
        self._found.parameters.append(Parameters(cell, own, parsed.names, self._workflow, secret=_secret(parsed)))
        self._found.statements.extend(statements)

    def _obey(self, statement: Statement) -> None:
        """Take in the magic and shell lines that say something about the package."""
        for call in calls_in(statement.node):
            arguments = words_of(call.line)
            if call.magic == "cloaca_workflow" and arguments and not arguments[0].startswith("-"):
                if len(arguments) > 1:
                    raise ExportError(
                        f"{statement.where}: {arguments[1]!r} is one word too many; a name with spaces stands in "
                        "quotes."
                    )
                self._workflow = arguments[0]
            self._found.install_hints += installed_by(call.magic, call.line)


@lru_cache(maxsize=KNOWN)
def _read_once(cell: Cell, text: str, transform: Transform, lazy: bool) -> tuple[Statement, ...]:  # noqa: FBT001 - see `read_statements`
    """Return a cell's statements; a kernel reads its cells again whenever one is executed."""
    return read_statements(cell, transform(text), lazy_annotations=lazy)


@lru_cache(maxsize=KNOWN)
def _understood(cell: Cell) -> TaskCell:
    try:
        return parse_task_cell(cell.text)
    except CellError as error:
        raise placed(cell, error) from error


def _understood_parameters(cell: Cell) -> ParamsCell:
    try:
        return parse_params_cell(cell.text)
    except CellError as error:
        raise placed(cell, error) from error


def placed(cell: Cell, error: CellError) -> ExportError:
    """Return the error of a cell with the cell's own place in the notebook."""
    match = re.fullmatch(r"Cell line (\d+): (.*)", str(error), re.DOTALL)
    return ExportError(f"{cell.at(int(match[1]))}: {match[2]}" if match else f"{cell.at(1)}: {error}")


def _secret(parsed: ParamsCell) -> tuple[str, ...]:
    keys = SecretKeys(named=parsed.secret)
    return tuple(name for name in parsed.names if name in keys)


def _block_name(call: ast.Call, statement: Statement) -> str:
    match call.args[:1] or [one.value for one in call.keywords if one.arg == "name"]:
        case [ast.Constant(value=str(name))]:
            return name
        case _:
            raise ExportError(
                f"{statement.where}: the name of this workflow is computed, so its package can't be named after it. "
                'Write it as a text: WorkflowBuilder("name").'
            )

"""What a notebook declares, read from its text alone: its statements, its tasks in either spelling, its parameters.

The rules are those of the kernel: tasks join the workflow that `%cloaca_workflow NAME` made current above them, at
first the notebook's own.
"""

import ast
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from cloaca_nb.core.cells import ParamsCell, TaskCell, parse_params_cell, parse_task_cell
from cloaca_nb.errors import CellError, ExportError
from cloaca_nb.packaging.decorated import (
    DecoratedTask,
    OurNames,
    decorated_tasks,
    factories,
    makes_tasks,
    tasks_made_by,
    workflow_block,
)
from cloaca_nb.packaging.effects import uses_ipython
from cloaca_nb.packaging.imports import imports_of
from cloaca_nb.packaging.magics import Transform, cell_magic, to_python
from cloaca_nb.packaging.notebook import Cell, Notebook
from cloaca_nb.packaging.statements import Place, Statement, read_statements

__all__ = ["Declared", "Entry", "Parameters", "StatementTasks", "TaskOfCell", "read_declared"]

# Cell magics whose body runs in the notebook as it is.
_PEELED: Final = {"time", "capture"}


@dataclass(frozen=True, slots=True)
class TaskOfCell:
    """A task cell."""

    cell: Cell
    task: TaskCell
    workflow: str

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

    @property
    def place(self) -> Place:
        """Its place in document order."""
        return self.statement.place

    @property
    def where(self) -> str:
        """The cell and line, as error messages name them."""
        return self.statement.where


Entry: TypeAlias = TaskOfCell | StatementTasks


@dataclass(frozen=True, slots=True)
class Parameters:
    """A parameters cell: the statements that give its parameters their defaults."""

    cell: Cell
    statements: tuple[Statement, ...]
    names: tuple[str, ...]
    workflow: str


@dataclass(slots=True)
class Declared:
    """What a notebook declares.

    Attributes:
        statements: all top-level statements of plain cells, in document order.
        entries: tasks outside `with WorkflowBuilder` blocks, in document order.
        blocks: the `with WorkflowBuilder` blocks, by the name of their workflow.
        parameters: the parameters cells.
        install_hints: the arguments of `!pip install` lines.
        skipped: a line for each cell whose magic makes it no Python.
        workflows: the names that tasks join, in order.
    """

    statements: list[Statement] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    blocks: dict[str, Statement] = field(default_factory=dict)
    parameters: list[Parameters] = field(default_factory=list)
    install_hints: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
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
        made_by = factories(found.statements, found.ours)
        for statement in found.statements:
            if (call := workflow_block(statement, found.ours)) is not None:
                found.blocks[_block_name(call, statement)] = statement
            elif makes_tasks(statement, found.ours, made_by):
                called = [one for one in found.statements if one.names.defined & made_by & statement.names.now]
                tasks = (*decorated_tasks(statement, found.ours), *tasks_made_by(called, found.ours))
                found.entries.append(StatementTasks(statement, tasks, self._joined[statement.place]))
        found.entries.sort(key=lambda entry: entry.place)
        return found

    def _read(self, cell: Cell) -> None:
        magic = cell_magic(cell.text)
        if magic is None:
            self._read_plain(cell, cell.text)
        elif magic.name == "cloaca_task":
            self._found.entries.append(TaskOfCell(cell, _understood(cell), self._workflow))
        elif magic.name == "cloaca_params":
            self._read_parameters(cell)
        elif magic.name in _PEELED:
            self._read_plain(cell, magic.body)
        else:
            self._found.skipped.append(f"{cell.at(1)}: %%{magic.name} {magic.line}".rstrip())

    def _read_plain(self, cell: Cell, text: str) -> None:
        for statement in read_statements(cell, self._transform(text), lazy_annotations=self._lazy_annotations):
            if any(one.module == "__future__" and one.name == "annotations" for one in imports_of(statement)):
                self._lazy_annotations = True
            if uses_ipython(statement.node) and isinstance(statement.node, ast.Expr):
                self._obey(statement.node)
            self._joined[statement.place] = self._workflow
            self._found.statements.append(statement)

    def _read_parameters(self, cell: Cell) -> None:
        parsed = _understood_parameters(cell)
        magic = cell_magic(cell.text)
        body = magic.body if magic else ""
        statements = read_statements(cell, self._transform(body), lazy_annotations=self._lazy_annotations)
        own = tuple(one for one in statements if not one.names.defined.isdisjoint(parsed.names))
        self._found.parameters.append(Parameters(cell, own, parsed.names, self._workflow))
        self._found.statements.extend(statements)

    def _obey(self, node: ast.Expr) -> None:
        """Take in the magic and shell lines that say something about the package."""
        words = [one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str)]
        name, line = words if len(words) == 2 else ("", words[0] if words else "")  # noqa: PLR2004 - magic and line
        arguments = line.split()
        if name == "cloaca_workflow" and arguments and not arguments[0].startswith("-"):
            self._workflow = arguments[0]
        if name == "pip" and arguments[:1] == ["install"]:
            self._found.install_hints += _installed(line)
        elif not name and arguments[:2] == ["pip", "install"]:
            self._found.install_hints += _installed(line.partition("pip ")[2])


def _understood(cell: Cell) -> TaskCell:
    try:
        return parse_task_cell(cell.text)
    except CellError as error:
        raise ExportError(f"{cell.at(1)}: {error}") from error


def _understood_parameters(cell: Cell) -> ParamsCell:
    try:
        return parse_params_cell(cell.text)
    except CellError as error:
        raise ExportError(f"{cell.at(1)}: {error}") from error


def _block_name(call: ast.Call, statement: Statement) -> str:
    match call.args[:1] or [one.value for one in call.keywords if one.arg == "name"]:
        case [ast.Constant(value=str(name))]:
            return name
        case _:
            raise ExportError(
                f"{statement.where}: the name of this workflow is computed, so its package can't be named after it. "
                'Write it as a text: WorkflowBuilder("name").'
            )


def _installed(line: str) -> Iterator[str]:
    """Yield what ``install a "b>1" -q`` installs."""
    try:
        words = shlex.split(line, comments=True)
    except ValueError:
        return  # no line that a shell would run
    yield from (word for word in words[1:] if not word.startswith("-"))

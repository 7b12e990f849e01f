"""What user code has declared in this process: workflows, constructors, and every module's loose tasks."""

import re
import sys
from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol
from weakref import WeakKeyDictionary

from cloaca_nb.core.graph import Workflow
from cloaca_nb.declare.loose import Declared, LooseTasks
from cloaca_nb.declare.options import name_of
from cloaca_nb.errors import DefinitionError, WorkflowNotFoundError, near_miss

__all__ = ["REGISTRY", "Block", "Departure", "Registry", "register_workflow_constructor", "workflows"]

NOTEBOOK: Final = "notebook"  # what a workflow is called whose module has no file


class Block(Protocol):
    """An open `with` block that tasks are defined in."""

    def define(self, entry: Declared) -> None:
        """Take in a task."""


class Departure(NamedTuple):
    """A task that its cell no longer defines in the workflow in which it was.

    Attributes:
        task_id: the task's.
        workflow: the name of the workflow that it was in.
        now_in: the name of the one that it is in now; None if it is gone.
    """

    task_id: str
    workflow: str
    now_in: str | None


class Registry:
    """What user code has declared. One per process is enough: task ids are scoped by module and workflow."""

    def __init__(self) -> None:
        self.active: ContextVar[Block | None] = ContextVar("active_builder", default=None)
        self._built: dict[str, Workflow] = {}
        self._constructors: dict[str, Callable[[], Workflow]] = {}
        self._loose: dict[str, dict[str, LooseTasks]] = {}  # module -> workflow name -> tasks
        self._current: dict[str, str] = {}  # module -> the workflow that its loose tasks join
        self._ids: WeakKeyDictionary[Callable[..., Any], str] = WeakKeyDictionary()
        self._declared_here: list[tuple[LooseTasks, str]] | None = None  # by the cell that is being run

    # -- tasks

    def declare(self, module: str, entry: Declared) -> None:
        """Take in a task: into the open `with` block if there is one, else among the module's loose tasks."""
        if (builder := self.active.get()) is not None:
            builder.define(entry)
            return
        loose = self.loose(module)
        if self._declared_here is not None:
            if (loose, entry.id) in self._declared_here:
                raise DefinitionError(
                    f"Task {entry.id!r} is defined twice in this cell ({entry.where}). In a loop give each its own id: "
                    f'id=f"{entry.id}_{{n}}".'
                )
            self._declared_here.append((loose, entry.id))
        loose.add(entry)

    def remember(self, function: Callable[..., Any], task_id: str) -> None:
        """Note the id of a function's task, so that the function can stand for it."""
        self._ids[function] = task_id

    def id_of(self, function: Callable[..., Any]) -> str | None:
        """Return the id of the task that `function` is the body of."""
        try:
            return self._ids.get(function)
        except TypeError:  # a callable that can't be weakly referenced was never decorated
            return None

    def find_task(self, module: str, task_id: str) -> Declared | None:
        """Return a loose task of `module`."""
        current = self._current.get(module)
        groups = sorted(self._loose.get(module, {}).values(), key=lambda loose: loose.name != current)
        return next((loose[task_id] for loose in groups if task_id in loose), None)

    def loose(self, module: str, name: str | None = None) -> LooseTasks:
        """Return the loose tasks of `module` that make up workflow `name`, by default its current one."""
        wanted = name or self._current.setdefault(module, _name_after_file(module))
        return self._loose.setdefault(module, {}).setdefault(wanted, LooseTasks(wanted))

    def loose_of(self, module: str) -> dict[str, LooseTasks]:
        """Return all loose tasks of `module`, by workflow name."""
        return self._loose.get(module, {})

    def modules(self) -> list[str]:
        """Return the modules that have loose tasks, or a name for them."""
        return list(self._current)

    def use(self, module: str, name: str) -> LooseTasks:
        """Make `name` the workflow that the module's loose tasks join from now on."""
        self._current[module] = name
        return self.loose(module)

    def begin_cell(self) -> None:
        """A cell of a notebook is about to be run: note which tasks it defines."""
        self._declared_here = []

    def end_cell(self, cell_id: str | None, *, finished: bool = True) -> list[Departure]:
        """The cell has been run: remove the tasks that it used to define and no longer does, and return them.

        Args:
            cell_id: the cell; without one nothing is guessed, and nothing removed.
            finished: whether it came to its end; if not, nothing is removed either.
        """
        declared, self._declared_here = self._declared_here or [], None
        if cell_id is None:
            return []
        now_in = {task_id: loose.name for loose, task_id in declared}
        groups = [loose for by_name in self._loose.values() for loose in by_name.values()]
        return [
            Departure(gone, loose.name, now_in.get(gone))
            for loose in groups
            for gone in loose.settle_cell(
                cell_id, [task_id for owner, task_id in declared if owner is loose], finished=finished
            )
        ]

    # -- workflows

    def register(self, workflow: Workflow) -> None:
        """Keep a built workflow under its name; the last one of a name counts."""
        self._built[workflow.name] = workflow

    def register_constructor(self, name: str, constructor: Callable[[], Workflow]) -> None:
        """Keep a function that makes the workflow afresh at each use; see `register_workflow_constructor`."""
        if not isinstance(name, str) or not name:
            raise DefinitionError(
                f"A workflow's name is a text, not {name!r}: register_workflow_constructor('flights', make_flights)."
            )
        if not callable(constructor):
            raise DefinitionError(
                f"The constructor of workflow {name!r} is a function that returns a Workflow, not {constructor!r}: "
                f"register_workflow_constructor({name!r}, lambda: workflow)."
            )
        try:
            made = constructor()
        except Exception as error:
            raise DefinitionError(
                f"The constructor of workflow {name!r} raised {type(error).__name__}: {error}"
            ) from error
        if not isinstance(made, Workflow):
            raise DefinitionError(
                f"The constructor of workflow {name!r} returned {type(made).__name__}, not a Workflow: "
                "end it with `return builder.build()`."
            )
        self._constructors[name] = constructor

    def workflow(self, name: str) -> Workflow:
        """Return the workflow of that name: from its constructor, as built, or of a module's loose tasks.

        Raises:
            WorkflowNotFoundError: a ValueError, if there is none.
        """
        if not isinstance(name, str):
            raise WorkflowNotFoundError(
                f"A workflow is given as a Workflow or by its name, not as {name_of(name)}: "
                "execute('flights'), or execute(builder.build())."
            )
        if name in self._constructors:
            return self._constructors[name]()
        if name in self._built:
            return self._built[name]
        for groups in self._loose.values():
            if len(groups.get(name, ())):
                return groups[name].workflow()
        known = self.names()
        there = (
            ", ".join(map(repr, known))
            if known
            else "none yet; run the cells that define it, or import its module, first"
        )
        raise WorkflowNotFoundError(f"No workflow {name!r}.{near_miss(name, known)} Known workflows: {there}.")

    def names(self) -> list[str]:
        """Return the names of all workflows."""
        loose = [name for groups in self._loose.values() for name, tasks in groups.items() if len(tasks)]
        return list(dict.fromkeys([*self._constructors, *self._built, *loose]))

    def workflows(self) -> dict[str, Workflow]:
        """Return every workflow by name."""
        return {name: self.workflow(name) for name in self.names()}

    def module_workflow(self, module: str) -> Workflow | None:
        """Return the workflow of a module's loose tasks; None if it has none."""
        loose = self._loose.get(module, {}).get(self._current.get(module, ""))
        return loose.workflow() if loose is not None and len(loose) else None


def _name_after_file(module: str) -> str:
    path = getattr(sys.modules.get(module), "__file__", None)
    if path is None:
        return NOTEBOOK
    stem = Path(path).parent.name if Path(path).name == "__init__.py" else Path(path).stem
    return re.sub(r"^[\d\W_]+", "", stem) or stem


REGISTRY: Final = Registry()


def register_workflow_constructor(name: str, constructor: Callable[[], Workflow]) -> None:
    """Register a function that makes workflow `name`; `execute` calls it afresh each time.

    Args:
        name: what `execute` is asked for.
        constructor: takes nothing and returns a `Workflow`; called once now, to check it.

    Raises:
        DefinitionError: a ValueError, if it raises, or returns something else.
    """
    REGISTRY.register_constructor(name, constructor)


def workflows() -> dict[str, Workflow]:
    """Return every workflow that is registered in this process, by name."""
    return REGISTRY.workflows()

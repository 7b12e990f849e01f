"""One notebook's session: the methods behind the magics."""

import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from cloaca_nb.core.cells import parse_params_cell, parse_task_cell, task_text
from cloaca_nb.core.graph import Workflow
from cloaca_nb.declare.cell_task import CellTask
from cloaca_nb.declare.loose import LooseTasks
from cloaca_nb.declare.registry import REGISTRY
from cloaca_nb.engine.result import WorkflowResult
from cloaca_nb.errors import TaskNotFoundError, WorkflowNotFoundError, near_miss
from cloaca_nb.notebook.answer import Answer, answer_for
from cloaca_nb.notebook.cell_code import CellCode
from cloaca_nb.notebook.executed import ExecutedCells, notebook_path
from cloaca_nb.notebook.panel import Panel
from cloaca_nb.notebook.parameters import Parameters
from cloaca_nb.packaging.export import export
from cloaca_nb.packaging.notebook import Notebook
from cloaca_nb.packaging.write import write_package
from cloaca_nb.runner import DefaultRunner

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["Session"]

MODULE: Final = "__main__"  # where a notebook's names live


class Session:
    """What the magics of one kernel share.

    Args:
        shell: the IPython shell.
    """

    def __init__(self, shell: "InteractiveShell") -> None:
        self._shell = shell
        self._parameters: dict[str, Parameters] = {}
        self._runner: DefaultRunner | None = None
        self._executed = ExecutedCells(shell)
        self.last_result: WorkflowResult | None = None
        path = notebook_path(shell)
        if path is not None and MODULE not in REGISTRY.modules():
            REGISTRY.use(MODULE, Notebook(path.stem, ()).workflow_name)

    @property
    def runner(self) -> DefaultRunner:
        """The runner, made when it is first needed: its libraries take a while to load."""
        if self._runner is None:
            self._runner = DefaultRunner()
        return self._runner

    @property
    def _names(self) -> dict[str, Any]:
        names: dict[str, Any] = self._shell.user_ns
        return names

    # -- defining

    def define_task(self, text: str) -> Answer:
        """Make a cell a task of the current workflow, and say what it reads and sets as things stand now."""
        cell = parse_task_cell(text)
        code = CellCode(self._shell, text)
        entry = CellTask(cell, code.function, code.namespace(), where=code.label, source=text)
        REGISTRY.declare(MODULE, entry)
        return answer_for(entry, self._with_parameters(REGISTRY.loose(MODULE)), self._names)

    def define_parameters(self, text: str) -> tuple[str, ...]:
        """Make a cell's names the parameters of the current workflow, bind them, and return them."""
        parameters = Parameters(parse_params_cell(text), CellCode(self._shell, text))
        parameters.bind(self._names)
        self._parameters[REGISTRY.loose(MODULE).name] = parameters
        return parameters.names

    def use_workflow(self, name: str | None = None, *, remove: str | None = None) -> LooseTasks:
        """Make `name` the workflow that task cells join; take a task out of it if asked."""
        loose = REGISTRY.use(MODULE, name) if name else REGISTRY.loose(MODULE)
        if remove is not None:
            if remove not in loose:
                raise TaskNotFoundError(f"Workflow {loose.name!r} has no task {remove!r}.{near_miss(remove, loose.ids())}")
            loose.remove(remove)
        return loose

    # -- asking

    def workflow(self, name: str | None = None, settings: Mapping[str, Any] | None = None) -> Workflow:
        """Return a workflow: the named one, else the current one, else the only one.

        Args:
            name: its name.
            settings: parameter values for one run.

        Raises:
            WorkflowNotFoundError: a ValueError, if that is none or several; it lists them.
        """
        loose = REGISTRY.loose_of(MODULE)
        wanted = name or self._default_name()
        if wanted in loose and len(loose[wanted]):
            return self._with_parameters(loose[wanted], settings).workflow()
        return REGISTRY.workflow(wanted)

    def _default_name(self) -> str:
        current = REGISTRY.loose(MODULE)
        if len(current):
            return current.name
        known = REGISTRY.names()
        if len(known) == 1:
            return known[0]
        if not known:
            raise WorkflowNotFoundError("There is no workflow yet: make a cell a task with %%cloaca_task NAME.")
        raise WorkflowNotFoundError(f"Which workflow? Name one of {', '.join(map(repr, known))}.")

    def _with_parameters(self, loose: LooseTasks, settings: Mapping[str, Any] | None = None) -> LooseTasks:
        parameters = self._parameters.get(loose.name)
        if parameters is not None:
            loose.parameters = parameters.values(self._names, settings or {})
        return loose

    def task_text(self, task_id: str) -> str:
        """Return a task as the `@cloaca.task` function that it is equal to."""
        workflow = self.workflow()
        task = workflow[task_id]
        loose = REGISTRY.loose_of(MODULE).get(workflow.name)
        entry = loose[task_id] if loose is not None and task_id in loose else None
        if not isinstance(entry, CellTask):
            return task.source
        outputs = {key for other in workflow.tasks if other.id != task_id for key in other.keys.sets}
        resolution = entry.resolution(outputs, workflow.parameters)
        return task_text(entry.cell, resolution, workflow.dependencies[task_id])

    # -- running

    def run(
        self, name: str | None = None, *, settings: Mapping[str, Any] | None = None, panel: bool = True
    ) -> WorkflowResult:
        """Execute a workflow with the panel live, and block until its run is over.

        Args:
            name: the workflow; see `workflow`.
            settings: parameter values for this run.
            panel: whether to show the panel.

        Raises:
            KeyboardInterrupt: on an interrupt, after the run was recorded as Cancelled.
        """
        workflow = self.workflow(name, settings)
        shown = Panel(workflow, on_cancel=lambda: run.cancel()) if panel and hasattr(self._shell, "kernel") else None
        run = self.runner.start(workflow, observers=[shown] if shown else [])
        if shown:
            shown.show()
        try:
            self.last_result = run.wait()
        except KeyboardInterrupt:
            run.cancel()
            raise
        finally:
            if shown:
                shown.close()
        return self.last_result

    def pull(self, *keys: str) -> None:
        """Bind values of the last run's final context in the notebook."""
        if self.last_result is None:
            raise WorkflowNotFoundError("Nothing has been run yet: use %cloaca_run first.")
        self._names.update({key: self.last_result.final_context[key] for key in keys})

    # -- packing

    def export(self, folder: str, *, name: str | None = None, import_name: str = "cloaca_nb") -> tuple[str, ...]:
        """Write the notebook's workflow as a package; return the files."""
        workflow = self.workflow()
        path = notebook_path(self._shell)
        notebook = self._executed.notebook(path.stem if path else workflow.name, path)
        package = export(notebook, workflow, name=name, import_name=import_name)
        write_package(package, folder)
        return tuple(package.files)

    # -- following the notebook

    def cell_begins(self, _info: Any) -> None:
        """Note which tasks the cell defines from here on."""
        REGISTRY.begin_cell()

    def cell_ends(self, result: Any) -> None:
        """Take out what the cell used to define and no longer does; without a cell id nothing is guessed."""
        cell_id = self._cell_id()
        gone = REGISTRY.end_cell(cell_id if result.success else None)
        if result.success and result.info is not None and result.info.store_history:
            self._executed.add(cell_id, result.info.raw_cell)
        for task_id in gone:
            sys.stderr.write(f"Task {task_id!r} is gone: its cell no longer defines it.\n")

    def _cell_id(self) -> str | None:
        with suppress(AttributeError, TypeError):  # plain IPython has no parent message
            found = self._shell.get_parent()["metadata"].get("cellId")
            return found if isinstance(found, str) else None
        return None

    def close(self) -> None:
        """End the runner."""
        if self._runner is not None:
            self._runner.shutdown()
            self._runner = None

"""One notebook's session: the methods behind the magics."""

import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from cloaca_nb.core.cells import TaskCell, parse_params_cell, parse_task_cell, task_text
from cloaca_nb.core.graph import Workflow
from cloaca_nb.declare.cell_task import CellTask
from cloaca_nb.declare.decorator import with_dependencies
from cloaca_nb.declare.loose import LooseTasks
from cloaca_nb.declare.registry import REGISTRY, Departure
from cloaca_nb.declare.settings import fit
from cloaca_nb.engine.result import WorkflowResult
from cloaca_nb.engine.run import Run
from cloaca_nb.errors import CellError, TaskNotFoundError, WorkflowNotFoundError, WorkflowValidationError, near_miss
from cloaca_nb.notebook.answer import Answer, answer_for, answer_for_parameters
from cloaca_nb.notebook.cell_code import CellCode
from cloaca_nb.notebook.executed import ExecutedCells, notebook_path
from cloaca_nb.notebook.failure import hide_our_frames
from cloaca_nb.notebook.panel import Panel
from cloaca_nb.notebook.parameters import Parameters
from cloaca_nb.notebook.unknown_names import refuse_unknown
from cloaca_nb.packaging.export import export
from cloaca_nb.packaging.notebook import Notebook
from cloaca_nb.packaging.write import write_package
from cloaca_nb.runner import DefaultRunner

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["Session"]

MODULE: Final = "__main__"  # where a notebook's names live
TICK: Final = 0.2  # seconds


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
        self._pulled: set[str] = set()  # names that the notebook has from a run's final context
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
        _refuse_unbuilt(cell)
        code = CellCode(self._shell, text)
        entry = CellTask(cell, code.function, code.namespace(), where=code.label, source=text)
        REGISTRY.declare(MODULE, entry)
        names = {name: value for name, value in self._names.items() if name not in self._pulled}
        return answer_for(entry, self._with_parameters(REGISTRY.loose(MODULE)), names)

    def define_parameters(self, text: str) -> Answer:
        """Make a cell's names the parameters of the current workflow, bind them, and say what they are."""
        parameters = Parameters(parse_params_cell(text), CellCode(self._shell, text))
        loose = REGISTRY.loose(MODULE)
        parameters.bind(self._names)
        if loose.name in self._parameters:
            parameters.follow(self._parameters[loose.name])
        self._parameters[loose.name] = parameters
        return answer_for_parameters(self._with_parameters(loose).parameters)

    def use_workflow(self, name: str | None = None, *, remove: str | None = None) -> LooseTasks:
        """Make `name` the workflow that task cells join; take a task out of it if asked."""
        loose = REGISTRY.use(MODULE, name) if name else REGISTRY.loose(MODULE)
        if remove is not None:
            if remove not in loose:
                raise TaskNotFoundError(
                    f"Workflow {loose.name!r} has no task {remove!r}.{near_miss(remove, loose.ids())}"
                )
            loose.remove(remove)
        return loose

    # -- asking

    def workflow(self, name: str | None = None, settings: Mapping[str, Any] | None = None) -> Workflow:
        """Return a workflow: the named one, else the current one, else the only one.

        Args:
            name: its name.
            settings: parameter values for one run, where its parameters are the notebook's.

        Raises:
            WorkflowNotFoundError: a ValueError, if that is none or several; it lists them.
        """
        loose = self._loose(name or self._default_name())
        if loose is None:
            return REGISTRY.workflow(name or self._default_name())
        return self._with_parameters(loose).workflow(self._values(loose, settings or {}))

    def _loose(self, name: str) -> LooseTasks | None:
        """Return the notebook's loose tasks of that name, if there are some."""
        found = REGISTRY.loose_of(MODULE).get(name)
        return found if found is not None and len(found) else None

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

    def _with_parameters(self, loose: LooseTasks) -> LooseTasks:
        """Give loose tasks the values that their parameters have in the notebook now."""
        loose.parameters = self._values(loose, {})
        return loose

    def _values(self, loose: LooseTasks, settings: Mapping[str, Any]) -> dict[str, Any]:
        parameters = self._parameters.get(loose.name)
        if parameters is None:
            return {name: fit(name, value, {}) for name, value in settings.items()}
        return parameters.values(self._names, settings)

    def task_text(self, task_id: str, workflow: str | None = None) -> str:
        """Return a task as the `@cloaca.task` function that it is equal to, its dependencies written out."""
        found = self.workflow(workflow)
        task = found[task_id]
        loose = self._loose(found.name)
        entry = loose[task_id] if loose is not None and task_id in loose else None
        if loose is None or not isinstance(entry, CellTask):
            return with_dependencies(task.source, found.dependencies[task_id]) or _no_source(task.named)
        resolution = entry.resolution(loose.outputs_for(task_id), found.parameters)
        return task_text(entry.cell, resolution, found.dependencies[task_id])

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
        workflow, initial = self._prepared(name or self._default_name(), settings or {})
        with_panel = panel and hasattr(self._shell, "kernel")
        shown = Panel(workflow, on_cancel=lambda: run.cancel()) if with_panel else None  # noqa: PLW0108 - no run yet
        run = self.runner.start(workflow, initial, observers=[shown] if shown else [])
        try:
            if shown:
                shown.show()
            self.last_result = _result_of(run)
        except KeyboardInterrupt as error:
            run.cancel()
            error.add_note(f"The run of {workflow.name!r} was cancelled; %cloaca_history has what it had finished.")
            hide_our_frames(error)
            raise
        finally:
            if shown:
                shown.close()
        return self.last_result

    def _prepared(self, name: str, settings: Mapping[str, Any]) -> tuple[Workflow, dict[str, Any]]:
        """Return a workflow that can be run, and its initial context; say what looks like a slip."""
        loose = self._loose(name)
        if loose is None:
            workflow = REGISTRY.workflow(name)
            return workflow, {key: fit(key, value, workflow.parameters) for key, value in settings.items()}
        workflow = self.workflow(name, settings)
        if unknown := list(refuse_unknown(loose, self._names)):
            raise WorkflowValidationError("\n".join(unknown))
        for message in workflow.warnings:
            sys.stderr.write(f"{message}\n")
        return workflow, {}

    def pull(self, *keys: str) -> None:
        """Bind values of the last run's final context in the notebook."""
        if self.last_result is None:
            raise WorkflowNotFoundError("Nothing has been run yet: use %cloaca_run first.")
        self._names.update({key: self.last_result.final_context[key] for key in keys})
        self._pulled.update(keys)

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
        info = result.info
        cell_id = getattr(info, "cell_id", None)
        for gone in REGISTRY.end_cell(cell_id, finished=result.success):
            sys.stderr.write(_departed(gone))
        if result.success and info is not None and info.store_history:
            self._executed.add(cell_id, info.raw_cell)

    def close(self) -> None:
        """End the runner."""
        if self._runner is not None:
            self._runner.shutdown()
            self._runner = None


def _refuse_unbuilt(cell: TaskCell) -> None:
    """Refuse the options that the grammar knows and nothing follows yet: an option is never passed over in silence."""
    for flag, given in (("--try", cell.options.try_), ("--debug", cell.options.debug)):
        if given:
            raise CellError(
                f"{flag} can't run a task on its own yet. Leave it away: %cloaca_run runs the task with its workflow."
            )


def _result_of(run: Run) -> WorkflowResult:
    """Block until a run is over: in short waits, as an interrupt just before a wait is noticed only after it."""
    while not run.is_over:
        with suppress(TimeoutError):
            run.wait(TICK)
    return run.wait()


def _departed(task: Departure) -> str:
    if task.now_in is None:
        return f"Task {task.task_id!r} is gone: its cell no longer defines it.\n"
    return (
        f"Task {task.task_id!r} has moved from workflow {task.workflow!r} to {task.now_in!r}, which task cells join "
        f"now. To put it back: %cloaca_workflow {task.workflow}, then its cell again.\n"
    )


def _no_source(named: str) -> str:
    raise TaskNotFoundError(f"Task {named} has no source that could be shown: it wasn't defined in a cell or a file.")

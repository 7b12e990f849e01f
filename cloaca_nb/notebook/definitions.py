"""What the cells of a notebook define: tasks, parameters, workflows; and what it has names for."""

import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from cloaca_nb.core.cells import parse_params_cell, parse_task_cell, task_text
from cloaca_nb.core.circles import Circle
from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.parameters import Values, following
from cloaca_nb.core.secret import SecretKeys
from cloaca_nb.declare.cell_task import CellTask
from cloaca_nb.declare.decorator import with_dependencies
from cloaca_nb.declare.loose import LooseTasks
from cloaca_nb.declare.registry import REGISTRY
from cloaca_nb.declare.settings import fit
from cloaca_nb.errors import (
    CellError,
    CloacaError,
    TaskNotFoundError,
    WorkflowNotFoundError,
    WorkflowValidationError,
    near_miss,
)
from cloaca_nb.notebook.answer import Answer, answer_for, answer_for_parameters
from cloaca_nb.notebook.carriage import carriage_of
from cloaca_nb.notebook.cell_code import CellCode
from cloaca_nb.notebook.executed import ExecutedCells, notebook_path
from cloaca_nb.notebook.helper_reads import helper_reads
from cloaca_nb.notebook.obstacles import obstacles, removal, told
from cloaca_nb.notebook.parameters import Parameters
from cloaca_nb.notebook.prose_above import prose_above
from cloaca_nb.notebook.settings import Cloaca
from cloaca_nb.packaging.export.prose import with_docstring

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["MODULE", "Definitions"]

MODULE: Final = "__main__"  # where a notebook's names live


class Definitions:
    """What the cells of one notebook define.

    Args:
        shell: the IPython shell.
        executed: its cells.
        settings: say which parameters are secret.
    """

    def __init__(self, shell: "InteractiveShell", executed: ExecutedCells, settings: Cloaca) -> None:
        self._shell = shell
        self._settings = settings
        self._executed = executed
        self.pulled: set[str] = set()  # names that the notebook has from a run's final context
        self._worked_out: dict[str, Any] = {}  # of those the values that followed from others there

    @property
    def names(self) -> dict[str, Any]:
        """The notebook's own names."""
        names: dict[str, Any] = self._shell.user_ns
        return names

    # -- defining

    def define_task(self, text: str) -> Answer:
        """Make a cell a task of the current workflow, and say what it reads and sets as things stand now."""
        cell = parse_task_cell(text)
        if cell.options.debug and not cell.options.try_:
            raise CellError(f"--debug is for one task that runs now: %%cloaca_task {cell.id} --try --debug.")
        code = CellCode(self._shell, text)
        entry = CellTask(cell, code.function, code.namespace(), where=code.label, source=text)
        REGISTRY.declare(MODULE, entry)
        loose = REGISTRY.loose(MODULE)
        names = {name: value for name, value in self.names.items() if name not in self.pulled}
        return answer_for(entry, loose, names, carriage_of(entry, loose, self._executed, names))

    def define_parameters(self, text: str) -> Answer:
        """Make a cell's names the parameters of the current workflow, bind them, and say what they are."""
        parameters = Parameters(parse_params_cell(text), CellCode(self._shell, text), self.names, self._worked_out)
        loose = REGISTRY.loose(MODULE)
        parameters.bind()
        if isinstance(loose.source, Parameters):
            parameters.follow(loose.source)
        loose.source = parameters
        return answer_for_parameters(parameters.values(), self.secret_keys(), self._hidden_from_helpers(loose))

    def _hidden_from_helpers(self, loose: LooseTasks) -> list[str]:
        """Return which helpers of the tasks that there are take parameters from the notebook."""
        with suppress(WorkflowValidationError):  # there is no task yet, or its cell says what is wrong
            return [one.sentence for one in helper_reads(loose.draft(), self.names) if not one.setter]
        return []

    def use_workflow(self, name: str | None = None, *, remove: str | None = None) -> LooseTasks:
        """Make `name` the workflow that task cells join; take a task out of it if asked."""
        loose = REGISTRY.use(MODULE, name) if name else REGISTRY.loose(MODULE)
        if remove is not None:
            if remove not in loose:
                raise TaskNotFoundError(
                    f"Workflow {loose.name!r} has no task {remove!r}.{near_miss(remove, loose.ids())} "
                    f"Its tasks are: {', '.join(loose.ids()) or 'none yet'}."
                )
            loose.remove(remove)
        return loose

    def pull(self, values: Mapping[str, Any], given: Collection[str]) -> None:
        """Bind values of a run's final context in the notebook.

        Args:
            values: by key.
            given: the keys that somebody gave for that run: pulled, they are the notebook's own from now on; parameters
                that followed from others go on following from them.
        """
        self.names.update(values)
        self.pulled.update(values)
        for key, value in values.items():
            if key in given:
                self._worked_out.pop(key, None)
            else:
                self._worked_out[key] = value

    # -- asking

    def workflow(self, name: str | None = None) -> Workflow:
        """Return a workflow: the named one, else the current one, else the only one.

        Raises:
            WorkflowNotFoundError: a ValueError, if that is none or several; it lists them.
        """
        wanted = name or self._default_name()
        loose = self._loose(wanted)
        if loose is None:
            return REGISTRY.workflow(wanted)
        try:
            return loose.workflow()
        except (WorkflowValidationError, CellError) as error:
            error.add_note(f"To take out a task whose cell is gone: {removal(loose, REGISTRY.loose(MODULE))} TASK")
            raise

    def to_look_at(self, name: str | None = None) -> Workflow:
        """Return a workflow as far as it can be built, and say what would keep it from being run; see `workflow`."""
        found, problem = self._sketch(name)
        loose = self._loose(found.name)
        _say(told(problem))
        if problem is None and loose is not None:
            _say([*self._obstacles(loose, ()), *(one.sentence for one in found.circles)])
        return found

    def _sketch(self, name: str | None) -> tuple[Workflow, CloacaError | None]:
        """Return a workflow as far as it can be built, and what keeps the rest from being built."""
        wanted = name or self._default_name()
        loose = self._loose(wanted)
        try:
            return self.workflow(wanted), None
        except (WorkflowValidationError, CellError) as error:
            with suppress(WorkflowValidationError):
                if loose is not None:
                    return loose.draft(), error
            raise

    def _obstacles(self, loose: LooseTasks, circles: Iterable[Circle]) -> list[str]:
        return list(obstacles(loose, self.names, circles, removal(loose, REGISTRY.loose(MODULE))))

    def task_text(self, task_id: str, workflow: str | None = None) -> str:
        """Return a task as the `@cloaca.task` function that it is equal to, its dependencies written out.

        Without a workflow's name, it is looked for in the current one, then in the others.

        Raises:
            TaskNotFoundError: a KeyError, if there is none, or if several of the others have one.
            WorkflowNotFoundError: a ValueError, if there is no such workflow.
        """
        found, problem = self._sketch(workflow or self._home_of(task_id))
        loose = self._loose(found.name)
        if problem is not None and task_id not in found and task_id in self.task_ids(found.name):
            raise problem
        task = found[task_id]
        _say(told(problem))
        entry = loose[task_id] if loose is not None and task_id in loose else None
        if loose is None or not isinstance(entry, CellTask):
            text = with_dependencies(task.source, found.dependencies[task_id]) or _no_source(task.named)
        else:
            resolution = entry.resolution(loose.outputs_for(task_id), found.parameters)
            text = task_text(entry.cell, resolution, found.dependencies[task_id])
        path = notebook_path(self._shell)
        saved = self._executed.beside(path)[0] if path else None
        return with_docstring(text, prose_above(task_id, found.name, saved))

    def prepared(
        self, name: str | None, settings: Mapping[str, Any], *, for_try: bool = False, reuses: bool = False
    ) -> tuple[Workflow, dict[str, Any]]:
        """Return a workflow that can be run, and its initial context; say what looks like a slip.

        Args:
            name: the workflow; see `workflow`.
            settings: parameter values for this run.
            for_try: whether a cell asks that has just been answered.
            reuses: whether an earlier run's parameter values may be taken.
        """
        wanted = name or self._default_name()
        loose = self._loose(wanted)
        if loose is None:
            workflow = REGISTRY.workflow(wanted)
            initial = {key: fit(key, value, workflow.parameters) for key, value in settings.items()}
            _say(self._seen_by_helpers(workflow, initial, reuses=reuses))  # a builder has said the others
            return workflow, initial
        initial = {key: fit(key, value, loose.source.defaults) for key, value in settings.items()}
        workflow = self.workflow(wanted)
        circles = () if for_try else workflow.circles  # the values of a try may be there from earlier ones
        if found := self._obstacles(loose, circles):
            raise WorkflowValidationError("\n".join(found))
        _say([*workflow.warnings, *(one.sentence for one in circles)])
        if not for_try:
            _say(self._seen_by_helpers(workflow, initial, reuses=reuses))
        return workflow, initial

    def _seen_by_helpers(self, workflow: Workflow, initial: Mapping[str, Any], *, reuses: bool) -> Iterator[str]:
        """Yield what helpers take from the notebook that this run may have another value of."""
        known = workflow.parameters.known
        for name in (*initial, *following(workflow.derived, initial)):
            known.pop(name, None)
        for found in helper_reads(workflow, self.names):
            is_same = not reuses and found.name in known and known[found.name] is self.names.get(found.name)
            if found.setter or not is_same:
                yield found.sentence

    def _home_of(self, task_id: str) -> str | None:
        """Return the name of the workflow that a task is in; None if that isn't the current one, or the only one."""
        current, homes = REGISTRY.loose(MODULE), [one for one in self.workflow_names() if task_id in self.task_ids(one)]
        return homes[0] if len(homes) == 1 or current.name in homes else None

    # -- what there are names for

    @property
    def name_to_be(self) -> str:
        """The name of the workflow that task cells join."""
        return REGISTRY.loose(MODULE).name

    def current_name(self) -> str | None:
        """Return the name of the current workflow, else of the only one; None if that is none or several."""
        with suppress(WorkflowNotFoundError):
            return self._default_name()
        return None

    def workflow_names(self) -> list[str]:
        """Return the names of all workflows, that of the current one first."""
        return list(dict.fromkeys([*(one.name for one in [REGISTRY.loose(MODULE)] if len(one)), *REGISTRY.names()]))

    def task_ids(self, workflow: str | None = None) -> list[str]:
        """Return the ids of the tasks of a workflow, by default the current one, else the only one."""
        loose = self._loose(workflow) if workflow else REGISTRY.loose(MODULE)
        if loose is not None and len(loose):
            return loose.ids()
        with suppress(CloacaError):
            return [task.id for task in self.workflow(workflow).tasks]
        return []

    def known_keys(self) -> list[str]:
        """Return what the context of the current workflow may hold: parameters, and what its tasks set."""
        loose = REGISTRY.loose(MODULE)
        with suppress(CloacaError):
            return list(
                dict.fromkeys([*loose.parameters, *(key for one in loose.draft().tasks for key in one.keys.sets)])
            )
        return list(loose.parameters)

    def secret_keys(self) -> SecretKeys:
        """Return which keys of the current workflow are secret."""
        return self._settings.secrets().and_named(REGISTRY.loose(MODULE).source.secret)

    def parameters(self, workflow: str | None = None) -> Values:
        """Return the parameters of a workflow, by default the current one, else the only one, with their values."""
        loose = self._loose(workflow) if workflow else REGISTRY.loose(MODULE)
        with suppress(CloacaError):
            if loose is not None and (len(loose) or loose.parameters):
                return loose.source.values()
            return self.workflow(workflow).parameters
        return Values({}, {}, {})

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
            raise WorkflowNotFoundError(
                "There is no workflow yet: run the task cells above first, or make a cell a task with "
                "%%cloaca_task NAME."
            )
        raise WorkflowNotFoundError(f"Which workflow? Name one of {', '.join(map(repr, known))}.")


def _say(messages: Iterable[str]) -> None:
    for message in messages:
        sys.stderr.write(f"{message}\n")


def _no_source(named: str) -> str:
    raise TaskNotFoundError(f"Task {named} has no source that could be shown: it wasn't defined in a cell or a file.")

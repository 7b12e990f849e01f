"""Export: a notebook in, an installable package out, as text in memory."""

from collections.abc import Collection, Iterable, Sequence

from cloaca_nb.core.cells import task_text
from cloaca_nb.core.graph import Workflow
from cloaca_nb.declare.decorator import with_dependencies
from cloaca_nb.errors import ExportError, near_miss
from cloaca_nb.packaging.analysis.agreement import check_agreement
from cloaca_nb.packaging.analysis.carried_modules import Foundation, imported_modules
from cloaca_nb.packaging.analysis.dag import Dag, work_out_dag
from cloaca_nb.packaging.analysis.declared import Declared, Entry, StatementTasks, TaskOfCell, read_declared
from cloaca_nb.packaging.analysis.defaults import (
    Parameters,
    defaults_of,
    derived,
    is_plain_cell,
    refuse_secrets,
    refuse_uses_between,
)
from cloaca_nb.packaging.analysis.definitions import Reader
from cloaca_nb.packaging.analysis.distributions import Installed
from cloaca_nb.packaging.analysis.environment import refuse_handles, refuse_set_by_magic
from cloaca_nb.packaging.analysis.free_names import free_names
from cloaca_nb.packaging.analysis.imports import OUR_NAMES
from cloaca_nb.packaging.analysis.magics import Transform, to_python
from cloaca_nb.packaging.analysis.moves import moves_in, refuse_moves
from cloaca_nb.packaging.analysis.notebook import Notebook
from cloaca_nb.packaging.analysis.reach import Need, Reached, reach
from cloaca_nb.packaging.analysis.statements import Statement
from cloaca_nb.packaging.export.ground import ground_of
from cloaca_nb.packaging.export.left_out import acts, acts_itself, left_out
from cloaca_nb.packaging.export.module import ModuleText, Part, function_name
from cloaca_nb.packaging.export.opens import opens
from cloaca_nb.packaging.export.other_engine import check_other_engine
from cloaca_nb.packaging.export.package import Package
from cloaca_nb.packaging.export.package_name import check_package_name, default_name
from cloaca_nb.packaging.export.project import Project
from cloaca_nb.packaging.export.prose import docstring, with_docstring
from cloaca_nb.packaging.export.tested import TestedModule, test_files

__all__ = ["export"]


def export(
    notebook: Notebook,
    workflow: Workflow | str | None = None,
    *,
    name: str | None = None,
    folder: str = "",
    import_name: str = "cloaca_nb",
    transform: Transform = to_python,
    installed: Installed | None = None,
) -> Package:
    """Make a package of a notebook's workflow; nothing of the notebook is run, and nothing is written.

    Args:
        notebook: its cells, as saved or as executed.
        workflow: which of its workflows, or that one's name; None: the only one. One that the kernel has built is
            compared with what the text says.
        name: the package's name; by default the workflow's.
        folder: the name of the package's folder, after which that of an untitled notebook is called.
        import_name: what the package imports: "cloaca_nb", or "cloaca" for the other engine.
        transform: makes plain Python of a cell's text with IPython syntax, line for line.
        installed: the distributions from which requirements and their versions are told.

    Raises:
        ExportError: if something that a task needs can't be carried, or the cells' text makes another workflow than
            the kernel has; it names the cell, the line and the fix.
        WorkflowValidationError: if the tasks make no workflow.
    """
    if import_name not in OUR_NAMES:
        raise ExportError(f"A package imports {' or '.join(OUR_NAMES)}, not {import_name!r}.")
    declared = read_declared(notebook, transform)
    wanted = workflow.name if isinstance(workflow, Workflow) else workflow
    chosen = _choose(declared, wanted)
    made = _Export(notebook, declared, chosen, import_name=import_name, installed=installed or Installed())
    if isinstance(workflow, Workflow):
        check_agreement(made.dag, workflow)
    return made.package(name or default_name(chosen, folder))


def _choose(declared: Declared, wanted: str | None) -> str:
    """Return the name of the workflow to export."""
    known = list(dict.fromkeys([*(entry.workflow for entry in declared.entries), *declared.blocks]))
    if not known:
        raise ExportError("The notebook has no task to export: make a cell a task with %%cloaca_task NAME.")
    if wanted is None and len(known) == 1:
        return known[0]
    if wanted in known:
        return str(wanted)
    if wanted is None:
        raise ExportError(f"The notebook has several workflows; name one of {', '.join(map(repr, known))}.")
    raise ExportError(f"The notebook has no workflow {wanted!r}.{near_miss(wanted, known)} It has: {', '.join(known)}.")


class _Export:
    """One export: the parts that the steps hand on."""

    def __init__(
        self, notebook: Notebook, declared: Declared, workflow_name: str, *, import_name: str, installed: Installed
    ) -> None:
        self.notebook = notebook
        self.declared = declared
        self.workflow_name = workflow_name
        self.import_name = import_name
        self.installed = installed
        self.block = declared.blocks.get(workflow_name)
        self.entries = self._entries()
        self.parameters = [] if self.block else [one for one in declared.parameters if one.workflow == workflow_name]
        self.parameter_names = [name for one in self.parameters for name in one.names]
        self.dag: Dag = work_out_dag(workflow_name, self.entries, self.parameter_names)
        if import_name != "cloaca_nb":
            check_other_engine(self.parameters, self.entries, self.dag)

    def package(self, name: str) -> Package:
        """Return the finished package under its name."""
        texts = {entry: self._task_text(entry) for entry in self.entries}
        reached, by_name = self._reach(texts)
        for cell in self.parameters:
            refuse_uses_between(cell, reached.statements)
            refuse_secrets(cell, reached.statements)
        self._check_names(texts, reached)
        carried = {**{one.where: one.text for one in reached.statements}, **{one.where: texts[one] for one in texts}}
        acting = self._acting(reached)
        refuse_handles(reached.imports, carried)
        refuse_set_by_magic(self.declared.statements, carried)
        code = [*((one.where, one.text) for one in reached.statements), *((one.where, texts[one]) for one in texts)]
        hints = self.declared.install_hints
        ground = ground_of(self.notebook, self.installed, self.import_name, reached.imports, code, hints)
        check_package_name(name, ground)
        module = ModuleText(
            notebook=self.notebook.name,
            import_name=self.import_name,
            imports=reached.imports,
            local_names=ground.local_names,
            statements=reached.statements,
            workflow_name=self.workflow_name,
            defaults={one.cell: defaults_of(one, by_name=by_name) for one in self.parameters},
            secret={one.cell: one.secret for one in self.parameters},
            tasks=[Part(entry.cell, text) for entry, text in texts.items()],
            block=Part(self.block.cell, texts[self.block]) if self.block else None,
            names=reached.names,
        )
        project = self._project(name, ground)
        tests = self._tests(name, texts, reached) if self.import_name == "cloaca_nb" else {}
        files = {f"{name}/__init__.py": module.text(), **project.files(), **tests, **ground.files}
        return Package(
            name=name,
            workflow_name=self.workflow_name,
            files=dict(sorted(files.items())),
            left_out=tuple(self._left_out(reached, acting)),
            acts=tuple(acts(acting, self.declared.acting)),
            tasks=tuple(
                task.id for task in self.dag.workflow.tasks if task.id not in self.dag.unknown | self.dag.supposed
            ),
            dependencies=dict(self.dag.certain),
            makes_more=self.dag.makes_more,
            data=ground.data,
            opens=opens(code, self.notebook.folder),
        )

    def _entries(self) -> list[Entry]:
        own: list[Entry] = [one for one in self.declared.entries if one.workflow == self.workflow_name]
        own = [one for number, one in enumerate(own) if not any(one.same_as(other) for other in own[:number])]
        if self.block is None:
            return own
        if own:
            raise ExportError(
                f"{own[0].where} and {self.block.where}: both say what is in workflow {self.workflow_name!r}. "
                "Rename one of them."
            )
        return [self.block]

    def _task_text(self, entry: Entry) -> str:
        """Return the text of an entry's tasks: what the notebook infers is written out, and its prose is kept."""
        if isinstance(entry, StatementTasks):
            text = self._with_dependencies(entry)
        else:
            dependencies = self.dag.dependencies_to_write(entry, infers=self.import_name == "cloaca_nb")
            text = task_text(entry.task, self.dag.resolutions[entry.task.id], dependencies)
        return with_docstring(text, docstring(entry.cell.above)) if entry.place.number == 0 else text

    def _with_dependencies(self, entry: StatementTasks) -> str:
        text = entry.statement.text
        for task in entry.tasks:
            if task.dependencies is None:
                text = with_dependencies(text, self.dag.certain.get(task.id or "", ()), task.function)
        return text

    def _reach(self, texts: dict[Entry, str]) -> tuple[Reached, bool]:
        """Return what is carried, and whether the parameters are, as constants: if not only tasks need them."""
        by_name = not all(map(is_plain_cell, self.parameters))
        imported = [one for entry, text in texts.items() for one in imported_modules(text, entry.where)]
        modules = {one.module.partition(".")[0] for one in imported}
        reached = self._reach_from(self._needs(texts, by_name=by_name), modules)
        own = {one for cell in self.parameters for one in cell.statements}
        if not by_name and not own.isdisjoint(reached.statements):
            return self._reach_from(self._needs(texts, by_name=True), modules), True
        return reached, by_name

    def _reach_from(self, needs: Iterable[Need], modules: Collection[str]) -> Reached:
        return reach(
            self.declared.statements,
            needs,
            in_workflow=self.task_statements,
            wanted=self.declared.wanted,
            outputs=self.dag.outputs,
            private={
                name: entry.where
                for entry in self.entries
                if isinstance(entry, TaskOfCell)
                for name in entry.task.names.bound
            },
            provided={"cloaca"},
            modules=modules,
        )

    def _needs(self, texts: dict[Entry, str], *, by_name: bool) -> Iterable[Need]:
        for entry, text in texts.items():
            if isinstance(entry, TaskOfCell):
                names = free_names(text)
                every = names._replace(later=names.later | names.now, now=frozenset())
                yield Need(every, Reader(f"task {entry.task.id!r}", entry.where))
        for cell in self.parameters:
            yield from _parameter_needs(cell, by_name=by_name)

    def _check_names(self, texts: dict[Entry, str], reached: Reached) -> None:
        """Refuse what would hide a name of the package: a task's function, or a value called `cloaca`."""
        for statement in reached.statements:
            if "cloaca" in statement.names.defined:
                raise ExportError(
                    f"{statement.where}: `{statement.first_line}` gives a value to the name 'cloaca', by which the "
                    "package knows the engine that runs it. Give the value another name."
                )
        for entry, text in texts.items():
            if isinstance(entry, TaskOfCell) and (function := function_name(text)) in {*reached.names, "cloaca"}:
                raise ExportError(
                    f"{entry.where}: in the package, the function of task {entry.task.id!r} would hide the name "
                    f"{function!r}, which other code there uses. Rename the task, e.g. '{entry.task.id}_task'."
                )

    def _project(self, name: str, ground: Foundation) -> Project:
        return Project(
            name=name,
            workflow_name=self.workflow_name,
            source=f"{self.notebook.name}.ipynb",
            import_name=self.import_name,
            requirements=ground.requirements,
            modules=sorted({path.partition("/")[0] for path in ground.files}),
            dependencies=self.dag.certain,
            has_more=self.dag.makes_more,
            parameters={
                default.name: default.source
                for one in self.parameters
                for default in sorted(defaults_of(one, by_name=False), key=lambda default: bool(default.derived_from))
            },
            derived={name: used for one in self.parameters for name, used in derived(one).items()},
            secret=[name for one in self.parameters for name in one.secret],
            asked=self.dag.asked,
        )

    @property
    def task_statements(self) -> list[Statement]:
        """The statements that define tasks."""
        return [entry.statement for entry in self.entries if isinstance(entry, StatementTasks)]

    def _tests(self, name: str, texts: dict[Entry, str], reached: Reached) -> dict[str, str]:
        cells = {function_name(text) for entry, text in texts.items() if isinstance(entry, TaskOfCell)}
        tested = TestedModule(
            name=name,
            notebook=self.notebook.name,
            workflow_name=self.workflow_name,
            import_name=self.import_name,
            functions={*cells, *(one for statement in self.task_statements for one in statement.names.defined)},
            statements=reached.statements,
            outputs=self.dag.outputs,
            parameters=self.parameter_names,
        )
        tests = [one for one in self.declared.tests if one.workflow == self.workflow_name]
        return test_files(tested, tests, self.declared.statements, self.task_statements)

    def _acting(self, reached: Reached) -> list[Statement]:
        """Return what acts when the notebook runs and isn't carried; refuse what changes the working directory."""
        statements = self.declared.statements
        carried = set(self._carried(reached))
        moves = {one: calls for one, calls in moves_in(statements).items() if one not in carried}
        tasks = [one.place for one in (*self.declared.entries, *self.declared.blocks.values())]
        refuse_moves(moves, statements, tasks, self.installed)
        return [one for one in statements if one not in carried and (one in moves or acts_itself(one))]

    def _left_out(self, reached: Reached, acting: Sequence[Statement]) -> list[str]:
        lines = left_out(self.declared.statements, [*self._carried(reached), *acting], reached.imports)
        return [*lines, *self._tests_left_out(), *self.declared.skipped]

    def _carried(self, reached: Reached) -> list[Statement]:
        own = [one for cell in self.parameters for one in cell.statements]
        # A cell that stands there twice is carried once, and neither is left out.
        entries = [*self.entries, *(one for one in self.declared.entries if any(map(one.same_as, self.entries)))]
        return [*reached.statements, *own, *(one.statement for one in entries if isinstance(one, StatementTasks))]

    def _tests_left_out(self) -> Iterable[str]:
        for one in self.declared.tests:
            if one.workflow != self.workflow_name:
                yield f"{one.cell.at(1)}: a test of another workflow"
            elif self.import_name != "cloaca_nb":
                yield f"{one.cell.at(1)}: a test, which would run on cloaca_nb"


def _parameter_needs(cell: Parameters, *, by_name: bool) -> Iterable[Need]:
    """Return what a parameters cell needs: its own constants where it is carried, else what its defaults name."""
    rules = derived(cell)
    for statement in cell.told:
        reader = Reader("the parameters cell", statement.where, statement.place, above=True)
        names = statement.names
        if not rules.keys().isdisjoint(names.defined):
            yield Need(names._replace(now=names.now.difference(cell.names), hinted=frozenset()), reader)
        elif by_name:
            yield Need(names._replace(later=names.defined, now=frozenset()), Reader(reader.what, reader.where))
        else:
            yield Need(names._replace(hinted=frozenset()), reader)

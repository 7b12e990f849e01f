"""The DAG that a notebook's tasks make, worked out from their text: no function is made, nothing is run."""

import ast
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from cloaca_nb.core.cells import Resolution, keys_of, resolve
from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.names import Keys
from cloaca_nb.core.task import Task
from cloaca_nb.errors import CellError, ExportError, WorkflowValidationError
from cloaca_nb.packaging.analysis.declared import Entry, StatementTasks, TaskOfCell, placed
from cloaca_nb.packaging.analysis.decorated import DecoratedTask, FunctionName, ruled

__all__ = ["Dag", "work_out_dag"]


@dataclass(frozen=True, slots=True)
class Dag:
    """What is known of the workflow before its package is imported.

    Attributes:
        workflow: its tasks; one stand-in for each statement whose tasks get their ids only when it is executed.
        resolutions: where each task cell's names come from, by task id.
        unknown: the ids of the stand-ins.
        supposed: ids that tasks name as dependencies and that only such statements can make.
        certain: for each task that is sure to exist like that, its dependencies.
        outputs: all keys that tasks set.
    """

    workflow: Workflow
    resolutions: Mapping[str, Resolution]
    unknown: frozenset[str]
    supposed: frozenset[str]
    certain: Mapping[str, tuple[str, ...]]
    outputs: frozenset[str]

    @property
    def makes_more(self) -> bool:
        """Whether there are tasks besides those of `certain`, which are known only when the package is imported."""
        return len(self.certain) < len(self.workflow)

    @property
    def asked(self) -> list[str]:
        """The keys that tasks read, with or without a default, and none sets: a run is given them."""
        read = (key for task in self.workflow.tasks for key in (*task.keys.reads, *task.keys.optional))
        return list(dict.fromkeys(key for key in read if key not in self.outputs))

    def dependencies_to_write(self, entry: TaskOfCell, *, infers: bool) -> tuple[str, ...] | None:
        """Return what a task cell's function has to name as its dependencies; None: leave that to inference.

        Args:
            entry: the task cell.
            infers: whether the engine that runs the package infers dependencies.

        Raises:
            ExportError: if they are known only when the package is imported, and can't be left to inference.
        """
        found = self.workflow.dependencies[entry.task.id]
        unclear = [one for one in found if one in self.unknown]
        if not unclear or not self.supposed.isdisjoint(found):  # the author has said which of the made tasks it follows
            return tuple(one for one in found if one not in self.unknown)
        if infers and len(unclear) == len(found):
            return None
        raise ExportError(
            f"{entry.where}: task {entry.task.id!r} gets a value from {unclear[0]}, whose ids are known only when they "
            "are made. Name those that it follows: `--after a,b`, or write it with @cloaca.task(dependencies=[…])."
        )


def work_out_dag(name: str, entries: Sequence[Entry], parameters: Collection[str]) -> Dag:
    """Work out the DAG of a workflow.

    Args:
        name: the workflow's.
        entries: its tasks in document order.
        parameters: the names of its parameters.

    Raises:
        ExportError: if two cells define one task, or a cell's names can't be resolved.
        WorkflowValidationError: if the tasks make no workflow, or a cell's name can be had only in a circle.
    """
    _refuse_twins(entries)
    sets = {number: _sets(entry) for number, entry in enumerate(entries)}
    ids = {task.function: task.id for entry in entries for task in _decorated(entry) if task.id}
    resolutions: dict[str, Resolution] = {}
    tasks: list[Task] = []
    for number, entry in enumerate(entries):
        if isinstance(entry, TaskOfCell):
            outputs = dict.fromkeys(key for other, keys in sets.items() if other != number for key in keys)
            resolutions[entry.task.id] = _resolved(entry, outputs, parameters)
            tasks.append(_cell_task(entry, resolutions[entry.task.id]))
        else:
            tasks += _statement_tasks(entry, ids)
    unknown = {task.id for entry in entries for task in tasks if task.id == _stand_in_id(entry)}
    supposed = _made_by_stand_ins(tasks, [entry for entry in entries if _stand_in_id(entry) in unknown])
    tasks = [*supposed, *tasks]
    workflow = Workflow(name, tasks, parameters=dict.fromkeys(parameters))
    _refuse_circles(workflow, entries)
    hidden = unknown | {task.id for task in supposed}
    certain = {one: workflow.dependencies[one] for one in _certain_ids(entries)}
    return Dag(
        workflow=workflow,
        resolutions=resolutions,
        unknown=frozenset(unknown),
        supposed=frozenset(task.id for task in supposed),
        certain={one: found for one, found in certain.items() if not hidden.intersection((one, *found))},
        outputs=frozenset(key for keys in sets.values() for key in keys),
    )


def _refuse_twins(entries: Iterable[Entry]) -> None:
    seen: dict[str, Entry] = {}
    for entry in entries:
        for task_id in _ids(entry):
            if task_id in seen:
                raise ExportError(
                    f"{seen[task_id].where} and {entry.where}: both define the task {task_id!r}. "
                    "Rename one, or remove the cell that is out of date."
                )
            seen[task_id] = entry


def _refuse_circles(workflow: Workflow, entries: Iterable[Entry]) -> None:
    """Refuse those that a run could only fail at: a task's function may ask whether there is a key, a name is read."""
    cells = {entry.task.id: entry for entry in entries if isinstance(entry, TaskOfCell)}
    for circle in workflow.circles:
        entry = cells.get(circle.reader)
        if entry is not None and circle.key not in entry.task.names.keys.reads:
            raise WorkflowValidationError(f"{entry.where}: {circle.sentence}")


def _ids(entry: Entry) -> list[str]:
    if isinstance(entry, TaskOfCell):
        return [entry.task.id]
    return [task.id for task in entry.tasks if task.id]


def _decorated(entry: Entry) -> tuple[DecoratedTask, ...]:
    return entry.tasks if isinstance(entry, StatementTasks) else ()


def _sets(entry: Entry) -> tuple[str, ...]:
    """Return the keys that an entry's tasks set whatever the others do."""
    if isinstance(entry, TaskOfCell):
        cell = entry.task
        return cell.options.out or (*cell.names.sets, *cell.names.keys.sets)
    return tuple(key for task in entry.tasks for key in task.keys.sets)


def _resolved(entry: TaskOfCell, outputs: Collection[str], parameters: Collection[str]) -> Resolution:
    try:
        return resolve(entry.task, outputs, parameters)
    except CellError as error:
        raise placed(entry.cell, error) from error


def _cell_task(entry: TaskOfCell, resolution: Resolution) -> Task:
    keys = keys_of(entry.task, resolution)
    options = entry.task.options
    rule = ast.parse(options.trigger_rules, mode="eval").body if options.trigger_rules else None
    after = tuple(dict.fromkeys((*options.after, *ruled(rule))))
    return Task(entry.task.id, _never_called, after=after, keys=keys, where=entry.where)


def _statement_tasks(entry: StatementTasks, ids: Mapping[str, str]) -> Iterator[Task]:
    for task in entry.tasks:
        if task.id:
            named = None if task.dependencies is None else tuple(_id_of(one, ids) for one in task.dependencies)
            yield Task(task.id, _never_called, named, task.after, keys=task.keys, where=entry.where)
    if not entry.tasks or any(task.id is None for task in entry.tasks):
        sets = tuple(key for task in entry.tasks if task.id is None for key in task.keys.sets)
        yield Task(_stand_in_id(entry), _never_called, (), keys=Keys(sets=sets, computed=True), where=entry.where)


def _stand_in_id(entry: Entry) -> str:
    return f"the tasks of {entry.where}"


def _id_of(dependency: str | FunctionName, ids: Mapping[str, str]) -> str:
    return dependency if isinstance(dependency, str) else ids.get(dependency.name, dependency.name)


def _made_by_stand_ins(tasks: Sequence[Task], unknown: Sequence[Entry]) -> list[Task]:
    """Return a task for each id that is named and may be one of those that only running the notebook makes."""
    known = {task.id for task in tasks}
    named = dict.fromkeys(one for task in tasks for one in (*(task.dependencies or ()), *task.after))
    return [Task(one, _never_called, ()) for one in named if one not in known and _may_be_made(one, unknown)]


def _may_be_made(task_id: str, entries: Iterable[Entry]) -> bool:
    """Say whether one of these statements may make a task of that id."""
    for entry in entries:
        made = [task.may_be for task in _decorated(entry) if task.id is None]
        if not made or any(one is None or one.fullmatch(task_id) for one in made):
            return True
    return False


def _certain_ids(entries: Iterable[Entry]) -> Iterator[str]:
    """Yield the ids of the tasks that no condition, loop or computed list leaves open."""
    for entry in entries:
        if isinstance(entry, TaskOfCell):
            yield entry.task.id
            continue
        direct = {one.name for one in _direct(entry.statement.node)}
        yield from (one.id for one in entry.tasks if one.id and one.function in direct and one.knows_dependencies)


def _direct(node: ast.stmt) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for one in node.body if isinstance(node, ast.With) else [node]:
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef):
            yield one


def _never_called(*_: Any) -> NoReturn:
    raise AssertionError("a task of a DAG that was worked out from text is never run")

"""What a package registered when it was imported, and whether its manifest says the same."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from cloaca_nb.errors import PackageError, near_miss
from cloaca_nb.packaging.archive.manifest import Manifest, ManifestTask

__all__ = ["RegisteredTask", "RegisteredWorkflow", "differences", "read_registered"]


class RegisteredTask(NamedTuple):
    """A task as its decorator made it.

    Attributes:
        id: its id.
        functions: ``module:name`` of its function: where it was defined, then where else the entry module has it.
        dependencies: ids, inferred ones too.
        description: of its docstring.
        retries: attempts after the first.
        timeout_seconds: per attempt; None: no limit.
    """

    id: str
    functions: tuple[str, ...]
    dependencies: tuple[str, ...]
    description: str
    retries: int
    timeout_seconds: float | None

    def as_manifest(self) -> ManifestTask:
        """Return it as a manifest names it."""
        return ManifestTask(
            self.id, self.functions[0], self.dependencies, self.description, self.retries, self.timeout_seconds
        )


class RegisteredWorkflow(NamedTuple):
    """A workflow as importing the package built it."""

    name: str
    description: str
    tasks: tuple[RegisteredTask, ...]


def read_registered(answer: bytes) -> list[RegisteredWorkflow]:
    """Read what the process of a package answers.

    Args:
        answer: JSON; the package's own code may have had its hands on it.

    Raises:
        PackageError: if the import failed, or the answer can't be understood.
    """
    try:
        said: dict[str, Any] = json.loads(answer)
        if "error" in said:
            raise PackageError(f"Importing it fails:\n{str(said['error']).rstrip()}")
        return [_workflow(one) for one in said["workflows"]]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        if isinstance(error, PackageError):
            raise
        raise PackageError(f"Its process answers what can't be understood: {type(error).__name__}: {error}.") from error


def differences(manifest: Manifest, workflows: Sequence[RegisteredWorkflow]) -> Iterator[str]:
    """Yield a problem for each thing that the manifest says of tasks and the code doesn't.

    What the manifest leaves out, of a task's description, retries and timeout, it doesn't contradict; a timeout of null
    says that there is none.
    """
    if not workflows:
        yield (
            f"Importing {manifest.entry_module!r} registers no workflow: tasks have to be defined when the module is "
            "imported, inside `with cloaca.WorkflowBuilder(…)`."
        )
        return
    found = {task.id: task for workflow in workflows for task in workflow.tasks}
    told = {task.id: task for task in manifest.tasks if task.id}
    for one in found.keys() - told:
        yield f"Task {one!a} is in the code, but not in the manifest.{near_miss(one, told)}"
    for one in told.keys() - found:
        yield f"Task {one!a} is in the manifest, but the code registers no such task.{near_miss(one, found)}"
    for task in told.values():
        if task.id in found:
            yield from _task_differences(task, found[task.id])
    for trigger in manifest.triggers:
        yield f"Trigger {str(trigger.get('name', trigger))!a} is in the manifest, but the code registers none."


def _task_differences(told: ManifestTask, found: RegisteredTask) -> Iterator[str]:
    if told.function and told.function not in found.functions:
        yield _contradiction(told.id, "function", told.function, found.functions[0])
    if set(told.dependencies) != set(found.dependencies):
        yield _contradiction(told.id, "dependencies", sorted(told.dependencies), sorted(found.dependencies))
    if (said := _words(told.description)) and said not in (meant := _described(found)):
        yield _contradiction(told.id, "description", said, meant[0])
    if told.retries is not None and told.retries != found.retries:
        yield _contradiction(told.id, "retries", told.retries, found.retries)
    if told.says_timeout and told.timeout_seconds != found.timeout_seconds:
        yield _contradiction(told.id, "timeout_seconds", told.timeout_seconds, found.timeout_seconds)


def _described(task: RegisteredTask) -> tuple[str, str]:
    """Return what the code says of a task: all of it, and its first paragraph, which is as good."""
    return _words(task.description), _words(task.description.partition("\n\n")[0])


def _words(text: str) -> str:
    """Return a description whatever its lines are broken by."""
    return " ".join(text.split())


def _contradiction(task_id: str, what: str, told: object, found: object) -> str:
    return f"Task {task_id!a}: the manifest says {what} {told!a}, the code {found!a}."


def _workflow(said: Mapping[str, Any]) -> RegisteredWorkflow:
    return RegisteredWorkflow(str(said["name"]), str(said["description"]), tuple(map(_task, said["tasks"])))


def _task(said: Mapping[str, Any]) -> RegisteredTask:
    timeout = said["timeout_seconds"]
    return RegisteredTask(
        id=str(said["id"]),
        functions=tuple(map(str, said["functions"])),
        dependencies=tuple(map(str, said["dependencies"])),
        description=str(said["description"]),
        retries=int(said["retries"]),
        timeout_seconds=None if timeout is None else float(timeout),
    )

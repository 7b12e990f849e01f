"""Full names of tasks, for code that has several tenants, packages and workflows to tell apart: plain values."""

from dataclasses import dataclass, replace
from typing import Final

from cloaca_nb.errors import DefinitionError

__all__ = ["TaskNamespace", "WorkflowContext"]

SEPARATOR: Final = "::"


@dataclass(frozen=True)
class WorkflowContext:
    """Which workflow of which package and tenant.

    Attributes:
        tenant: whose it is.
        package: which package it came with.
        workflow: its name.
    """

    tenant: str
    package: str
    workflow: str

    def task_namespace(self, task: str) -> "TaskNamespace":
        """Return the full name of a task of this workflow."""
        return TaskNamespace(self.tenant, self.package, self.workflow, task)

    def __str__(self) -> str:
        return SEPARATOR.join((self.tenant, self.package, self.workflow))


@dataclass(frozen=True)
class TaskNamespace:
    """The full name of a task; that of a workflow, which is its tasks' parent, where `task` is empty.

    Attributes:
        tenant: whose it is.
        package: which package it came with.
        workflow: which workflow it is in.
        task: its id.

    >>> TaskNamespace.from_string("public::embedded::flights::load").parent()
    TaskNamespace(tenant='public', package='embedded', workflow='flights', task='')
    """

    tenant: str
    package: str
    workflow: str
    task: str

    @classmethod
    def from_string(cls, text: str) -> "TaskNamespace":
        """Read ``tenant::package::workflow::task``.

        Raises:
            DefinitionError: a ValueError, for anything but four parts.
        """
        parts = text.split(SEPARATOR, 3)  # a task's id may hold the separator
        if len(parts) != len(cls.__match_args__) or not all(parts):
            raise DefinitionError(f"Invalid namespace {text!r}: write tenant::package::workflow::task.")
        return cls(*parts)

    def parent(self) -> "TaskNamespace":
        """Return the name of the workflow."""
        return replace(self, task="")

    def is_child_of(self, other: "TaskNamespace") -> bool:
        """Say whether this is a task of workflow `other`."""
        return bool(self.task) and self.parent() == other

    def is_sibling_of(self, other: "TaskNamespace") -> bool:
        """Say whether both are tasks of one workflow, and not the same."""
        return bool(self.task and other.task) and self != other and self.parent() == other.parent()

    def __str__(self) -> str:
        return SEPARATOR.join((self.tenant, self.package, self.workflow, self.task))

"""The DAG that a notebook has, with which that of its package is compared once it is imported."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from cloaca_nb.packaging.loading.registered import RegisteredWorkflow

__all__ = ["Expected"]

_OTHERWISE: Final = (
    " What makes the tasks came out otherwise when the package was imported, in a process of its own: does it look at "
    "the environment, a file, or the time? Restart the kernel and run all cells, or write the tasks out."
)


class Expected(NamedTuple):
    """What a package has to register.

    Attributes:
        workflow: the workflow's name; others, of modules that the package imports, are not compared.
        dependencies: of each task that is known, by id.
        is_all: whether these are all its tasks; False: some are known only when the package is imported.
    """

    workflow: str
    dependencies: Mapping[str, Iterable[str]]
    is_all: bool

    def differences(self, workflows: Iterable[RegisteredWorkflow]) -> list[str]:
        """Return a problem for each task that only one of the two has, or that follows others; the last says more."""
        found = list(self._differences(workflows))
        return [*found[:-1], found[-1] + _OTHERWISE] if found else []

    def _differences(self, workflows: Iterable[RegisteredWorkflow]) -> Iterator[str]:
        found = {task.id: task.dependencies for one in workflows if one.name == self.workflow for task in one.tasks}
        for task_id, ids in self.dependencies.items():
            if task_id not in found:
                yield f"Task {task_id!r} is in the notebook, but not in the package."
            elif set(ids) != set(found[task_id]):
                there = sorted(found[task_id])
                yield f"Task {task_id!r} follows {sorted(ids)} in the notebook, but {there} in the package."
        for task_id in found:
            if self.is_all and task_id not in self.dependencies:
                yield f"Task {task_id!r} is in the package, but not in the notebook."

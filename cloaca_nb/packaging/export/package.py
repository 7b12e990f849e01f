"""A package in memory: every file as text, before anything is written."""

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Package"]


@dataclass(frozen=True, slots=True)
class Package:
    """An installable project that holds one workflow.

    Attributes:
        name: of the Python package, which is also its entry module.
        workflow_name: of the workflow that it registers.
        files: text by path relative to the project's folder, with forward slashes.
        left_out: one line for each statement of the notebook that no task needs.
        tasks: the ids of its tasks; those that are computed only when it is imported are not among them.
        dependencies: of each task of which they are known without importing it, as its notebook has them.
    """

    name: str
    workflow_name: str
    files: Mapping[str, str]
    left_out: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def entry(self) -> str:
        """The path of the entry module."""
        return f"{self.name}/__init__.py"

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
        acts: one line for each that acts when the notebook runs, which the package won't do.
        tasks: the ids of its tasks; those that are computed only when it is imported are not among them.
        dependencies: of each task of which they are known without importing it, as its notebook has them.
        makes_more: whether it has tasks besides those of `dependencies`, e.g. made in a loop.
        data: what packages beside the notebook that are carried hold besides modules, bytes by path.
        opens: the files beside the notebook that its code opens by a relative path, which are not carried.
    """

    name: str
    workflow_name: str
    files: Mapping[str, str]
    left_out: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    makes_more: bool = False
    acts: tuple[str, ...] = ()
    data: Mapping[str, bytes] = field(default_factory=dict)
    opens: tuple[str, ...] = ()

    @property
    def behind(self) -> dict[str, tuple[str, ...]]:
        """What of the notebook stays behind, by why: `opens`, `acts` and `left_out`, where there are any."""
        found = {
            "Read from the folder where the package is run, so not carried:": self.opens,
            "Acts when the notebook runs; the package won't do it:": self.acts,
            "Left out, since no task needs it:": self.left_out,
        }
        return {title: lines for title, lines in found.items() if lines}

    @property
    def entry(self) -> str:
        """The path of the entry module."""
        return f"{self.name}/__init__.py"

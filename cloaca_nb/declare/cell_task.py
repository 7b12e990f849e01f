"""A task written as a cell: it becomes a `Task` once it is known which of its names other tasks set."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

from cloaca_nb.core.cells import FunctionText, Resolution, TaskCell, function_text, keys_of, resolve
from cloaca_nb.core.rule_text import read_rule
from cloaca_nb.core.task import Task
from cloaca_nb.declare.options import retry_policy
from cloaca_nb.errors import CellError, near_miss

__all__ = ["CellTask"]


@dataclass(frozen=True, slots=True)
class CellTask:
    """A task cell of a notebook.

    Attributes:
        cell: its text, understood.
        compile: makes a function of a text, so that tracebacks show the real cell.
        namespace: the notebook's own names: imports, helpers, constants, callbacks.
        where: "Cell In[3]".
        source: the whole text of the cell.
    """

    cell: TaskCell
    compile: Callable[[FunctionText], Callable[..., Any]]
    namespace: Mapping[str, Any]
    where: str = ""
    source: str = ""

    @property
    def id(self) -> str:
        """The task's id."""
        return self.cell.id

    def resolution(self, outputs: Collection[str], parameters: Collection[str]) -> Resolution:
        """Say where each name of the cell comes from; see `core.cells.resolve`."""
        return resolve(self.cell, outputs, parameters, self.namespace)

    def task(self, outputs: Collection[str], parameters: Collection[str]) -> Task:
        """Return the task, given the keys that the other tasks set and the workflow's parameters."""
        resolution = self.resolution(outputs, parameters)
        text = function_text(self.cell, resolution)
        options = self.cell.options
        return Task(
            id=self.id,
            function=self.compile(text),
            after=options.after,
            retry=retry_policy(options.given(), self._named(options.retry)),
            rule=read_rule(options.trigger_rules) if options.trigger_rules else None,
            on_success=self._named(options.on_success),
            on_failure=self._named(options.on_failure),
            timeout=options.timeout,
            executor=options.executor,
            is_async=text.text.lstrip().startswith("async "),
            keys=keys_of(self.cell, resolution),
            source=self.source,
            where=self.where,
        )

    def _named(self, name: str | None) -> Any:
        """Return what the notebook knows by a name such as ``tell`` or ``alerts.tell``; None for none."""
        if name is None:
            return None
        first, *rest = name.split(".")
        if first not in self.namespace:
            raise CellError(
                f"Task {self.id!r} ({self.where}) names {name!r}, which the notebook doesn't define."
                f"{near_miss(first, self.namespace)} Define it in a cell above."
            )
        return reduce(getattr, rest, self.namespace[first])

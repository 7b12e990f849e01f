"""A task written as a cell: it becomes a `Task` once it is known which of its names other tasks set."""

import inspect
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from cloaca_nb.core.cell.option_values import EXECUTORS
from cloaca_nb.core.cell.rule_text import read_rule
from cloaca_nb.core.cells import FunctionText, Resolution, TaskCell, function_text, keys_of, resolve
from cloaca_nb.core.docstring import read_docstring
from cloaca_nb.core.task import Task
from cloaca_nb.declare.code_text import tell_text
from cloaca_nb.declare.options import cache_option, check_callback, check_executor, retry_policy
from cloaca_nb.errors import CellError, DefinitionError, near_miss

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

    Raises:
        CellError: if an option can't be followed.
    """

    cell: TaskCell
    compile: Callable[[FunctionText], Callable[..., Any]]
    namespace: Mapping[str, Any]
    where: str = ""
    source: str = ""
    _made: dict[Resolution, Task] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._options()

    @property
    def id(self) -> str:
        """The task's id."""
        return self.cell.id

    def resolution(self, outputs: Collection[str], parameters: Collection[str]) -> Resolution:
        """Say where each name of the cell comes from; see `core.cells.resolve`.

        Raises:
            CellError: if that can't be said; the message names the task.
        """
        try:
            return resolve(self.cell, outputs, parameters, self.namespace)
        except CellError as error:
            raise CellError(f"{self._named}: {error}") from None

    def task(self, outputs: Collection[str], parameters: Collection[str]) -> Task:
        """Return the task, given the keys that the other tasks set and the workflow's parameters."""
        resolution = self.resolution(outputs, parameters)
        made = self._made.get(resolution)
        if made is None:
            self._made.clear()  # who edits other cells doesn't come back to what was
            made = self._made[resolution] = replace(self._make(resolution), **self._options())
        return replace(made, **self._options()) if self.cell.options.named() else made

    def _make(self, resolution: Resolution) -> Task:
        """Make the task but for its options."""
        text = function_text(self.cell, resolution)
        function = self.compile(text)
        tell_text(function.__code__, text.text)
        purpose = read_docstring(inspect.getdoc(function))
        return Task(
            id=self.id,
            function=function,
            after=self.cell.options.after,
            is_async=inspect.iscoroutinefunction(function),
            keys=keys_of(self.cell, resolution),
            source=self.source,
            where=self.where,
            description=purpose.what,
            why=purpose.why,
        )

    @property
    def _named(self) -> str:
        return f"Task {self.id!r} ({self.where})" if self.where else f"Task {self.id!r}"

    def _options(self) -> dict[str, Any]:
        """Return the options that mean the same for every spelling, as `Task` knows them."""
        options = self.cell.options
        values = {option: self._value(option, name) for option, name in options.named().items()}
        callbacks = {name: values.get(name) for name in ("on_success", "on_failure")}
        executor = values.get("executor", options.executor)
        try:
            for name, callback in callbacks.items():
                check_callback(name, callback)
            check_executor(executor)
            policy = retry_policy(options.given(), values.get("retry"))
        except DefinitionError as error:
            raise CellError(f"{self._named}: {error}") from None
        return {
            **callbacks,
            "retry": policy,
            "rule": read_rule(options.trigger_rules) if options.trigger_rules else None,
            "timeout": options.timeout,
            "executor": executor,
            "cache": cache_option(options.cache),
        }

    def _value(self, option: str, name: str) -> Any:
        """Return what the notebook knows by a name such as ``tell`` or ``alerts.tell``."""
        flag = f"--{option.replace('_', '-')}"
        first, *rest = name.split(".")
        if first not in self.namespace:
            known = [*(EXECUTORS if option == "executor" else ()), *self.namespace]
            raise CellError(
                f"{self._named}: {flag} names {name!r}, which the notebook doesn't define."
                f"{near_miss(first, known)} Define it in a cell above."
            )
        value = self.namespace[first]
        for part in rest:
            if not hasattr(value, part):
                raise CellError(f"{self._named}: {flag} names {name!r}, but there is no {part!r} in it.")
            value = getattr(value, part)
        return value

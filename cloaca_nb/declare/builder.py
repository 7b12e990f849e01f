"""The builder: puts tasks together to a workflow, by id or as a `with` block around their definitions."""

import warnings
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.keywords import suggesting
from cloaca_nb.core.parameters import worked_out
from cloaca_nb.declare.loose import Declared, build
from cloaca_nb.declare.options import name_of
from cloaca_nb.declare.place import caller
from cloaca_nb.declare.registry import REGISTRY, Block
from cloaca_nb.errors import DefinitionError, TaskNotFoundError, WorkflowValidationError, near_miss

if TYPE_CHECKING:
    from contextvars import Token

__all__ = ["WorkflowBuilder"]


class WorkflowBuilder:
    """Puts tasks together to a workflow.

    Either name them, or define them inside a `with` block, which builds and registers the workflow at its end:

    >>> import cloaca_nb as cloaca
    >>> with cloaca.WorkflowBuilder("greeting") as builder:
    ...     @cloaca.task()
    ...     def greet(context):
    ...         context["text"] = "hello"
    >>> cloaca.workflows()["greeting"]
    Workflow(name='greeting', tasks=1)

    Args:
        name: the workflow's name.
        tenant: for the reference API: accepted, and without meaning here, as are `package` and `workflow`.
        package: see `tenant`.
        workflow: see `tenant`.
        infer: whether tasks that name no dependencies get them from the keys that they read.
    """

    @suggesting
    def __init__(
        self,
        name: str,
        *,
        tenant: str | None = None,
        package: str | None = None,
        workflow: str | None = None,
        infer: bool = True,
    ) -> None:
        if not isinstance(name, str) or not name:
            raise WorkflowValidationError(f"A workflow's name is a text, not {name!r}: WorkflowBuilder('flights').")
        self.name = name
        self._namespace = (tenant, package, workflow)
        self._infer = infer
        self._module = caller().f_globals.get("__name__", "__main__")  # whose loose tasks it finds
        self._description = ""
        self._tags: dict[str, str] = {}
        self._parameters: dict[str, Any] = {}
        self._derived: dict[str, Callable[..., Any]] = {}
        self._secret: list[str] = []
        self._added: list[Declared] = []
        self._defined: list[Declared] = []  # inside the `with` block
        self._token: Token[Block | None] | None = None

    def description(self, text: str) -> Self:
        """Say what the workflow is for.

        Raises:
            TypeError: if that is no str.
        """
        if not isinstance(text, str):
            raise TypeError(f"The description of workflow {self.name!r} is a text, not {text!r}.")
        self._description = text
        return self

    def tag(self, key: str, value: str) -> Self:
        """Add a tag.

        Raises:
            TypeError: if key or value is no str.
        """
        if not isinstance(key, str) or not isinstance(value, str):
            raise TypeError(
                f"A tag is two texts, not {key!r} and {value!r}: WorkflowBuilder({self.name!r}).tag('team', 'flights')."
            )
        self._tags[key] = value
        return self

    def parameters(self, **defaults: Any) -> Self:
        """Name the workflow's parameters: keys that the initial context is filled up with where it lacks them."""
        self._parameters.update(defaults)
        return self

    def derived_parameters(self, **rules: Callable[..., Any]) -> Self:
        """Name parameters that follow from others, each with a function of those: worked out for every run.

        >>> WorkflowBuilder("delays").parameters(year=2013).derived_parameters(title=lambda year: f"Delays of {year}")
        WorkflowBuilder(name='delays')

        Raises:
            DefinitionError: a ValueError, if a function needs what is no parameter above it, or fails on the defaults.
        """
        for name, rule in rules.items():
            if not callable(rule):
                raise DefinitionError(f"Parameter {name!r} is worked out by a function, not {rule!r}.")
            self._parameters[name] = worked_out(name, rule, self._parameters)
            self._derived[name] = rule
        return self

    def secret(self, *keys: str) -> Self:
        """Name keys whose values are never shown or kept: not in history, logs, the panel or an export.

        Keys that look so, as api_token, needn't be named; see `DefaultRunnerConfig.secret_keys`. A secret that no task
        sets is given for each run: in its context, by ``--param``, or as the environment variable of `var`.

        Raises:
            TypeError: if a key is no str.
        """
        for key in keys:
            if not isinstance(key, str) or not key:
                raise TypeError(f"A secret is named by its key, a text, not {key!r}: builder.secret('api_token').")
        self._secret += keys
        return self

    def add_task(self, task: str | Callable[..., Any]) -> Self:
        """Add a loose task of this module, by its id or its function.

        Raises:
            TaskNotFoundError: a ValueError, if there is none.
        """
        if not isinstance(task, str) and not callable(task):
            raise TaskNotFoundError(
                f"add_task takes a string task ID or a function object, not {task!r}: builder.add_task('load')."
            )
        task_id = task if isinstance(task, str) else REGISTRY.id_of(task)
        module = self._module if isinstance(task, str) else task.__module__
        found = REGISTRY.find_task(module, task_id) if task_id else None
        if found is None:
            raise _not_found(task, task_id, module)
        self._added.append(found)
        return self

    def define(self, entry: Declared) -> None:
        """Take in a task that is being defined inside this `with` block."""
        known = {one.id: one for one in (*self._added, *self._defined)}
        if (earlier := known.get(entry.id)) is not None:
            places = dict.fromkeys((earlier.where, entry.where))
            raise WorkflowValidationError(
                f"Duplicate task: {entry.id!r} is defined twice in workflow {self.name!r} "
                f"({' and '.join(places)}). {_rename(entry.id, same_place=len(places) == 1)}"
            )
        self._defined.append(entry)

    def build(self) -> Workflow:
        """Return the workflow, validated, and register it under its name.

        Raises:
            WorkflowValidationError: a ValueError, if the tasks make no workflow.
        """
        return self._build()

    def __enter__(self) -> Self:
        self._defined.clear()  # a block that is run again defines the whole workflow anew
        self._token = REGISTRY.active.set(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._token is not None:
            REGISTRY.active.reset(self._token)
        if kind is None:
            self._build()

    def _build(self) -> Workflow:
        workflow = build(
            self.name,
            (*self._added, *self._defined),
            parameters=self._parameters,
            derived=self._derived,
            description=self._description,
            tags=self._tags,
            infer=self._infer,
            secret=self._secret,
        )
        for message in workflow.warnings:
            warnings.warn(message, UserWarning, stacklevel=3)  # at the user's own line: of build(), or of the block
        REGISTRY.register(workflow)
        return workflow

    def __repr__(self) -> str:
        return f"WorkflowBuilder(name={self.name!r})"


def _rename(task_id: str, *, same_place: bool) -> str:
    in_a_loop = f' In a loop give each task its own id: @task(id=f"{task_id}_{{n}}").' if same_place else ""
    return f"Rename one of them.{in_a_loop}"


def _not_found(task: str | Callable[..., Any], task_id: str | None, module: str) -> TaskNotFoundError:
    """Return the error for a task that can't be added."""
    if task_id is None:
        why = "it is a function, and no task yet. Put @task() above its `def`, and run that again."
        return TaskNotFoundError(f"Task {name_of(task)} not found in registry: {why}")
    shown = repr(task) if isinstance(task, str) else name_of(task)
    known = [one for loose in REGISTRY.loose_of(module).values() for one in loose.ids()]
    return TaskNotFoundError(
        f"Task {shown} not found in registry: module {module!r} has no task of that id outside "
        f"`with` blocks.{near_miss(task_id, known)} Define it with @task above this line."
    )

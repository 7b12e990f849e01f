"""Interactive workflows in Jupyter: cells become tasks, every run is kept, and the same cells become a package."""

import sys
from typing import TYPE_CHECKING, Any, TextIO

from cloaca_nb.config import DefaultRunnerConfig
from cloaca_nb.core.backoff import BackoffStrategy
from cloaca_nb.core.context import Context
from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.namespace import TaskNamespace, WorkflowContext
from cloaca_nb.core.retry import RetryPolicy, RetryPolicyBuilder
from cloaca_nb.core.retry_condition import RetryCondition
from cloaca_nb.core.rules import (
    all_of,
    all_success,
    always,
    any_of,
    context_value,
    none_of,
    task_failed,
    task_skipped,
    task_success,
)
from cloaca_nb.declare.builder import WorkflowBuilder
from cloaca_nb.declare.registry import register_workflow_constructor, workflows
from cloaca_nb.declare.task import task
from cloaca_nb.declare.variables import var, var_or
from cloaca_nb.engine.handle import TaskHandle, track
from cloaca_nb.engine.result import WorkflowResult
from cloaca_nb.engine.run import Run
from cloaca_nb.errors import (
    CellError,
    CloacaError,
    ConfigurationError,
    ContextKeyError,
    DefinitionError,
    DuplicateKeyError,
    ExportError,
    HistoryError,
    MissingExtraError,
    PackageError,
    RunFailedError,
    TaskCrashedError,
    TaskNotFoundError,
    TaskReturnError,
    TaskTimeoutError,
    WorkflowNotFoundError,
    WorkflowValidationError,
)

# From here on `cloaca_nb.history` is the function. The modules behind it are found as ever by `from cloaca_nb.history.x
# import y`, which is how all code here imports; `import cloaca_nb.history.x as y` would ask the function for them.
from cloaca_nb.history.present import history
from cloaca_nb.runner import DefaultRunner

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from IPython.core.interactiveshell import InteractiveShell

    from cloaca_nb.core.events import Observer

__all__ = [
    "BackoffStrategy",
    "CellError",
    "CloacaError",
    "ConfigurationError",
    "Context",
    "ContextKeyError",
    "DefaultRunner",
    "DefaultRunnerConfig",
    "DefinitionError",
    "DuplicateKeyError",
    "ExportError",
    "HistoryError",
    "MissingExtraError",
    "PackageError",
    "RetryCondition",
    "RetryPolicy",
    "RetryPolicyBuilder",
    "Run",
    "RunFailedError",
    "TaskCrashedError",
    "TaskHandle",
    "TaskNamespace",
    "TaskNotFoundError",
    "TaskReturnError",
    "TaskTimeoutError",
    "Workflow",
    "WorkflowBuilder",
    "WorkflowContext",
    "WorkflowNotFoundError",
    "WorkflowResult",
    "WorkflowValidationError",
    "all_of",
    "all_success",
    "always",
    "any_of",
    "context_value",
    "history",
    "load_ipython_extension",
    "none_of",
    "register_workflow_constructor",
    "show_progress",
    "task",
    "task_failed",
    "task_skipped",
    "task_success",
    "track",
    "unload_ipython_extension",
    "var",
    "var_or",
    "workflows",
]

__version__ = "0.1.0"


def show_progress(stream: TextIO | None = None, *, verbose: bool = False) -> "AbstractContextManager[Observer]":
    """Show a run of a script on the terminal: live lines, or plain ones in a file; at the end what it came to.

    It gives an observer, for one run: ``with show_progress() as shown: runner.execute("delays", observers=[shown])``.

    Args:
        stream: where to; None: stderr, as stdout belongs to the tasks.
        verbose: whether to say in full why a task was executed or taken from history.
    """
    from cloaca_nb.terminal.shown import shown_on  # noqa: PLC0415 - its library takes a while to load

    return shown_on(sys.stderr if stream is None else stream, verbose=verbose)


def _picture(workflow: Workflow, **_options: Any) -> dict[str, str]:
    """Show a workflow as its graph: what draws it is the notebook's, of which the core knows nothing."""
    from cloaca_nb.notebook.drawing.bundle import workflow_bundle  # noqa: PLC0415 - a script has no need of it

    return workflow_bundle(workflow)


Workflow._repr_mimebundle_ = _picture  # type: ignore[attr-defined]


def load_ipython_extension(shell: "InteractiveShell") -> None:
    """Install the magics, completion and displays: what `%load_ext cloaca_nb` calls."""
    from cloaca_nb.notebook.extension import load  # noqa: PLC0415 - a script has no need of IPython

    load(shell)


def unload_ipython_extension(shell: "InteractiveShell") -> None:
    """Take out what `load_ipython_extension` has installed: what `%unload_ext cloaca_nb` calls."""
    from cloaca_nb.notebook.extension import unload  # noqa: PLC0415 - see above

    unload(shell)

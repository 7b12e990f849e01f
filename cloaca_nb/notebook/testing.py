"""Test cells in the notebook: run at once, on the last run's final context and on the tasks as they are now."""

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from cloaca_nb.core.cells import compile_function
from cloaca_nb.core.context import Context
from cloaca_nb.core.testing import function_of_test, parse_test_cell
from cloaca_nb.errors import CloacaError, WorkflowNotFoundError
from cloaca_nb.notebook.cell_code import CellCode
from cloaca_nb.notebook.definitions import Definitions
from cloaca_nb.notebook.failure import hide_our_frames
from cloaca_nb.values import isolate

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["run_test"]


def run_test(shell: "InteractiveShell", definitions: Definitions, final: Context | None, text: str) -> str:
    """Run a test cell, and return what to say when it has passed; what fails in it is raised as it is.

    Names that tasks set come from the final context, as `context` does; a task is called by its name.

    Args:
        shell: the IPython shell.
        definitions: of the notebook.
        final: the last run's final context; None if nothing has been run.
        text: the whole cell.

    Raises:
        CellError: a ValueError, if the cell can't be understood.
        WorkflowNotFoundError: a ValueError, if it looks at a final context and there is none.
    """
    cell = parse_test_cell(text)
    code = CellCode(shell, text)
    function_text, _ = function_of_test(cell, definitions.known_keys(), ())
    function = compile_function(function_text, code.filename, {**_tasks(definitions), **definitions.names})
    takes_context = bool(function.__code__.co_argcount)
    if takes_context and final is None:
        raise WorkflowNotFoundError("The test looks at what a run ends with, and nothing has been run: %cloaca_run.")
    try:
        function(*([_own_copy(final)] if takes_context and final is not None else []))
    except Exception as error:
        hide_our_frames(error)
        raise
    return f"✓ {cell.id} passed"


def _own_copy(context: Context) -> Context:
    return Context({key: isolate(value) for key, value in context.items()})


def _tasks(definitions: Definitions) -> dict[str, Any]:
    """Return the functions of the current workflow's tasks by their names."""
    with suppress(CloacaError):
        return {task.function.__name__: task.function for task in definitions.workflow().tasks}
    return {}

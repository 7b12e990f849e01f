"""Test cells in the notebook: run at once, on the last run's final context and on the tasks as they are now."""

import traceback
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from cloaca_nb.core.cell.asserted import Assertions
from cloaca_nb.core.cells import compile_function
from cloaca_nb.core.context import Context
from cloaca_nb.core.mask import Mask
from cloaca_nb.core.preview import preview
from cloaca_nb.core.testing import function_of_test, parse_test_cell
from cloaca_nb.errors import CloacaError, WorkflowNotFoundError
from cloaca_nb.notebook.cell_code import CellCode
from cloaca_nb.notebook.definitions import Definitions
from cloaca_nb.notebook.failure import hide_our_frames
from cloaca_nb.values import isolate

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["run_test"]

LONGEST: Final = 200  # characters of a value in one line
MOST: Final = 12  # lines of a value


def run_test(shell: "InteractiveShell", definitions: Definitions, final: Context | None, text: str) -> str:
    """Run a test cell, and return what to say when it has passed; what fails in it is raised as it is.

    An assertion that fails has what it looked at as notes. Names that tasks set come from the final context, as
    `context` does; a task is called by its name.

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
    asserted = Assertions()
    names = {**_tasks(definitions), **definitions.names}
    function = compile_function(function_text, code.filename, names, asserted)
    takes_context = bool(function.__code__.co_argcount)
    if takes_context and final is None:
        raise WorkflowNotFoundError("The test looks at what a run ends with, and nothing has been run: %cloaca_run.")
    try:
        function(*([_own_copy(final)] if takes_context and final is not None else []))
    except Exception as error:
        if isinstance(error, AssertionError):
            mask = Mask(definitions.secret_keys())
            mask.meet({**names, **(final or {})})
            _tell_values(error, asserted, code.filename, mask)
        hide_our_frames(error)
        raise
    return f"✓ {cell.id} passed"


def _tell_values(error: AssertionError, asserted: Assertions, filename: str, mask: Mask) -> None:
    """Add what was asserted to the error, if the test itself has raised it and not what it called."""
    *_, (frame, line) = traceback.walk_tb(error.__traceback__)
    if frame.f_code.co_filename == filename:
        for text, value in mask.values(dict(asserted.values(frame, line))).items():
            error.add_note(mask.text("\n".join(_told(text, value))))


def _told(text: str, value: Any) -> Iterator[str]:
    """Yield a value as it is known in a cell, below its expression if that takes several lines."""
    try:
        first, *rest = repr(value).splitlines() or [""]
    except Exception as error:  # noqa: BLE001 - a value that can't be shown is no reason to hide the others
        first, rest = f"<its __repr__ raised {type(error).__name__}>", []
    if not rest:
        yield f"  {text} = {first if len(first) <= LONGEST else preview(value)}"
        return
    yield f"  {text} ="
    yield from (f"    {line[:LONGEST]}" for line in [first, *rest][:MOST])
    if len(rest) >= MOST:
        yield f"    … {len(rest) + 1 - MOST} more lines"


def _own_copy(context: Context) -> Context:
    return Context({key: isolate(value) for key, value in context.items()})


def _tasks(definitions: Definitions) -> dict[str, Any]:
    """Return the functions of the current workflow's tasks by their names."""
    with suppress(CloacaError):
        return {task.function.__name__: task.function for task in definitions.workflow().tasks}
    return {}

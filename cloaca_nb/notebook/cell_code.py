"""Code that stands in a cell: compiled so that tracebacks and debuggers show the cell itself."""

from collections.abc import Callable, Mapping
from types import CodeType
from typing import TYPE_CHECKING, Any

from cloaca_nb.core.cells import FunctionText, compile_function
from cloaca_nb.notebook.failure import hide_our_frames

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["CellCode"]


class CellCode:
    """One execution of one cell, known to IPython by the file name of its text.

    Args:
        shell: the IPython shell.
        text: the whole cell, its magic line included.
    """

    def __init__(self, shell: "InteractiveShell", text: str) -> None:
        self._shell = shell
        self.text = text
        self._made: tuple[FunctionText, Callable[..., Any]] | None = None
        history = shell.history_manager
        self.number = len(history.input_hist_raw) - 1 if history else shell.execution_count  # the latter is one ahead
        # JupyterLab's debugger knows a cell by its text alone, and sets its breakpoints in the file of that name.
        self.filename = shell.compile.cache(text, self.number, raw_code=text.rstrip("\n"))

    @property
    def label(self) -> str:
        """How tracebacks call it: "Cell In[3]"."""
        return f"Cell In[{self.number}]"

    def function(self, text: FunctionText) -> Callable[..., Any]:
        """Make a function of a task's text; its globals are the notebook's own names."""
        if self._made is None or self._made[0] != text:  # every cell that is executed asks for all tasks again
            self._made = text, compile_function(text, self.filename, self._shell.user_ns)
        return self._made[1]

    def execute(self, code: CodeType, namespace: dict[str, Any]) -> None:
        """Execute compiled statements of the cell; an error in them is shown with the user's own lines."""
        try:
            exec(code, namespace)  # noqa: S102 - it is the user's own cell
        except Exception as error:
            hide_our_frames(error)
            raise

    def namespace(self) -> Mapping[str, Any]:
        """Return the notebook's own names."""
        names: Mapping[str, Any] = self._shell.user_ns
        return names

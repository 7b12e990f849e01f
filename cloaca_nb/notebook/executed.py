"""The cells of this notebook as they were executed last, for an export from the running kernel."""

import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import time
from typing import TYPE_CHECKING, Final

from cloaca_nb.core.cells import is_task_cell, parse_task_cell
from cloaca_nb.notebook.document import Executed, laid_beside
from cloaca_nb.packaging.analysis.notebook import Cell, Notebook, read_notebook

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["ExecutedCells", "notebook_path"]

HELP_LINE: Final = re.compile(r"\s*(\?{1,2}\s*%{0,2}[\w.*]+|%{0,2}[^\W\d][\w.*\[\]]*\s*\?{1,2})\s*(#.*)?")


def notebook_path(shell: "InteractiveShell") -> Path | None:
    """Return the file of the notebook that the shell serves, as far as the front end tells; None if it doesn't."""
    told = shell.user_ns.get("__vsc_ipynb_file__") or os.environ.get("JPY_SESSION_NAME")
    if not told:
        return None
    path = Path(told)
    candidates = (path, Path.cwd() / path.name)
    return next((one for one in candidates if one.suffix == ".ipynb" and one.is_file()), None)


class ExecutedCells:
    """What was executed: each cell's last text, in the order in which the cells were first executed.

    Args:
        shell: the IPython shell; what it executed before this began counts as well.
        clock: seconds since the epoch.
    """

    def __init__(self, shell: "InteractiveShell", clock: Callable[[], float] = time) -> None:
        self._clock = clock
        self._cells: dict[str, Executed] = {}
        history = shell.history_manager
        for text in history.input_hist_raw[1:] if history else ():
            self.add(None, text)

    def add(self, cell_id: str | None, text: str) -> None:
        """Take in one execution; without a cell id it counts as a cell of its own, unless it defines a task anew.

        A cell that only asks for help is no part of the notebook's work: `%%cloaca_task?`.
        """
        if _asks_for_help(text):
            return
        cell = Executed(cell_id or "", text, self._clock())
        alike = next(
            (key for key, one in self._cells.items() if one.text == text and (not one.id or not cell_id)), None
        )
        if cell_id is None and alike is not None:
            self._cells[alike] = self._cells[alike]._replace(at=cell.at)
            return
        key = cell_id or (f"#{parse_task_cell(text).id}" if is_task_cell(text) else f"#{len(self._cells)}")
        if cell_id is not None and alike is not None:
            self._cells = {key if one == alike else one: known for one, known in self._cells.items()}
        self._cells[key] = cell
        if cell_id is not None and is_task_cell(text):
            self._cells.pop(f"#{parse_task_cell(text).id}", None)  # of before %load_ext, when ids weren't known

    def notebook(self, name: str, folder: Path | None = None) -> Notebook:
        """Return what was executed as a notebook, in the order of execution.

        Args:
            name: the notebook's.
            folder: where its local modules are looked for; None: the working directory.
        """
        cells = (Cell(number, one.id, one.text) for number, one in enumerate(self._cells.values(), 1))
        return Notebook(name, tuple(cells), folder or Path.cwd())

    def is_newer_than(self, path: Path) -> bool:
        """Say whether a cell was executed after the file was saved."""
        return any(one.at > path.stat().st_mtime for one in self._cells.values())

    def beside(self, path: Path) -> tuple[Notebook, tuple[str, ...]]:
        """Return what was executed in document order, and a line for each difference to the saved file.

        The notebook's record of when its cells ran is that of the file.

        Args:
            path: the saved file.
        """
        saved = read_notebook(path)
        document = laid_beside(self._cells.values(), saved.cells, path.stat().st_mtime)
        return replace(saved, cells=document.cells), document.differences


def _asks_for_help(text: str) -> bool:
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    return bool(lines) and all(HELP_LINE.fullmatch(line) for line in lines)

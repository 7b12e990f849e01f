"""The cells of this notebook as they were executed last, for an export from the running kernel."""

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cloaca_nb.core.cells import is_task_cell, parse_task_cell
from cloaca_nb.packaging.notebook import Cell, Notebook, read_notebook

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
    """

    def __init__(self, shell: "InteractiveShell") -> None:
        self._texts: dict[str, str] = {}
        history = shell.history_manager
        for text in history.input_hist_raw[1:] if history else ():
            self.add(None, text)

    def add(self, cell_id: str | None, text: str) -> None:
        """Take in one execution; without a cell id it counts as a cell of its own, unless it defines a task anew.

        A cell that only asks for help is no part of the notebook's work: `%%cloaca_task?`.
        """
        if _asks_for_help(text):
            return
        if cell_id is None and text in self._texts.values():
            return
        key = cell_id or (f"#{parse_task_cell(text).id}" if is_task_cell(text) else f"#{len(self._texts)}")
        earlier = next((one for one, known in self._texts.items() if one.startswith("#") and known == text), None)
        if cell_id is not None and earlier is not None:
            self._texts = {key if one == earlier else one: known for one, known in self._texts.items()}
        self._texts[key] = text

    def notebook(self, name: str, path: Path | None) -> Notebook:
        """Return what was executed as a notebook, in document order where a saved file tells it.

        Args:
            name: the notebook's.
            path: its saved file, or None.
        """
        texts = dict(self._texts)
        if path is not None:
            saved = [cell.id for cell in read_notebook(path).cells]
            ordered = [one for one in saved if one in texts]
            if ordered:
                texts = {one: texts[one] for one in ordered}
        cells = tuple(
            Cell(number=number, id="" if one.startswith("#") else one, text=text)
            for number, (one, text) in enumerate(texts.items(), 1)
        )
        return Notebook(name, cells, path.parent if path else Path.cwd())


def _asks_for_help(text: str) -> bool:
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    return bool(lines) and all(HELP_LINE.fullmatch(line) for line in lines)

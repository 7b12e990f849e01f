"""What follows the notebook: hears of each cell that begins and ends, and keeps what is known of the cells true."""

import sys
from collections import deque
from collections.abc import Iterable
from typing import Any

from IPython.core.error import UsageError
from IPython.display import display

from cloaca_nb.core.cells import is_params_cell, is_task_cell
from cloaca_nb.declare.registry import REGISTRY
from cloaca_nb.notebook.executed import ExecutedCells
from cloaca_nb.notebook.panel.panels import Panels
from cloaca_nb.notebook.post_mortem import PostMortem
from cloaca_nb.notebook.remarks import departed, misused_magic, wrong_directive
from cloaca_nb.notebook.runs import Runs

__all__ = ["Following"]


class Following:
    """What is to be done at the beginning and at the end of each cell.

    Args:
        executed: takes in each cell that was executed.
        panels: are told whether a cell is being executed.
        runs: are told that what the cell shows of them is complete.
        post_mortem: gives the debugger back as it was.
    """

    def __init__(self, executed: ExecutedCells, panels: Panels, runs: Runs, post_mortem: PostMortem) -> None:
        self._executed = executed
        self._panels = panels
        self._runs = runs
        self._post_mortem = post_mortem
        self.board: deque[str] = deque()  # what a terminal is told when its next line has been executed

    def cell_begins(self, _info: Any) -> None:
        """Note which tasks the cell defines from here on."""
        self._panels.cell_is_executed = True
        REGISTRY.begin_cell()

    def cell_ends(self, result: Any) -> None:
        """Take out what the cell used to define and no longer does; without a cell id nothing is guessed."""
        self._post_mortem.cell_ends()
        self._panels.cell_is_executed = False
        self._runs.noticed = None
        info = result.info
        cell_id = getattr(info, "cell_id", None)
        for task in REGISTRY.end_cell(cell_id, finished=result.success):
            display(departed(task))  # type: ignore[no-untyped-call]  # IPython's
        if info is not None and info.store_history and (result.success or _went_far(result)):
            self._executed.add(cell_id, info.raw_cell)
            _say(wrong_directive(info.raw_cell))
        if info is not None and isinstance(result.error_in_exec, UsageError):
            _say(misused_magic(info.raw_cell))
        while self.board:
            _say([self.board.popleft()])


def _went_far(result: Any) -> bool:
    """Say whether a plain cell that failed was executed up to there, and has an id, so that mending replaces it."""
    text = result.info.raw_cell
    is_plain = not is_task_cell(text) and not is_params_cell(text)
    return is_plain and result.error_before_exec is None and bool(getattr(result.info, "cell_id", None))


def _say(lines: Iterable[str]) -> None:
    for line in lines:
        sys.stderr.write(f"{line}\n")

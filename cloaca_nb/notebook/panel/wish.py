"""What a click on a panel's Resume or Re-run asks for."""

from collections.abc import Callable
from typing import NamedTuple

__all__ = ["Wish"]


class Wish(NamedTuple):
    """Another run.

    Attributes:
        key: of the panel.
        workflow: the name of what it ran.
        run_id: of its run.
        task_id: the one task that is to be executed again; None: all that is to do.
        answer: takes why that can't be, or an empty text.
        granted: takes the id of the run that was started, before `answer` is called.
        in_cell: calls what it is given where what that displays lands below the panel's cell.
    """

    key: str
    workflow: str
    run_id: str
    task_id: str | None
    answer: Callable[[str], None]
    granted: Callable[[str], None]
    in_cell: Callable[[Callable[[], None]], None]

"""What stands for a recorder's queue when nothing more is taken: costs open recorders no check."""

from collections import deque
from typing import Any, NoReturn

from cloaca_nb.errors import HistoryError

__all__ = ["ClosedQueue"]


class ClosedQueue(deque[Any]):
    """A queue that takes nothing.

    Args:
        why: what who puts something on it is told.
    """

    def __init__(self, why: str) -> None:
        super().__init__()
        self._why = why

    def append(self, _item: Any) -> NoReturn:
        """Refuse it.

        Raises:
            HistoryError: always.
        """
        raise HistoryError(self._why)

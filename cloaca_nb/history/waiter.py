"""One who waits until what was observed is written."""

import logging
import threading
from collections.abc import Callable
from itertools import count
from typing import Final

from cloaca_nb.errors import HistoryError

__all__ = ["PATIENCE", "PULSE", "Waiter", "tell_of"]

PULSE: Final = 1.0  # seconds after which who waits for the writer thread looks whether it lives
PATIENCE: Final = 5.0  # seconds after which who waits is told what for
logger: Final = logging.getLogger(__name__)


class Waiter(threading.Event):
    """Set when what is known of a run is written.

    Args:
        run_id: of which run; None: what is on the recorder's queue, and in no lane.
    """

    def __init__(self, run_id: str | None) -> None:
        super().__init__()
        self.run_id = run_id

    def wait_for(self, writer: threading.Thread, what: Callable[[], str]) -> None:
        """Return when this is set.

        Args:
            writer: the thread that sets it, or has it set.
            what: tells in words what takes time.

        Raises:
            HistoryError: if that thread has ended before.
        """
        for pulses in count(1):
            if self._is_set_within_a_pulse():
                return
            if not writer.is_alive():
                raise HistoryError("This history was closed while something waited for it.")
            if pulses * PULSE == PATIENCE:
                tell_of(what())

    def _is_set_within_a_pulse(self) -> bool:
        try:
            return self.wait(PULSE)
        except RuntimeError as error:  # "release unlocked lock": an interrupt that comes just as `wait` takes it again
            raise (error.__context__ or error) from None


def tell_of(what: str) -> None:
    """Tell who has waited long what for; nothing if nothing takes time any more."""
    if what:
        logger.warning("The history is still writing %s; an interrupt ends the waiting for it.", what)

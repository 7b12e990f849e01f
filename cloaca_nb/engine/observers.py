"""Who is told what happens in one run."""

import logging
import traceback
from collections.abc import Callable, Sequence
from typing import Final

from cloaca_nb.core.events import Event, Observer
from cloaca_nb.core.mask import Mask
from cloaca_nb.core.masking import masked_event

__all__ = ["Observers"]

logger: Final = logging.getLogger("cloaca_nb")
_told: Final[set[tuple[str, str, int]]] = set()  # errors whose tracebacks were logged: type, file, line


class Observers:
    """The observers of one run.

    Args:
        run_id: of the run.
        observers: told every event, in this order.
        mask: hides the secrets in them.
        is_ending: whether the run is cancelled or over, so that nothing breaks it off any more.
    """

    def __init__(self, run_id: str, observers: Sequence[Observer], mask: Mask, is_ending: Callable[[], bool]) -> None:
        self._run_id = run_id
        self._observers = observers
        self._mask = mask
        self._is_ending = is_ending
        self._reported: set[int] = set()

    def tell(self, event: Event) -> None:
        """Tell every observer; one that raises is reported, once in a run, and the run goes on."""
        if self._mask.hides:
            event = masked_event(event, self._mask)
        for observer in self._observers:
            try:
                observer(event)
            except BaseException as problem:
                if not isinstance(problem, Exception) and not self._is_ending():
                    raise  # sys.exit, an interrupt: the run is broken off; of its end everybody else still hears
                if id(observer) not in self._reported:  # a closed stream fails at every line that is printed
                    self._reported.add(id(observer))
                    self._report(event, problem)

    def _report(self, event: Event, problem: BaseException) -> None:
        """Log it, with the traceback only the first time: the same in each of a thousand runs would be a flood."""
        names = type(event).__name__, type(problem).__name__
        exc_info = problem if _is_new(problem) else None
        logger.error("An observer of run %s failed at %s: %s.", self._run_id, *names, exc_info=exc_info)


def _is_new(problem: BaseException) -> bool:
    """Say whether this process hasn't yet logged such an error from there."""
    *_, (frame, line) = traceback.walk_tb(problem.__traceback__)
    told = (type(problem).__name__, frame.f_code.co_filename, line)
    if told in _told:
        return False
    _told.add(told)
    return True

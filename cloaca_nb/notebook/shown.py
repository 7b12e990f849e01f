"""What shows a run where it was started."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol, TypeAlias

from cloaca_nb.core.events import Observer

if TYPE_CHECKING:
    from cloaca_nb.engine.run import Run

__all__ = ["Shown", "Start"]

Start: TypeAlias = Callable[[Sequence[Observer]], "Run"]


class Shown(Protocol):
    """Shows one run."""

    def start(self, start: Start) -> "Run":
        """Start the run, and show it from then on."""

    def end(self, run: "Run") -> None:
        """Leave on display what it came to."""

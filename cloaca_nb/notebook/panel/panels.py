"""The panels of a notebook: what they have in common, and which of them still answer."""

from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from cloaca_nb.notebook.panel.panel import Panel

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from cloaca_nb.core.graph import Workflow
    from cloaca_nb.engine.run import Run
    from cloaca_nb.notebook.panel.wish import Wish

__all__ = ["Panels"]

MOST: Final = 12  # panels of runs that are over, and that still answer: each keeps the end of its logs in memory
BUSY: Final = "A cell is being executed. When it is over, click again."


class Panels:
    """Makes panels, and does what a click on Resume or Re-run asks for.

    Args:
        shell: the IPython shell.
        start: starts the run that is wished for, as a cell would; an error of it is the answer to the click.
        usual: returns how many seconds the tasks of a workflow usually take, by id; see `Panel`.

    Attributes:
        cell_is_executed: whether a cell is: then no run is started from the page.
    """

    def __init__(
        self,
        shell: "InteractiveShell",
        start: "Callable[[Wish], Run]",
        usual: Callable[..., Mapping[str, float]],
    ) -> None:
        self._shell = shell
        self._start = start
        self._usual = usual
        self._settled: deque[Panel] = deque()
        self.cell_is_executed = False

    def panel(self, workflow: "Workflow", **options: Any) -> Panel:
        """Return a panel; see `Panel` for the options."""
        usual = partial(self._usual_of, workflow)
        return Panel(workflow, on_again=self._again, usual=usual, session=self._session(), **options)

    def _session(self) -> str:
        kernel: Any = getattr(self._shell, "kernel", None)
        return kernel.session.session if kernel else ""

    def settle(self, panel: Panel) -> None:
        """Leave the picture of a run that is over; the panel answers until a dozen others have come after it."""
        panel.settle()
        self._settled.append(panel)
        while len(self._settled) > MOST:
            self._settled.popleft().close()

    def _usual_of(self, workflow: "Workflow", but_run: str, *, up_to_date: bool) -> Mapping[str, float]:
        """Return how long tasks usually take; what takes a while is left for a moment when no cell is executed."""
        if up_to_date and self.cell_is_executed:
            return {}
        return self._usual(workflow, but_run, up_to_date=up_to_date)

    def _again(self, wish: "Wish") -> None:
        """Start a run where cells are executed, the kernel's main thread, as what they define is read."""
        if self.cell_is_executed:
            wish.answer(BUSY)
        else:
            kernel: Any = self._shell.kernel  # type: ignore[attr-defined]  # there is no panel without one
            kernel.io_loop.add_callback(wish.in_cell, partial(self._started, wish))

    def _started(self, wish: "Wish") -> None:
        try:
            run = self._start(wish)
        except Exception as error:  # noqa: BLE001 - whatever it is, the panel is the one place where it can be told
            wish.answer(str(error) or type(error).__name__)
        else:
            wish.granted(run.run_id)
            wish.answer("")

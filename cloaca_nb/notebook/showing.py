"""How a run is shown where it was started: a panel for a person, lines on a terminal, a table for the record."""

from typing import TYPE_CHECKING, Any, TextIO

from cloaca_nb.core.events import RunStarted
from cloaca_nb.notebook.audience import Audience
from cloaca_nb.notebook.shown import Shown, Start

if TYPE_CHECKING:
    from cloaca_nb.core.events import Event
    from cloaca_nb.core.graph import Workflow
    from cloaca_nb.engine.run import Run
    from cloaca_nb.notebook.panel.panels import Panels

__all__ = ["OnPanel", "Unshown", "showing"]


def showing(
    workflow: "Workflow", audience: Audience, panel: str, stream: TextIO, panels: "Panels", **options: Any
) -> Shown:
    """Return what shows a run of a workflow.

    Args:
        workflow: what is run.
        audience: who looks on.
        panel: "auto", "on" or "off".
        stream: where text goes.
        panels: makes the panel.
        options: of the panel; see `Panel`.
    """
    if panel == "off":
        return Unshown()
    if audience is Audience.PERSON or (audience is Audience.NOBODY and panel == "on"):
        return OnPanel(workflow, panels, lasting=audience is Audience.PERSON, **options)
    from cloaca_nb.notebook.lines import OnRecord, OnTerminal  # noqa: PLC0415 - its library takes a while to load

    return OnTerminal(stream) if audience is Audience.TERMINAL else OnRecord(workflow, stream)


class Unshown:
    """Shows nothing: the result says it all."""

    def start(self, start: Start) -> "Run":
        """Start the run."""
        return start(())

    def end(self, run: "Run") -> None:
        """Do nothing."""


class OnPanel:
    """Shows the live panel, and a static picture in its place at the end.

    Args:
        workflow: what is run.
        panels: makes the panel.
        lasting: whether the panel goes on answering when the run is over.
        options: of the panel; see `Panel`.
    """

    def __init__(self, workflow: "Workflow", panels: "Panels", *, lasting: bool, **options: Any) -> None:
        self._run: Run | None = None
        self._panels = panels
        self._lasting = lasting
        self._panel = panels.panel(workflow, on_cancel=self._cancel, **options)

    def start(self, start: Start) -> "Run":
        """Start the run and show the panel: above all that its tasks print, and not for a run that can't begin."""
        self._panel.prepare()
        try:
            self._run = start([self._panel, self._show])
        except BaseException:
            self._panel.close()
            raise
        return self._run

    def _show(self, event: "Event") -> None:
        if isinstance(event, RunStarted):  # told before any task begins, by the thread that starts the run
            self._panel.show()

    def end(self, run: "Run") -> None:  # noqa: ARG002 - it has seen the run itself
        """Put the picture in the panel's place."""
        if self._lasting:
            self._panels.settle(self._panel)
        else:
            self._panel.close()

    def _cancel(self) -> None:
        if self._run is not None:
            self._run.cancel()

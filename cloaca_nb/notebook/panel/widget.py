"""The panel's side in the page: one anywidget, whose code and style are the files of `page/`, joined."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import anywidget
import traitlets
from ipywidgets._version import __protocol_version__

if TYPE_CHECKING:
    from ipywidgets import Widget

__all__ = ["PanelWidget"]

PAGE: Final = Path(__file__).with_name("page")
# One module for the browser, which loads a widget's code as one text: each part builds on those before it.
SCRIPTS: Final = (
    *("run", "words", "elements", "header", "graph", "cards", "dots", "tasks", "row", "chosen", "keys", "view"),
    *("kept", "panel"),
)
STYLES: Final = ("panel", "header", "graph", "tasks", "chosen")


class PanelWidget(anywidget.AnyWidget):
    """What the page is told. All of it is state, so a page that is loaded again has it again.

    Args:
        whole: returns the traits as they are for a page that knows nothing yet; some are sent as changes only.
    """

    _esm = "\n".join((PAGE / f"{name}.js").read_text("utf-8") for name in SCRIPTS)
    _css = "\n".join((PAGE / f"{name}.css").read_text("utf-8") for name in STYLES)
    graph = traitlets.Dict().tag(sync=True)  # what there is to draw: sent once
    usual = traitlets.Dict().tag(sync=True)  # seconds by task's number: sent once while the run goes on, once after it
    state = traitlets.Dict().tag(sync=True)  # of the run and its tasks
    chosen = traitlets.Dict().tag(sync=True)  # the task that is looked at, and its log

    def __init__(self, whole: Callable[[], dict[str, Any]], **traits: Any) -> None:
        self._whole = whole
        super().__init__(**traits)
        _answer_where_asked(self)

    def __repr__(self) -> str:
        """Return what is kept beside the widget where it is displayed: by the key the page finds the place."""
        return f"Panel of {self.graph['name']} ({self.graph['key']})"

    def get_state(self, key: Any = None, drop_defaults: bool = False) -> dict[str, Any]:  # noqa: FBT001, FBT002 - ipywidgets' signature
        """Return the traits. A page that asks for all of them, at the start or after a reload, gets everything."""
        state: dict[str, Any] = super().get_state(key, drop_defaults)
        return state | self._whole() if key is None else state

    def tell(self, news: Mapping[str, Any]) -> None:
        """Take over these traits, and send them in one message; by one thread at a time."""
        with self.hold_sync():
            for name, value in news.items():
                setattr(self, name, value)

    def announce(self) -> None:
        """Introduce the widget to pages that don't know it; those that do take it for the same."""
        parts: tuple[Widget, ...] = (self.layout, self)
        for part in parts:
            opening = {"state": part.get_state(), "buffer_paths": []}
            part.comm.open(data=opening, metadata={"version": __protocol_version__})


def _answer_where_asked(widget: PanelWidget) -> None:
    """Have clicks handled on the subshell that they come from.

    ipykernel 7.4 sends a comm's messages to the shell that last published on it: here the one that the run blocks.
    """
    if hasattr(widget.comm, "_reply_subshell_for"):
        widget.comm._reply_subshell_for = lambda _, default: default  # noqa: SLF001 - no public way

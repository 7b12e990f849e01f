"""What tasks display: shown below the cell that started the run, and kept in the task's log as text.

IPython's displays reach the cell by the context variables that a task has from it. Here its publishers are told apart:
from within a task, what is published is recorded as well. In a terminal IPython prints displays, which is enough.
"""

import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import wraps
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from IPython.core.displaypub import CapturingDisplayPublisher, DisplayPublisher

from cloaca_nb.engine.output import current_sink, real_stream
from cloaca_nb.engine.progress_bars import is_bar_of_task, watch
from cloaca_nb.engine.sink import Sink

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["record_displays"]

MOST: Final = 100  # displays of one attempt: each is a message of its own, and a server drops all above 1,000 a second
WIDGET: Final = "application/vnd.jupyter.widget-view+json"
_shown: Final[WeakKeyDictionary[Sink, int]] = WeakKeyDictionary()
_recording: Final[set[type]] = set()


def record_displays(shell: "InteractiveShell") -> None:
    """Have what tasks display recorded, for as long as this process lives."""
    publishers: set[Any] = {CapturingDisplayPublisher, type(shell.display_pub)}
    for publisher in publishers - {DisplayPublisher, *_recording}:
        publisher.publish = _recorded(publisher.publish)
        publisher.clear_output = _outside_of_tasks(publisher.clear_output)
        _recording.add(publisher)


def _recorded(publish: Callable[..., None]) -> Callable[..., None]:
    @wraps(publish)
    def record(self: Any, data: Mapping[str, Any], *args: Any, **options: Any) -> None:
        sink = current_sink()
        if sink is not None:
            data = {kind: sink.hide(one) if isinstance(one, str) else one for kind, one in data.items()}
        if sink is None or options.get("update") or _record(sink, data):
            if sink is not None:
                _send_what_is_printed()
            publish(self, data, *args, **options)

    return record


def _record(sink: Sink, data: Mapping[str, Any]) -> bool:
    """Keep the text of what a task displays; say whether it is to be shown as well."""
    if WIDGET in data and "tqdm.notebook" in sys.modules:
        watch()
        if is_bar_of_task(_widget(data[WIDGET])):
            return False
    sink.write("display", f"{str(data.get('text/plain', _kinds(data))).rstrip()}\n")
    shown = _shown[sink] = _shown.get(sink, 0) + 1
    if shown == MOST + 1:
        sink.write("stderr", f"This task displays more than {MOST} things: the others are only in its log, as text.\n")
    return shown <= MOST


def _send_what_is_printed() -> None:
    """Have the kernel send what it keeps for its next message of text, which a display would overtake."""
    for stream in map(real_stream, ("stdout", "stderr")):
        with suppress(OSError, ValueError):  # it is closed
            if stream is not None:
                stream.flush()


def _widget(view: Mapping[str, Any]) -> object:
    """Return the widget that a view is of."""
    from ipywidgets.widgets.widget import _instances  # noqa: PLC0415 - it is loaded where there is a widget

    return _instances.get(view.get("model_id"))


def _kinds(data: Mapping[str, Any]) -> str:
    return f"<{', '.join(data)}>"


def _outside_of_tasks(clear: Callable[..., None]) -> Callable[..., None]:
    """A task's log is kept whole, and the panel and the output of other tasks are not its to clear."""

    @wraps(clear)
    def clear_own(self: Any, *args: Any, **options: Any) -> None:
        if current_sink() is None:
            clear(self, *args, **options)

    return clear_own

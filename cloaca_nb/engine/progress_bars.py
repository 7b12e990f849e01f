"""tqdm's bars in a task: what they would draw becomes the task's progress, and their last state a line of its output.

tqdm draws a bar by its `display`, which its documentation offers for other faces. Here it is put in front of tqdm's own
in its two classes, once tqdm is imported: nothing here imports it. Bars outside of tasks, and bars that are written to
a file of the user's, are tqdm's own affair.

A task has one progress. With nested bars it is that of the bar opened first: the epochs, not the batches.
"""

import io
import sys
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from functools import wraps
from typing import Any, Final, Optional

from cloaca_nb.engine.handle import TaskHandle, current_handle

__all__ = ["is_bar_of_task", "watch"]

INTERVAL: Final = 0.09  # seconds between two reports: a little less than tqdm's own 0.1 between two displays
CLASSES: Final = (("tqdm.std", "tqdm"), ("tqdm.notebook", "tqdm_notebook"))
OWNER: Final = "_cloaca_bars"  # a bar's attribute: of which attempt it is
_watched: Final[set[type]] = set()
_lock: Final = threading.Lock()
_open: Final[ContextVar[Optional["_Bars"]]] = ContextVar("cloaca_open_bars", default=None)


def watch() -> None:
    """See to it that bars are noticed, if tqdm is imported by now; costs next to nothing when called again."""
    for module, name in CLASSES:
        bar_class = getattr(sys.modules.get(module), name, None)
        if bar_class is not None and bar_class not in _watched:
            with _lock:
                if bar_class not in _watched:
                    _put_in_front(bar_class)
                    _watched.add(bar_class)


def is_bar_of_task(widget: object) -> bool:
    """Say whether a widget is the picture of a bar that is a task's progress."""
    return type(widget).__module__ == "tqdm.notebook" and _is_of_task(getattr(widget, "pbar", None))


class _Bars:
    """The bars of one attempt that are open, the first one leading."""

    def __init__(self, handle: TaskHandle) -> None:
        self.handle = handle
        self._bars: list[weakref.ref[Any]] = []  # a bar that nobody holds is closed by tqdm
        self._reported = 0.0
        self._said: tuple[Any, ...] = ()

    def add(self, bar: Any) -> None:
        setattr(bar, OWNER, self)
        self._bars.append(weakref.ref(bar))

    def is_leading(self, bar: Any) -> bool:
        return next((one for reference in self._bars if (one := reference()) is not None), None) is bar

    def show(self, bar: Any) -> None:
        if self.is_leading(bar) and time.monotonic() - self._reported >= INTERVAL:
            self._report(bar)

    def end(self, bar: Any) -> None:
        if self.is_leading(bar):
            self._report(bar)
        self._bars = [one for one in self._bars if one() is not None and one() is not bar]  # bars compare by place

    def _report(self, bar: Any) -> None:
        self._reported = time.monotonic()
        message = ", ".join(filter(None, (str(bar.desc or "").removesuffix(": "), bar.postfix and str(bar.postfix))))
        said = (bar.n, bar.total, message)
        if said != self._said:
            self._said = said
            with suppress(ValueError):  # the task is over
                self.handle.progress(*said)


def _is_of_task(bar: Any) -> bool:
    """Say whether a bar that is open belongs to a task: it is made here, for the screen."""
    on_screen = bar.fp == sys.stdout or bar.fp == sys.stderr  # noqa: PLR1714 - a bar's file has no hash
    return on_screen and current_handle.get() is not None and not bar.disable


def _bars_of(bar: Any) -> _Bars | None:
    """Return those of the attempt that a bar belongs to; it joins those of this context at its first display."""
    bars: _Bars | None = vars(bar).get(OWNER)
    if bars is not None:
        return bars
    handle = current_handle.get()
    if handle is None or not _is_of_task(bar):
        return None
    bars = _open.get()
    if bars is None or bars.handle is not handle:
        bars = _Bars(handle)
        _open.set(bars)
    bars.add(bar)
    return bars


def _put_in_front(bar_class: Any) -> None:
    bar_class.display = _displaying(bar_class.display)
    bar_class.clear = _clearing(bar_class.clear)
    bar_class.close = _closing(bar_class.close)


def _displaying(display: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(display)
    def report(bar: Any, *args: Any, **options: Any) -> Any:
        bars = _bars_of(bar)
        if bars is None:
            return display(bar, *args, **options)
        bars.show(bar)
        return False  # nothing was drawn

    return report


def _clearing(clear: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(clear)
    def clear_drawn(bar: Any, *args: Any, **options: Any) -> None:
        if OWNER not in vars(bar):
            clear(bar, *args, **options)

    return clear_drawn


def _closing(close: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(close)
    def end(bar: Any) -> None:
        bars: _Bars | None = vars(bar).pop(OWNER, None)
        if bars is None or bar.disable:
            close(bar)
            return
        if bars.handle is not current_handle.get():  # it is thrown away later, by whatever runs then
            _draw_nowhere(bar)
        else:
            bars.end(bar)
        bar.leave = bar.pos == 0 if bar.leave is None else bar.leave
        bar.pos = 0  # it was never drawn below another
        close(bar)
        if hasattr(bar, "container"):
            _leave_line(bar)

    return end


def _draw_nowhere(bar: Any) -> None:
    bar.fp = io.StringIO()
    if hasattr(bar, "sp"):
        bar.sp = len  # takes a text and draws nothing


def _leave_line(bar: Any) -> None:
    """Write what a notebook's bar has come to, as one on a terminal does; its widget was never shown."""
    bar.container.close()
    if bar.leave:
        bar.fp.write(f"{bar.format_meter(**{**bar.format_dict, 'ncols': None})}\n")

"""pyplot's figures in tasks: each attempt has its own, and no task draws into that of another, or of the notebook.

pyplot finds "the current figure" in one dict for the whole process, `Gcf.figs`. Here a stand-in takes its place, once
matplotlib is imported: nothing here imports it. The stand-in looks up the attempt that asks; what is no attempt has the
dict that was there before. Figures are rendered one at a time, as matplotlib changes settings of the process meanwhile.
"""

import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any, Final
from weakref import WeakKeyDictionary

from cloaca_nb.engine.handle import TaskHandle, current_handle

__all__ = ["release", "watch"]

PYPLOT: Final = "matplotlib.pyplot"
HELPERS: Final = "matplotlib._pylab_helpers"
BACKENDS: Final = "matplotlib.backend_bases"
INLINE: Final = ("inline", "module://matplotlib_inline.backend_inline")  # shows figures below a cell
_lock: Final = threading.Lock()
_rendering: Final = threading.RLock()  # a figure may save another one while it is drawn


def watch() -> None:
    """See to it that figures are kept apart, if pyplot is imported by now; costs next to nothing when called again."""
    if PYPLOT not in sys.modules and not any(isinstance(one, _Importing) for one in sys.meta_path):
        sys.meta_path.insert(0, _Importing())
    helpers, backends = sys.modules.get(HELPERS), sys.modules.get(BACKENDS)
    registry = getattr(helpers, "Gcf", None)
    canvas = getattr(backends, "FigureCanvasBase", None)  # both are missing while a thread imports them
    if registry is None or canvas is None or isinstance(registry.figs, _Figures):
        return
    with _lock:
        if not isinstance(registry.figs, _Figures):
            registry.figs = _Figures(registry.figs)
            canvas.print_figure = _one_at_a_time(canvas.print_figure)


def release() -> None:
    """Look out for pyplot no longer."""
    sys.meta_path[:] = [one for one in sys.meta_path if not isinstance(one, _Importing)]


class _Importing(MetaPathFinder):
    """Notices that a body imports pyplot."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(fullname, path, target) if fullname == PYPLOT else None
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def execute_and_watch(module: ModuleType) -> None:
                execute(module)
                watch()

            spec.loader.exec_module = execute_and_watch  # type: ignore[method-assign]  # of this one import
        return spec


class _Figures:
    """The figures of whoever asks, by number."""

    def __init__(self, notebook: "OrderedDict[Any, Any]") -> None:
        self._notebook = notebook
        self._of_attempts: WeakKeyDictionary[TaskHandle, OrderedDict[Any, Any]] = WeakKeyDictionary()

    def _mine(self) -> "OrderedDict[Any, Any]":
        handle = current_handle.get()
        if handle is None:
            return self._notebook
        figures = self._of_attempts.get(handle)
        if figures is None:
            figures = self._of_attempts[handle] = OrderedDict()
            handle.when_over(_show_left)
        return figures

    def __getattr__(self, name: str) -> Any:
        return getattr(self._mine(), name)

    def __getitem__(self, number: Any) -> Any:
        return self._mine()[number]

    def __setitem__(self, number: Any, manager: Any) -> None:
        self._mine()[number] = manager

    def __delitem__(self, number: Any) -> None:
        del self._mine()[number]

    def __contains__(self, number: object) -> bool:
        return number in self._mine()

    def __iter__(self) -> Iterator[Any]:
        return iter(self._mine())

    def __len__(self) -> int:
        return len(self._mine())


def _show_left(*, is_wanted: bool) -> None:
    """Show the figures that a body has left open, as a cell does at its end, and close them."""
    pyplot = sys.modules[PYPLOT]
    if is_wanted and pyplot.get_backend().lower() in INLINE and pyplot.get_fignums():
        pyplot.show()
    pyplot.close("all")


def _one_at_a_time(render: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(render)
    def wait_and_render(*args: Any, **options: Any) -> Any:
        with _rendering:
            return render(*args, **options)

    return wait_and_render

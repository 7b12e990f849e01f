"""matplotlib's figures: as any other object, but copied without pyplot hearing of it."""

from copy import deepcopy
from typing import Any, Final

from cloaca_nb.values.adapter import Isolation
from cloaca_nb.values.pickles import equal, parts, preview

__all__ = ["LIBRARY", "TYPES", "equal", "isolate", "parts", "preview"]

LIBRARY: Final = "matplotlib"
TYPES: Final = ("Artist",)  # the base of figures, axes and all that is drawn in them


def isolate(value: Any, copies: Isolation) -> Any:
    """Return a deep copy whose figure isn't one of pyplot's open ones, so that no cell shows it a second time."""
    figure = value.get_figure(root=True)
    if figure is not None and figure is not value:
        copies(figure)  # and with it what is drawn in it
    return _isolate_figure(value, copies) if figure is value else deepcopy(value, copies.memo)


def _isolate_figure(figure: Any, copies: Isolation) -> Any:
    copy = copies.memo[id(figure)] = object.__new__(type(figure))
    state = dict(figure.__getstate__())
    state.pop("_restore_to_pylab", None)
    copy.__setstate__(deepcopy(state, copies.memo))
    return copy

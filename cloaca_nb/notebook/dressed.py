"""Frames that look like ours where a cell shows them, and are pandas' own in every other way."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["dressed"]


def dressed(frame: "pd.DataFrame", look: Callable[["pd.DataFrame"], dict[str, str]]) -> "pd.DataFrame":
    """Have one frame, and nothing that is made of it, look as `look` says.

    Args:
        frame: any frame.
        look: makes its display data, by MIME type.
    """
    told = list(frame.columns)

    def bundle(**_options: Any) -> dict[str, str]:
        if list(frame.columns) != told:  # the user has made it their own
            return {"text/html": frame.to_html(max_rows=60), "text/plain": repr(frame)}
        return look(frame)

    vars(frame)["_repr_mimebundle_"] = bundle  # on this one object: the type of `df = %cloaca_history` stays pandas'
    return frame

"""Answers as pandas frames: the only part of history that imports pandas."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = ["from_arrow", "to_frame"]


def to_frame(rows: Sequence[Mapping[str, Any]]) -> "pd.DataFrame":
    """Return rows as a frame, with the keys of the first as columns."""
    import pandas as pd  # noqa: PLC0415 - half a second that only who reads pays for

    return pd.DataFrame.from_records(list(rows))


def from_arrow(table: "pa.Table") -> "pd.DataFrame":
    """Return an Arrow table as a frame; times stay UTC without a zone, and text without a value is missing."""
    frame: pd.DataFrame = table.to_pandas()
    return frame

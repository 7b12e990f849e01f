"""Large pandas frames as documents whose columns are parts: what a task leaves alone of a frame is kept once."""

from typing import Any, Final

from cloaca_nb.values.pandas_frames import column_arrays

__all__ = ["LARGE", "TAG", "fits", "join", "take_apart"]

LARGE: Final = 1 << 25  # bytes: below, one file is written faster than one for each column
TAG: Final = "frame"


def fits(value: Any) -> bool:
    """Whether a value is a frame of several columns, large and without Python objects in it."""
    if type(value).__name__ != "DataFrame" or str(type(value).__module__).partition(".")[0] != "pandas":
        return False
    import pandas as pd

    if type(value) is not pd.DataFrame or value.shape[1] < 2 or not value.flags.allows_duplicate_labels:  # noqa: PLR2004
        return False
    if any(pd.api.types.is_object_dtype(dtype) for dtype in value.dtypes):
        return False
    return int(value.memory_usage(index=False).sum()) >= LARGE


def take_apart(frame: Any) -> list[Any]:
    """Return labels, index, `attrs` and columns; no data is copied."""
    return [frame.columns, frame.index, frame.attrs, column_arrays(frame)]


def join(parts: list[Any]) -> Any:
    """Return the frame of what `take_apart` gave; on the memory of its columns."""
    import pandas as pd

    labels, index, attrs, columns = parts
    series = {
        place: pd.Series(column, index=index, dtype=column.dtype, copy=False) for place, column in enumerate(columns)
    }
    frame = pd.DataFrame(series, index=index, copy=False)
    frame.columns = labels
    frame.attrs = attrs
    return frame

"""Which adapter knows a type, found by the names of its bases: no library is loaded that isn't there already."""

import dataclasses
import sys
from collections.abc import Callable
from enum import Enum
from functools import lru_cache
from typing import Final

from cloaca_nb.values import (
    arrow_tables,
    matplotlib_figures,
    numpy_arrays,
    pandas_frames,
    pickles,
    plain,
    polars_frames,
)
from cloaca_nb.values.adapter import Adapter

__all__ = ["adapter_of", "type_name"]

_BY_NAME: Final[dict[tuple[str, str], Adapter]] = {
    (library, name): adapter
    for library, names, adapter in (
        (numpy_arrays.LIBRARY, numpy_arrays.TYPES, numpy_arrays),
        (pandas_frames.LIBRARY, pandas_frames.TYPES, pandas_frames),
        (arrow_tables.LIBRARY, arrow_tables.TYPES, arrow_tables),
        (polars_frames.LIBRARY, polars_frames.TYPES, polars_frames),
        (matplotlib_figures.LIBRARY, matplotlib_figures.TYPES, matplotlib_figures),
    )
    for name in names
}


def _find_adapter(kind: type) -> Adapter:
    if kind in plain.TYPES or issubclass(kind, Enum):
        return plain
    for base in kind.__mro__:
        adapter = _BY_NAME.get((_library(base), base.__name__))
        if adapter is not None:
            return adapter
    return plain if _is_record(kind) else pickles


def _find_name(kind: type) -> str:
    name, module = kind.__qualname__, str(kind.__module__)
    if module == "builtins":
        return name
    library = _library(kind)
    return f"{library if getattr(sys.modules.get(library), name, None) is kind else module}.{name}"


def _library(kind: type) -> str:
    return str(kind.__module__).partition(".")[0]


def _is_record(kind: type) -> bool:
    """Whether the type is a dataclass or a named tuple whose fields are all that there is to it."""
    if hasattr(kind, "__deepcopy__"):
        return False
    if issubclass(kind, tuple):
        return hasattr(kind, "_fields") and kind.__base__ is tuple and not kind.__dictoffset__
    return dataclasses.is_dataclass(kind) and pickles.is_bare(kind)


# Bounded: re-running a cell makes its classes anew, and the old ones must not be kept alive for ever.
_remembered: Final = lru_cache(512)

# Returns the adapter for values of a type; `pickles` is the one for whatever no other knows.
adapter_of: Final[Callable[[type], Adapter]] = _remembered(_find_adapter)

# Returns the name under which users know a type: "dict", "pandas.DataFrame", "__main__.Point".
type_name: Final[Callable[[type], str]] = _remembered(_find_name)

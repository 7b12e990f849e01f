"""Values that are given for one run as text: `NAME=VALUE`, read as what the parameter's default is."""

import ast
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from cloaca_nb.core.mask import masked
from cloaca_nb.errors import DefinitionError, near_miss

__all__ = ["fit", "parse_settings", "read_value"]

COLLECTIONS: Final = (list, tuple, set, frozenset)
PLAIN: Final = (bool, int, float, dict, *COLLECTIONS)  # a text is none of these unless it reads as one


def parse_settings(settings: Sequence[str]) -> dict[str, str]:
    """Read ``NAME=VALUE`` texts.

    >>> parse_settings(["year=2013", "carrier=UA"])
    {'year': '2013', 'carrier': 'UA'}

    Raises:
        DefinitionError: for a text that is none, or a name that stands there twice.
    """
    found: dict[str, str] = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals or not name.isidentifier():
            raise DefinitionError(f"A parameter is given as NAME=VALUE, not {setting!r}.")
        if name in found:
            shown = [masked({name: one})[name] for one in (found[name], text)]
            raise DefinitionError(f"Parameter {name!r} is given twice: as {shown[0]!r} and as {shown[1]!r}.")
        found[name] = text
    return found


def fit(name: str, value: Any, defaults: Mapping[str, Any]) -> Any:
    """Return `value` as the type of the parameter's default, where that loses nothing.

    >>> fit("rate", "2", {"rate": 0.5})
    2.0

    Raises:
        DefinitionError: if it doesn't fit, or there is no such parameter.
    """
    if name not in defaults:
        there = f"Parameters: {', '.join(defaults)}." if defaults else "There are none: %%cloaca_params defines them."
        raise DefinitionError(f"No parameter {name!r}.{near_miss(name, defaults)} {there}")
    default = defaults[name]
    try:
        return _as_type_of(default, value)
    except (TypeError, ValueError, ArithmeticError):  # ArithmeticError: a Decimal's
        raise DefinitionError(
            f"Parameter {name!r} is of type {type(default).__name__}, like {masked({name: default})[name]!r}, "
            f"so {masked({name: value})[name]!r} doesn't fit."
        ) from None


def read_value(text: str) -> Any:
    """Return what `text` says as JSON, else as a Python literal, else the text itself."""
    for read in (json.loads, ast.literal_eval):
        with suppress(ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            return read(text)
    return text


def _as_type_of(default: Any, value: Any) -> Any:
    """Return `value` as the type of `default`, or raise a TypeError or ValueError."""
    kind = type(default)
    if isinstance(value, kind) and not (kind is int and isinstance(value, bool)):
        return value
    read = read_value(value) if isinstance(value, str) else value
    if default is None or type(read) is kind:
        return read
    if kind is float and type(read) is int:
        return float(read)
    if kind in COLLECTIONS and isinstance(read, list | tuple):
        return kind(read)
    if isinstance(value, str) and kind not in PLAIN:
        return getattr(kind, "fromisoformat", kind)(value)
    raise TypeError

"""The parameters of a notebook's workflow: names with defaults, bound in the notebook as well."""

import ast
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from cloaca_nb.core.cells import ParamsCell
from cloaca_nb.errors import DefinitionError, near_miss
from cloaca_nb.notebook.cell_code import CellCode

__all__ = ["Parameters", "fit", "parse_settings"]

COLLECTIONS: Final = (list, tuple, set, frozenset)
PLAIN: Final = (bool, int, float, dict, *COLLECTIONS)  # a text is none of these unless it reads as one


class Parameters:
    """The parameters that a cell defines.

    Args:
        cell: its text, understood.
        code: the cell's code.
    """

    def __init__(self, cell: ParamsCell, code: CellCode) -> None:
        self._code = code
        self.names: tuple[str, ...] = cell.names
        self.defaults: dict[str, Any] = {}
        tree = ast.parse(cell.body)
        ast.increment_lineno(tree, cell.first_line - 1)
        self._statements = tree.body

    def bind(self, namespace: dict[str, Any]) -> None:
        """Give every parameter its default in the notebook."""
        for statement in self._statements:
            self._execute(statement, namespace)
        self.defaults = {name: namespace[name] for name in self.names}

    def values(self, namespace: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values for a run: the settings, else the notebook's, else the defaults.

        What derives from a value that isn't its default is computed again, unless it was given a value itself.

        Args:
            namespace: the notebook's own names.
            settings: values by parameter, as given for one run; texts are read as what the default is.

        Raises:
            DefinitionError: for an unknown name, or a value of another type than the default's.
        """
        scratch = {**self.defaults, **namespace}
        given = {name for name in self.names if scratch[name] is not self.defaults[name]}
        for name, value in settings.items():
            scratch[name] = fit(name, value, self.defaults)
            given.add(name)
        changed = set(given)
        for statement in self._statements:
            loads, stores = _names(statement, ast.Load), _names(statement, ast.Store)
            if loads & changed and not stores & given:
                self._execute(statement, scratch)
                changed |= stores
        return {name: scratch[name] for name in self.names}

    def _execute(self, statement: ast.stmt, namespace: dict[str, Any]) -> None:
        code = compile(ast.Module([statement], []), self._code.filename, "exec")
        self._code.execute(code, namespace)


def _names(statement: ast.stmt, kind: type[ast.expr_context]) -> set[str]:
    return {one.id for one in ast.walk(statement) if isinstance(one, ast.Name) and isinstance(one.ctx, kind)}


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
            raise DefinitionError(f"Parameter {name!r} is given twice: as {found[name]!r} and as {text!r}.")
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
            f"Parameter {name!r} is of type {type(default).__name__}, like {default!r}, so {value!r} doesn't fit."
        ) from None


def _as_type_of(default: Any, value: Any) -> Any:
    """Return `value` as the type of `default`, or raise a TypeError or ValueError."""
    kind = type(default)
    if isinstance(value, kind) and not (kind is int and isinstance(value, bool)):
        return value
    read = _read(value) if isinstance(value, str) else value
    if default is None or type(read) is kind:
        return read
    if kind is float and type(read) is int:
        return float(read)
    if kind in COLLECTIONS and isinstance(read, list | tuple):
        return kind(read)
    if isinstance(value, str) and kind not in PLAIN:
        return getattr(kind, "fromisoformat", kind)(value)
    raise TypeError


def _read(text: str) -> Any:
    """Return what `text` says as JSON, else as a Python literal, else the text itself."""
    for read in (json.loads, ast.literal_eval):
        with suppress(ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            return read(text)
    return text

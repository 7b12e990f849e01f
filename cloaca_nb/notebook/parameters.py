"""The parameters of a notebook's workflow: names with defaults, bound in the notebook as well."""

import ast
import json
from collections.abc import Mapping, Sequence
from typing import Any

from cloaca_nb.core.cells import ParamsCell
from cloaca_nb.errors import DefinitionError, near_miss
from cloaca_nb.notebook.cell_code import CellCode

__all__ = ["Parameters", "parse_settings"]


class Parameters:
    """The parameters that a cell defines.

    Args:
        cell: its text, understood.
        code: the cell's code.
    """

    def __init__(self, cell: ParamsCell, code: CellCode) -> None:
        self._code = code
        self.names: tuple[str, ...] = cell.names
        tree = ast.parse(cell.body)
        ast.increment_lineno(tree, cell.first_line - 1)
        self._statements = tree.body

    def bind(self, namespace: dict[str, Any]) -> None:
        """Give every parameter its default in the notebook."""
        for statement in self._statements:
            self._execute(statement, namespace)

    def values(self, namespace: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
        """Return the notebook's values as changed by `settings`; what derives from a changed one is computed again.

        Args:
            namespace: the notebook's own names.
            settings: values by parameter, as given for one run.

        Raises:
            DefinitionError: for an unknown name, or a value of another type than the default's.
        """
        scratch = dict(namespace)
        changed: set[str] = set()
        for name, value in settings.items():
            if name not in self.names:
                known = ", ".join(self.names)
                raise DefinitionError(f"No parameter {name!r}.{near_miss(name, self.names)} Parameters: {known}.")
            scratch[name] = _fit(name, value, scratch.get(name))
            changed.add(name)
        for statement in self._statements:
            loads = {one.id for one in ast.walk(statement) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load)}
            stores = {one.id for one in ast.walk(statement) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}
            if loads & changed and not stores & settings.keys():
                self._execute(statement, scratch)
                changed |= stores
        return {name: scratch[name] for name in self.names}

    def _execute(self, statement: ast.stmt, namespace: dict[str, Any]) -> None:
        code = compile(ast.Module([statement], []), self._code.filename, "exec")
        self._code.execute(code, namespace)


def parse_settings(settings: Sequence[str]) -> dict[str, Any]:
    """Read ``KEY=VALUE`` texts: a value is JSON where it can be, else text.

    >>> parse_settings(["year=2013", "carrier=UA"])
    {'year': 2013, 'carrier': 'UA'}
    """
    found = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals or not name.isidentifier():
            raise DefinitionError(f"A parameter is given as NAME=VALUE, not {setting!r}.")
        try:
            found[name] = json.loads(text)
        except ValueError:
            found[name] = text
    return found


def _fit(name: str, value: Any, default: Any) -> Any:
    """Return `value` as the type of its default, where that loses nothing."""
    if default is None or type(value) is type(default):
        return value
    if isinstance(default, float) and type(value) is int:
        return float(value)
    if isinstance(default, str) and not isinstance(value, str):
        return json.dumps(value)
    if isinstance(default, tuple | set | frozenset) and isinstance(value, list):
        return type(default)(value)
    if isinstance(value, str) and not isinstance(default, bool | int | float | list | dict):
        try:
            return type(default)(value)
        except (TypeError, ValueError):
            pass
    raise DefinitionError(f"Parameter {name!r} is of type {type(default).__name__}, so {value!r} doesn't fit.")

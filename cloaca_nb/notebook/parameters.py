"""The parameters of a notebook's workflow: names with defaults, bound in the notebook as well."""

import ast
from collections.abc import Mapping
from typing import Any

from cloaca_nb.core.cells import ParamsCell
from cloaca_nb.declare.settings import fit
from cloaca_nb.errors import DefinitionError
from cloaca_nb.notebook.cell_code import CellCode

__all__ = ["Parameters"]


class Parameters:
    """The parameters that a cell defines.

    Args:
        cell: its text, understood.
        code: the cell's code.
    """

    def __init__(self, cell: ParamsCell, code: CellCode) -> None:
        self.names: tuple[str, ...] = cell.names
        self.secret: tuple[str, ...] = cell.secret
        self.defaults: dict[str, Any] = {}
        tree = ast.parse(cell.body)
        ast.increment_lineno(tree, cell.first_line - 1)
        self._statements = [(code, statement) for statement in tree.body]

    def bind(self, namespace: dict[str, Any]) -> None:
        """Give every parameter its default in the notebook."""
        for code, statement in self._statements:
            _execute(code, statement, namespace)
        self.defaults = {name: namespace[name] for name in self.names}

    def follow(self, earlier: "Parameters") -> None:
        """Take in the parameters of an earlier cell as well, unless this one defines them all anew.

        Raises:
            DefinitionError: if it defines only some of them anew.
        """
        again = [name for name in earlier.names if name in self.names]
        if again and len(again) < len(earlier.names):
            raise DefinitionError(
                f"Parameter {again[0]!r} stands in two %%cloaca_params cells, of which the earlier one defines others "
                "too: change it there, or define all of them in one cell."
            )
        if not again:
            self.names = (*earlier.names, *self.names)
            self.secret = (*earlier.secret, *self.secret)
            self.defaults = {**earlier.defaults, **self.defaults}
            self._statements = [*earlier._statements, *self._statements]  # noqa: SLF001 - its own class

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
        for code, statement in self._statements:
            loads, stores = _names(statement, ast.Load), _names(statement, ast.Store)
            if loads & changed and not stores & given:
                _execute(code, statement, scratch)
                changed |= stores
        return {name: scratch[name] for name in self.names}


def _execute(code: CellCode, statement: ast.stmt, namespace: dict[str, Any]) -> None:
    code.execute(compile(ast.Module([statement], []), code.filename, "exec"), namespace)


def _names(statement: ast.stmt, kind: type[ast.expr_context]) -> set[str]:
    return {one.id for one in ast.walk(statement) if isinstance(one, ast.Name) and isinstance(one.ctx, kind)}

"""The parameters of a notebook's workflow: names with defaults, bound in the notebook as well.

What one is worth is the notebook's to say, at any time: its current value, else the default. Those that follow from
others are worked out by rules, as the derived parameters of a `WorkflowBuilder` are; so whoever executes the workflow,
a magic or a runner, what it gives for a run comes before all of these, and what follows from it follows.
"""

import ast
import inspect
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from cloaca_nb.core.cells import ParamsCell
from cloaca_nb.core.parameters import Rules, Values
from cloaca_nb.errors import DefinitionError
from cloaca_nb.notebook.cell_code import CellCode

__all__ = ["Parameters"]


class Parameters:
    """The parameters that a cell defines; a `ParameterSource`.

    Args:
        cell: its text, understood.
        code: the cell's code.
        namespace: the notebook's own names.
        worked_out: values that the notebook has from a run, in which they followed from others: nobody's own.
    """

    def __init__(
        self,
        cell: ParamsCell,
        code: CellCode,
        namespace: dict[str, Any],
        worked_out: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        self.names: tuple[str, ...] = cell.names
        self.secret: tuple[str, ...] = cell.secret
        self.defaults: dict[str, Any] = {}
        self._namespace = namespace
        self._worked_out = worked_out
        tree = ast.parse(cell.body)
        ast.increment_lineno(tree, cell.first_line - 1)
        self._statements = [_Statement(code, statement) for statement in tree.body]

    def bind(self) -> None:
        """Give every parameter its default in the notebook."""
        for statement in self._statements:
            statement.execute(self._namespace)
        self.defaults = {name: self._namespace[name] for name in self.names}

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

    def values(self) -> Values:
        """Return the values as they are now; what derives from a value that isn't its default is worked out again."""
        rules = self._all_rules()
        return Values(rules, self.defaults, self._own(rules))

    def rules(self) -> Rules:
        """Return how those are worked out that follow from others, and have no value of their own in the notebook."""
        rules = self._all_rules()
        own = self._own(rules)
        return {name: rule for name, rule in rules.items() if name not in own}

    def _own(self, rules: Rules) -> dict[str, Any]:
        """Return the values that somebody has given them in the notebook."""
        found = {name: self._namespace[name] for name in self.names if name in self._namespace}
        follows = rules.keys() & self._worked_out.keys()
        return {
            name: value
            for name, value in found.items()
            if value is not self.defaults[name] and not (name in follows and value is self._worked_out[name])
        }

    def _all_rules(self) -> Rules:
        """Return the rule of each parameter that follows from others, in the order in which they are complete."""
        found: dict[str, _Rule] = {}
        for name in sorted(self.names, key=self._last_place):
            rule = _Rule(name, self._statements_for(name), self.names, self._namespace)
            if rule.needed:
                found[name] = rule
        return found

    def _last_place(self, name: str) -> int:
        return max(place for place, one in enumerate(self._statements) if name in one.stores)

    def _statements_for(self, name: str) -> "Sequence[_Statement]":
        """Return the statements that give a parameter its value, with those for the other names that they use."""
        wanted, found = {name}, set()
        for place in reversed(range(self._last_place(name) + 1)):
            one = self._statements[place]
            if one.stores & wanted:
                found.add(place)
                wanted |= one.loads.difference(self.names)
        return [self._statements[place] for place in sorted(found)]


class _Statement(NamedTuple):
    """One statement of a parameters cell."""

    code: CellCode
    node: ast.stmt

    @property
    def stores(self) -> set[str]:
        return _names(self.node, ast.Store)

    @property
    def loads(self) -> set[str]:
        return _names(self.node, ast.Load)

    def execute(self, namespace: dict[str, Any]) -> None:
        self.code.execute(compile(ast.Module([self.node], []), self.code.filename, "exec"), namespace)


class _Rule:
    """How a parameter is worked out; to `inspect.signature` it takes the parameters that it needs."""

    def __init__(
        self, name: str, statements: Sequence[_Statement], parameters: Sequence[str], namespace: Mapping[str, Any]
    ) -> None:
        loaded = {one for statement in statements for one in statement.loads}
        self.needed = [one for one in parameters if one in loaded and one != name]
        self._name = name
        self._statements = statements
        self._namespace = namespace
        needed = [inspect.Parameter(one, inspect.Parameter.KEYWORD_ONLY) for one in self.needed]
        self.__signature__ = inspect.Signature(needed)

    def __repr__(self) -> str:
        return "\n".join(ast.unparse(one.node) for one in self._statements)

    def __call__(self, **values: Any) -> Any:
        scratch = {**self._namespace, **values}
        for statement in self._statements:
            statement.execute(scratch)
        return scratch[self._name]


def _names(statement: ast.stmt, kind: type[ast.expr_context]) -> set[str]:
    return {one.id for one in ast.walk(statement) if isinstance(one, ast.Name) and isinstance(one.ctx, kind)}

"""What code does with its names in the scopes within it: functions, lambdas, classes, comprehensions, type aliases."""
# ruff: noqa: N802, N815 - `ast.NodeVisitor` names its methods after the classes of nodes

import ast
from collections.abc import Iterable, Sequence

from cloaca_nb.core.code.bindings import (
    Comprehension,
    Scope,
    bindings,
    captured_later,
    captured_now,
    free_names,
    inner_parts,
    outer_parts,
    scope_names,
    target_names,
    type_parameters,
)
from cloaca_nb.core.code.name_flow import NameFlow, changed_roots
from cloaca_nb.core.code.state import join

__all__ = ["ScopeFlow"]


class ScopeFlow(NameFlow):
    """Walks code and everything within it; what a function uses counts where the function may be called."""

    def _visit_scope(self, node: Scope) -> None:
        self.hidden.append(frozenset(type_parameters(node)))
        for part in outer_parts(node):
            self.visit(part)
        self.hidden.pop()
        now = [name for name in captured_now(node) if not self.is_hidden(name.id)]
        later = [name for name in captured_later(node) if not self.is_hidden(name.id)]
        if any(name.id == self.context for name in (*now, *later)):
            self._visit_inside(node)
        for name in now:
            if name.id != self.context:
                self._read(name)
        self._change_inside(node, later)
        if isinstance(node, ast.Lambda) or node.decorator_list:
            self._closures[""] = later  # whatever got it may call it at once
            self._call("", set())
        else:
            self._note_later(later)
            self._closures[node.name] = [*self._closures.get(node.name, ()), *later]
        if not isinstance(node, ast.Lambda):
            self.bind_name(node.name, node)

    visit_FunctionDef = visit_AsyncFunctionDef = visit_ClassDef = visit_Lambda = _visit_scope

    def _note_later(self, names: Iterable[ast.Name]) -> None:
        """Take in what code uses that runs later; of the names that are bound here, only its call tells."""
        for name in names:
            if name.id not in self.local:
                self._note_read(name, later=True)

    def _visit_inside(self, node: Scope) -> None:
        """Find the keys that a function uses of the context around it."""
        own = frozenset[str]() if isinstance(node, ast.ClassDef) else scope_names(node)
        inside = ScopeFlow(self.context, own, self.state)
        inside.keys = self.keys
        inside.literals = {name: value for name, value in self.literals.items() if name not in own}
        for part in inner_parts(node):
            if inside.state is not None:
                inside.visit(part)

    def _change_inside(self, node: Scope, later: Sequence[ast.Name]) -> None:
        """Take in that a function may change names of the scope around it, whenever it is called."""
        outer = {id(name) for name in later}
        self.conditions += 1
        for root in changed_roots(ast.walk(node)):
            if id(root) in outer and self.state is not None and root.id != self.context:
                before = self.state
                self._note_change(root)
                self.state = join(before, self.state)
        self.conditions -= 1

    def _visit_comprehension(self, node: Comprehension) -> None:
        before = self.state
        results = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        self.visit(node.generators[0].iter)
        self.hidden.append(target_names(node))
        self.conditions += 1
        self.comprehend(node.generators, results)
        self.conditions -= 1
        self.hidden.pop()
        self.state = join(before, self.state)

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _visit_comprehension

    def visit_TypeAlias(self, node: ast.stmt) -> None:
        """Bind the name of a ``type`` statement (Python 3.12)."""
        for one in bindings([node]):
            self._closures[one.name] = list(free_names(node))  # its value is evaluated when it is asked for
            self._note_later(self._closures[one.name])
            self.bind_name(one.name, node)

"""What code does with the context of a task: which keys it reads, sets and deletes, and where it hands it on."""
# ruff: noqa: N802 - `ast.NodeVisitor` names its methods after the classes of nodes

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from cloaca_nb.core.code.bindings import own_scope
from cloaca_nb.core.code.flow import Flow
from cloaca_nb.core.code.state import START, Point, join

__all__ = ["ContextFlow", "Key", "KeyRecord"]

# What a method of the context does with its key: with the key alone, and with more arguments.
METHODS: Final[Mapping[str, tuple[str, str]]] = {
    "get": ("read", "optional"),
    "set": ("set", "set"),
    "insert": ("set", "set"),
    "update": ("read set", "read set"),  # it fails if the key is absent
    "setdefault": ("optional set", "optional set"),
    "delete": ("delete", "delete"),
    "remove": ("delete", "delete"),
    "pop": ("read delete", "optional delete"),
}


class Key(NamedTuple):
    """The variable "this key of the context is set"."""

    key: str


@dataclass
class KeyRecord:
    """The keys found so far, in order; see `core.names.Keys`."""

    reads: dict[str, None] = field(default_factory=dict)
    optional: dict[str, None] = field(default_factory=dict)
    sets: dict[str, None] = field(default_factory=dict)
    deletes: dict[str, None] = field(default_factory=dict)
    computed: bool = False


class ContextFlow(Flow):
    """Walks code and finds what it does with its context.

    Attributes:
        context: the name of the context in the code.
        keys: what is done with it.
        hidden: the variables of the comprehensions around this point.
    """

    def __init__(self, context: str, state: Point = START) -> None:
        super().__init__(state)
        self.context = context
        self.keys = KeyRecord()
        self.hidden: list[frozenset[str]] = []

    def is_hidden(self, name: str) -> bool:
        """Say whether a name is a comprehension's own here."""
        return any(name in names for names in self.hidden)

    def is_context(self, node: ast.expr | None) -> bool:
        """Say whether an expression is the context itself."""
        return isinstance(node, ast.Name) and node.id == self.context and not self.is_hidden(node.id)

    def context_item(self, node: ast.expr) -> ast.expr | None:
        """Return the key of ``context[key]``; None for other code."""
        return node.slice if isinstance(node, ast.Subscript) and self.is_context(node.value) else None

    def unrolls(self, statements: Iterable[ast.AST]) -> bool:
        """Walk a loop over a literal element by element if it may use the elements as keys."""
        return any(isinstance(node, ast.Name) and node.id == self.context for node in own_scope(statements))

    def visit_Return(self, node: ast.Return) -> None:
        """Leave; to return the context is not to hand it on."""
        if not self.is_context(node.value):
            self.generic_visit(node)
        self.leave(node)
        self.jump(node)

    def visit_Expr(self, node: ast.Expr) -> None:
        """Walk an expression; to show the context is not to hand it on."""
        if not self.is_context(node.value):
            self.generic_visit(node)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        """Read a key of the context, or anything else."""
        key = self.context_item(node)
        if key is None:
            self.generic_visit(node)
        else:
            self.visit(key)
            self.use_key(key, "read")

    def visit_Call(self, node: ast.Call) -> None:
        """Walk a call: of a method of the context, or of anything else."""
        match node.func:
            case ast.Attribute(value=ast.Name() as owner) if self.is_context(owner):
                self._call_method(node, node.func.attr)
            case _:
                self.generic_visit(node)

    def _call_method(self, node: ast.Call, method: str) -> None:
        values = [*node.args, *(keyword.value for keyword in node.keywords)]
        for value in values:
            self.visit(value)
        named = [keyword.value for keyword in node.keywords if keyword.arg == "key"]
        match method, [*node.args[:1], *named]:
            case "update_from_dict", [ast.Dict() as literal]:
                for key in literal.keys:
                    self.use_key(key, "set")
            case _, [key, *_] if method in METHODS:
                self.use_key(key, METHODS[method][len(values) > 1])
            case _:
                self.keys.computed = True

    def test(self, node: ast.expr) -> tuple[Point, Point]:
        """Walk a condition; where ``"k" in context`` holds, reading the key needs no other task."""
        match node:
            case ast.Compare(ops=[ast.In() | ast.NotIn() as op], comparators=[ast.Name() as owner]) if self.is_context(
                owner
            ):
                self.visit(node.left)
                self.use_key(node.left, "optional")
                there = self.state and self.state.bind(*map(Key, self._key_names(node.left)))
                return (there, self.state) if isinstance(op, ast.In) else (self.state, there)
            case _:
                return super().test(node)

    def visit_Compare(self, node: ast.Compare) -> None:
        """Walk a comparison."""
        if len(node.ops) == 1 and self.is_context(node.comparators[0]) and isinstance(node.ops[0], ast.In | ast.NotIn):
            self.state = join(*self.test(node))
        else:
            super().visit_Compare(node)

    def _key_names(self, node: ast.expr | None) -> list[str]:
        """Return the key that an expression stands for, as a list: empty if it is no literal."""
        match node:
            case ast.Constant(value=str(key)):
                return [key]
            case ast.Name() if isinstance(value := self.literals.get(node.id), str):
                return [value]
            case _:
                return []

    def use_key(self, node: ast.expr | None, use: str) -> None:
        """Take in what is done with a key: ``read``, ``optional``, ``set`` and ``delete``, parted by spaces."""
        names = self._key_names(node)
        if not names:
            self.keys.computed = True
        for key in names:
            for one in use.split():
                self._use(key, one)

    def _use(self, key: str, use: str) -> None:
        if self.state is None:
            return
        known = Key(key) in self.state.sure
        match use:
            case "set":
                self.keys.sets[key] = None
                self.move(self.state.bind(Key(key)))
            case "delete":
                self.keys.deletes[key] = None
                self.move(self.state.unbind(Key(key)))
            case "read" if not known:
                self.keys.reads[key] = None
            case "optional" if not known:
                self.keys.optional[key] = None
            case _:
                return

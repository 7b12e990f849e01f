"""What code does with its names: where it reads, assigns, changes and deletes them, and what holds at its exits."""
# ruff: noqa: N802, N815 - `ast.NodeVisitor` names its methods after the classes of nodes

import ast
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from cloaca_nb.core.code.bindings import bindings, own_scope
from cloaca_nb.core.code.context_flow import ContextFlow
from cloaca_nb.core.code.state import START, Point, State, join

__all__ = ["NameFlow", "Read", "Write", "changed_roots", "root_name"]

SIMPLE: Final = (
    ast.Assign,
    ast.AugAssign,
    ast.AnnAssign,
    ast.Assert,
    ast.Delete,
    ast.Expr,
    ast.Import,
    ast.ImportFrom,
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
)


class Write(NamedTuple):
    """The variable "the value of this name is one that the code assigned or changed"."""

    name: str


class Read(NamedTuple):
    """Where a name is read first."""

    place: tuple[int, int]  # line from 1, column in bytes from 0
    sure: bool  # somewhere the code can't have assigned it before


class NameFlow(ContextFlow):
    """Walks code and finds what it does with names and with its context.

    Attributes:
        reads: where names from outside are read.
        changed: the line where an item or attribute of a name from outside is assigned first.
        deleted: the line where a name from outside is deleted first.
        writes: for each name the statements that assign or change it.
        deletions: for each name the statements that delete it.
        exits: what holds before each reached `return`.
        end: what holds at the end of the code.
        late: names that a `finally` block writes after a `return`.
        keys: what is done with the context.
    """

    def __init__(self, context: str, local: frozenset[str] = frozenset(), state: Point = START) -> None:
        super().__init__(context, state)
        self.local = local
        self.reads: dict[str, Read] = {}
        self.changed: dict[str, int] = {}
        self.deleted: dict[str, int] = {}
        self.writes: dict[str, dict[ast.stmt, bool]] = {}
        self.deletions: dict[str, list[ast.stmt]] = {}
        self.exits: dict[ast.Return, Point] = {}
        self.end: Point = None
        self.late: set[str] = set()
        self._closures: dict[str, list[ast.Name]] = {}  # what local functions use when they are called

    def may_end_with(self, name: str) -> bool:
        """Say whether the code may end with a value of `name` that it assigned or changed."""
        points = (*(jump.state for jump in self.jumps), self.end)  # what is still under way is a `return`
        return any(Write(name) in point.perhaps for point in points if point is not None)

    # -- control flow's hooks

    def leave(self, node: ast.Return) -> None:
        """Keep what holds at this `return`."""
        self.exits[node] = join(self.exits.get(node), self.state)

    def written_in(self, statements: Sequence[ast.stmt]) -> None:
        """Keep the names that come too late for what stands before a `return`."""
        self.late.update(one.name for one in bindings(statements))
        self.late.update(root.id for root in changed_roots(own_scope(statements)))

    def after_block(self, end: Point, raised: Point) -> Point:
        """Be strict about writes and trusting about names: hardly any context manager swallows errors."""
        if end is None or raised is None:
            return raised
        left_early = {one for one in end.sure if isinstance(one, Write)} - raised.sure
        return State(end.sure - left_early, end.perhaps | raised.perhaps)

    # -- names

    def visit_Name(self, node: ast.Name) -> None:
        """Read, bind or unbind a name."""
        match node.ctx:
            case ast.Load():
                self._read(node)
            case ast.Store():
                self.bind_name(node.id, node)
            case _:
                self._delete_name(node)

    def _read(self, node: ast.Name) -> None:
        if self.is_hidden(node.id):
            return
        if node.id == self.context:
            self.keys.computed = True  # handed on: whoever gets it may use any key
            return
        self._note_read(node, later=False)
        self._call(node.id, set())

    def _note_read(self, node: ast.Name, *, later: bool) -> None:
        if self.state is None or node.id in self.state.sure or node.id == self.context:
            return
        sure = not later and node.id not in self.state.perhaps
        place, known = (node.lineno, node.col_offset), self.reads.get(node.id)
        if known is not None:
            place, sure = min(place, known.place), sure or known.sure
        self.reads[node.id] = Read(place, sure)

    def _call(self, function: str, called: set[str]) -> None:
        """Take in that a local function may be called now: what it uses is read."""
        called.add(function)
        for node in self._closures.get(function, ()):
            self._note_read(node, later=True)
            if node.id not in called:
                self._call(node.id, called)

    def bind_name(self, name: str, node: ast.AST) -> None:
        """Take in that a name gets a value; the one of `except … as` is gone soon and doesn't count as written."""
        if self.state is None or self.is_hidden(name):
            return
        if name == self.context:
            self.keys.computed = True
        self.literals.pop(name, None)
        if isinstance(node, ast.ExceptHandler):
            self.move(self.state.unbind(Write(name)).bind(name))
        else:
            self.move(self.state.bind(name, Write(name)))
        self._note_write(name)

    def unbind_name(self, name: str) -> None:
        """Take in that a name has no value any more."""
        if self.state is not None:
            self.move(self.state.unbind(name, Write(name)))

    def _note_write(self, name: str) -> None:
        if self.statement is not None:
            plain = not self.conditions and isinstance(self.statement, SIMPLE)
            writes = self.writes.setdefault(name, {})
            writes[self.statement] = writes.get(self.statement, True) and plain

    def _delete_name(self, node: ast.Name) -> None:
        if self.state is None or self.statement is None:
            return
        if node.id not in self.state.sure:
            self.deleted.setdefault(node.id, node.lineno)
            self._note_read(node, later=False)
        self.unbind_name(node.id)
        deletions = self.deletions.setdefault(node.id, [])
        if self.statement not in deletions:
            deletions.append(self.statement)

    # -- assignment

    def visit_Assign(self, node: ast.Assign) -> None:
        """Walk the value, then bind the targets."""
        self.visit(node.value)
        for target in node.targets:
            self.bind_target(target)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        """Walk the annotation and the value; without a value nothing is bound."""
        self.visit(node.annotation)
        if node.value is not None:
            self.visit(node.value)
            self.bind_target(node.target)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        """Read the target, walk the value, bind the target."""
        if isinstance(node.target, ast.Name):
            self._read(ast.copy_location(ast.Name(node.target.id, ast.Load()), node.target))
        elif (key := self.context_item(node.target)) is not None:
            self.use_key(key, "read")
        self.visit(node.value)
        self.bind_target(node.target)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        """Walk the value, then bind the name, also out of a comprehension."""
        self.visit(node.value)
        self.bind_name(node.target.id, node.target)

    def bind_target(self, target: ast.expr) -> None:
        """Take in that `target` gets a value: a name, a key of the context, or an item or attribute of a name."""
        match target:
            case ast.Tuple() | ast.List():
                for element in target.elts:
                    self.bind_target(element)
            case ast.Starred():
                self.bind_target(target.value)
            case ast.Name():
                self.bind_name(target.id, target)
            case _:
                self._change(target, "set")

    def visit_Delete(self, node: ast.Delete) -> None:
        """Unbind names; delete keys of the context; change what an item or attribute is deleted of."""
        for target in node.targets:
            self._delete(target)

    def _delete(self, target: ast.expr) -> None:
        match target:
            case ast.Tuple() | ast.List():
                for element in target.elts:
                    self._delete(element)
            case ast.Name():
                self._delete_name(target)
            case _:
                self._change(target, "read delete")

    def _change(self, target: ast.expr, use: str) -> None:
        """Take in that an item or attribute is assigned or deleted."""
        if (key := self.context_item(target)) is not None:
            self.visit(key)
            self.use_key(key, use)
            return
        root = root_name(target)
        self.generic_visit(target)
        if root is not None and root.id != self.context and not self.is_hidden(root.id):
            self._note_change(root)

    def _note_change(self, root: ast.Name) -> None:
        if self.state is None:
            return
        if root.id not in self.state.sure:
            self.changed.setdefault(root.id, root.lineno)
        self.move(self.state.bind(Write(root.id)))
        self._note_write(root.id)

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        """Bind what is imported."""
        for one in bindings([node]):
            self.bind_name(one.name, node)

    visit_ImportFrom = visit_Import


def root_name(node: ast.expr) -> ast.Name | None:
    """Return the name at the root of ``a.b["c"].d``."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node if isinstance(node, ast.Name) else None


def changed_roots(nodes: Iterable[ast.AST]) -> list[ast.Name]:
    """Return the names whose items or attributes are assigned or deleted."""
    items = [node for node in nodes if isinstance(node, ast.Attribute | ast.Subscript)]
    roots = [root_name(node) for node in items if not isinstance(node.ctx, ast.Load)]
    return [root for root in roots if root is not None]

"""Definite assignment: what Python code has surely, perhaps or never bound at each point of it.

The state model: walking the statements in the order in which they run, `Flow.state` holds what is surely and what is
perhaps bound; None is a point that is never reached. Branches are walked apart and joined; a loop is walked until its
state no longer changes; `break`, `continue` and `return` wait in `jumps` for the statement that they lead to; the state
in which an error may leave a block is gathered in `trails`. What counts as a bound variable is the subclass's business.
"""

import ast
from collections.abc import Iterable, Sequence

from cloaca_nb.core.code.state import START, Jump, Point, Trail, join

__all__ = ["Walk"]


class Walk(ast.NodeVisitor):
    """Walks code in the order in which it runs. Made anew for each piece of code."""

    def __init__(self, state: Point = START) -> None:
        self.state = state
        self.statement: ast.stmt | None = None  # the one being walked
        self.conditions = 0  # how many conditions inside of an expression stand around this point
        self.literals: dict[str, object] = {}  # loop variables whose value is known
        self.jumps: list[Jump] = []
        self.trails: list[Trail] = []

    # -- what a subclass fills in

    def bind_target(self, target: ast.expr) -> None:
        """Take in that `target` gets a value."""
        raise NotImplementedError

    def bind_name(self, name: str, node: ast.AST) -> None:
        """Take in that a name gets a value."""
        raise NotImplementedError

    def unbind_name(self, name: str) -> None:
        """Take in that a name has no value any more."""
        raise NotImplementedError

    def leave(self, node: ast.Return) -> None:
        """Take in that the code may end here; `state` is what holds just before."""

    def written_in(self, statements: Sequence[ast.stmt]) -> None:
        """Take in that these statements run after a `return`."""

    def after_block(self, end: Point, raised: Point) -> Point:
        """Return what holds after a block whose errors may have been swallowed: it came to `end`, or was left early."""
        return join(end, raised)

    def unrolls(self, statements: Iterable[ast.AST]) -> bool:  # noqa: ARG002 - a subclass looks at them
        """Say whether a loop over a literal is worth walking once for each element."""
        return False

    # -- moving on

    def move(self, state: Point) -> None:
        """Go on in this state."""
        self.state = state
        for trail in self.trails:
            trail.pass_through(state)

    def block(self, statements: Sequence[ast.stmt]) -> None:
        """Walk statements one after the other, as far as they are reached."""
        for statement in statements:
            if self.state is None:
                return
            self.statement = statement
            self.visit(statement)

    def _from(self, state: Point, statements: Sequence[ast.stmt]) -> Point:
        self.state = state
        self.block(statements)
        return self.state

    def _take(self, mark: int, kind: type[ast.stmt]) -> Point:
        """Take the jumps of a kind that were made since `mark` out of the list and join them."""
        taken = [jump.state for jump in self.jumps[mark:] if jump.kind is kind]
        self.jumps[mark:] = [jump for jump in self.jumps[mark:] if jump.kind is not kind]
        return join(*taken)

    def jump(self, node: ast.stmt) -> None:
        """Take in that the code goes on elsewhere."""
        self.jumps.append(Jump(type(node), self.state))
        self.state = None

    def visit_Break(self, node: ast.Break) -> None:
        """Leave the loop."""
        self.jump(node)

    def visit_Continue(self, node: ast.Continue) -> None:
        """Go to the loop's head."""
        self.jump(node)

    def visit_Return(self, node: ast.Return) -> None:
        """Leave the code."""
        self.generic_visit(node)
        self.leave(node)
        self.jump(node)

    def visit_Raise(self, node: ast.Raise) -> None:
        """Leave the block; its trail has the state."""
        self.generic_visit(node)
        self.state = None

    # -- conditions

    def test(self, node: ast.expr) -> tuple[Point, Point]:
        """Walk a condition; return what holds if it is true and what if it is false."""
        match node:
            case ast.BoolOp():
                return self._test_all(node)
            case ast.UnaryOp(op=ast.Not()):
                true, false = self.test(node.operand)
                return false, true
            case ast.Constant():
                return (self.state, None) if node.value else (None, self.state)
            case _:
                self.visit(node)
                return self.state, self.state

    def _test_all(self, node: ast.BoolOp) -> tuple[Point, Point]:
        is_and = isinstance(node.op, ast.And)
        decided: list[Point] = []
        self.conditions += 1
        for value in node.values:
            true, false = self.test(value)
            self.state = true if is_and else false
            decided.append(false if is_and else true)
        self.conditions -= 1
        return (self.state, join(*decided)) if is_and else (join(*decided), self.state)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        """Walk the values; all but the first are evaluated perhaps."""
        self.state = join(*self.test(node))

    def visit_IfExp(self, node: ast.IfExp) -> None:
        """Walk the condition, then either value."""
        true, false = self.test(node.test)
        ends: list[Point] = []
        self.conditions += 1
        for state, value in ((true, node.body), (false, node.orelse)):
            self.state = state
            self.visit(value)
            ends.append(self.state)
        self.conditions -= 1
        self.state = join(*ends)

    def visit_Compare(self, node: ast.Compare) -> None:
        """Walk the operands; from the third on they are evaluated perhaps."""
        self.visit(node.left)
        self.visit(node.comparators[0])
        self.conditions += 1
        for comparator in node.comparators[1:]:
            before = self.state
            self.visit(comparator)
            self.state = join(before, self.state)
        self.conditions -= 1

    def visit_If(self, node: ast.If) -> None:
        """Walk either branch."""
        true, false = self.test(node.test)
        self.state = join(self._from(true, node.body), self._from(false, node.orelse))

    def visit_Assert(self, node: ast.Assert) -> None:
        """Walk the condition: true from here on."""
        true, false = self.test(node.test)
        self.state = false
        if node.msg is not None and false is not None:
            self.visit(node.msg)
        self.state = true

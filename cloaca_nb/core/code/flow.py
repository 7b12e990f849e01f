"""Definite assignment: what Python code has surely, perhaps or never bound at each point of it.

The state model: walking the statements in the order in which they run, `Flow.state` holds what is surely and what is
perhaps bound; None is a point that is never reached. Branches are walked apart and joined; a loop is walked until its
state no longer changes; `break`, `continue` and `return` wait in `jumps` for the statement that they lead to; the state
in which an error may leave a block is gathered in `trails`. What counts as a bound variable is the subclass's business.
"""
# ruff: noqa: N815 - `ast.NodeVisitor` names its methods after the classes of nodes

import ast
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Final, NamedTuple, TypeAlias

__all__ = ["START", "Flow", "Point", "State", "Trail", "join"]

# Context managers that let errors pass: what their block bound is bound after it. Of others one can't know.
TRANSPARENT: Final = {
    "Lock",
    "NamedTemporaryFile",
    "Pool",
    "ProcessPoolExecutor",
    "RLock",
    "TarFile",
    "TemporaryDirectory",
    "TemporaryFile",
    "ThreadPoolExecutor",
    "ZipFile",
    "catch_warnings",
    "chdir",
    "closing",
    "connect",
    "errstate",
    "localcontext",
    "no_grad",
    "nullcontext",
    "open",
    "option_context",
    "rc_context",
    "redirect_stderr",
    "redirect_stdout",
    "urlopen",
}
UNROLLED: Final = 50  # elements of a literal at most: each walks the loop's body once more


class State(NamedTuple):
    """What is bound at one point of the code."""

    sure: frozenset[Hashable]
    perhaps: frozenset[Hashable]  # what is surely bound included

    def bind(self, *variables: Hashable) -> "State":
        """Return the state in which these are bound."""
        return State(self.sure.union(variables), self.perhaps.union(variables))

    def unbind(self, *variables: Hashable) -> "State":
        """Return the state in which these are not bound."""
        return State(self.sure.difference(variables), self.perhaps.difference(variables))


Point: TypeAlias = State | None  # None: never reached
START: Final = State(frozenset(), frozenset())


def join(*points: Point) -> Point:
    """Return what holds where several ways meet."""
    states = [point for point in points if point is not None]
    if not states:
        return None
    first, *others = states
    return State(
        first.sure.intersection(*(state.sure for state in others)),
        first.perhaps.union(*(state.perhaps for state in others)),
    )


class Trail:
    """Every state that a block passes through, joined: an error may leave it in any of them."""

    def __init__(self, start: Point) -> None:
        self.state = start

    def pass_through(self, state: Point) -> None:
        """Take in one more state."""
        self.state = join(self.state, state)


class Jump(NamedTuple):
    """A `break`, `continue` or `return` under way to where it leads."""

    kind: type[ast.stmt]
    state: Point


class Flow(ast.NodeVisitor):
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

    # -- loops

    def visit_While(self, node: ast.While) -> None:
        """Walk the loop."""
        self._loop(node, lambda: self.test(node.test))

    def visit_For(self, node: ast.For | ast.AsyncFor) -> None:
        """Walk the loop."""
        self.visit(node.iter)
        elements = _elements(node.iter)
        if elements and isinstance(node.target, ast.Name) and self.unrolls(node.body):
            self._unroll(node, node.target, elements)
        else:
            self._loop(node, lambda: self._next(node), at_least_once=bool(elements))

    visit_AsyncFor = visit_For

    def _next(self, node: ast.For | ast.AsyncFor) -> tuple[Point, Point]:
        exhausted = self.state
        self.bind_target(node.target)
        return self.state, exhausted

    def _loop(
        self,
        node: ast.For | ast.AsyncFor | ast.While,
        head: Callable[[], tuple[Point, Point]],
        *,
        at_least_once: bool = False,
    ) -> None:
        mark, broken, entry = len(self.jumps), None, self.state
        while True:
            self.state, self.statement = entry, node
            inside, over = head()
            again = join(self._from(inside, node.body), self._take(mark, ast.Continue))
            broken = join(broken, self._take(mark, ast.Break))
            if at_least_once:
                over = again
            if join(entry, again) == entry:
                break
            entry = join(entry, again)
        self.state = join(self._from(over, node.orelse), broken)

    def _unroll(self, node: ast.For | ast.AsyncFor, target: ast.Name, elements: Sequence[ast.expr]) -> None:
        mark, broken = len(self.jumps), None
        for element in elements:
            self.statement = node
            self.bind_target(target)
            self.literals[target.id] = getattr(element, "value", None)
            self.state = join(self._from(self.state, node.body), self._take(mark, ast.Continue))
            broken = join(broken, self._take(mark, ast.Break))
        self.literals.pop(target.id, None)
        self.state = join(self._from(self.state, node.orelse), broken)

    def comprehend(self, generators: Sequence[ast.comprehension], results: Sequence[ast.expr]) -> None:
        """Walk a comprehension from its first condition on: the first iterable is evaluated outside of it."""
        if not generators:
            for result in results:
                self.visit(result)
            return
        first, *rest = generators
        target = first.target.id if isinstance(first.target, ast.Name) else ""
        for element in _elements(first.iter) or [first.iter]:
            self.literals[target] = getattr(element, "value", None)
            self._comprehend_one(first, rest, results)
        self.literals.pop(target, None)

    def _comprehend_one(
        self, first: ast.comprehension, rest: Sequence[ast.comprehension], results: Sequence[ast.expr]
    ) -> None:
        before = self.state
        for condition in first.ifs:
            self.state, _ = self.test(condition)
        if rest:
            self.visit(rest[0].iter)
        self.comprehend(rest, results)
        self.state = join(before, self.state)

    # -- blocks that catch errors

    def visit_Try(self, node: ast.Try | ast.TryStar) -> None:
        """Walk the block, its handlers, and what comes after it in any case."""
        mark, whole = len(self.jumps), Trail(self.state)
        self.trails.append(whole)
        self._guarded(node)
        self.trails.remove(whole)
        if node.finalbody:
            self._finally(node.finalbody, mark, whole.state)

    visit_TryStar = visit_Try

    def _guarded(self, node: ast.Try | ast.TryStar) -> None:
        caught = Trail(self.state)
        self.trails.append(caught)
        self.block(node.body)
        self.trails.remove(caught)
        self.block(node.orelse)
        ends = [self.state]
        for handler in node.handlers:
            self.state, self.statement = caught.state, node
            self.visit(handler)
            ends.append(self.state)
        self.state = join(*ends)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        """Walk a handler; its name is gone at its end."""
        if node.type is not None:
            self.visit(node.type)
        if node.name is not None:
            self.bind_name(node.name, node)
        self.block(node.body)
        if node.name is not None:
            self.unbind_name(node.name)

    def _finally(self, statements: Sequence[ast.stmt], mark: int, raised: Point) -> None:
        """Walk a `finally` block for each way on which it is reached: by an error, by jumps, by its block's end."""
        end, jumps = self.state, {jump.kind for jump in self.jumps[mark:]}
        waiting = {kind: self._take(mark, kind) for kind in sorted(jumps, key=lambda kind: kind.__name__)}
        self._from(raised, statements)
        for kind, state in waiting.items():
            if kind is ast.Return:
                self.written_in(statements)
            if (after := self._from(state, statements)) is not None:
                self.jumps.append(Jump(kind, after))
        self._from(end, statements)

    def visit_With(self, node: ast.With | ast.AsyncWith) -> None:
        """Walk the block; its context managers may swallow an error."""
        for item in node.items:
            self.visit(item.context_expr)
            if item.optional_vars is not None:
                self.bind_target(item.optional_vars)
        if all(_last_name(item.context_expr) in TRANSPARENT for item in node.items):
            self.block(node.body)
            return
        raised = Trail(self.state)
        self.trails.append(raised)
        self.block(node.body)
        self.trails.remove(raised)
        self.state = self.after_block(self.state, raised.state)

    visit_AsyncWith = visit_With

    # -- match

    def visit_Match(self, node: ast.Match) -> None:
        """Walk each case; a case that didn't match may have bound some of its names."""
        self.visit(node.subject)
        missed, ends = self.state, list[Point]()
        for case in node.cases:
            self.state, self.statement = missed, node
            self.visit(case.pattern)
            tried = self.state
            true, false = self.test(case.guard) if case.guard else (tried, None)
            ends.append(self._from(true, case.body))
            missed = join(false) if _matches_all(case.pattern) else join(missed, tried, false)
        self.state = join(*ends, missed)

    def _capture(self, node: ast.MatchAs | ast.MatchStar | ast.MatchMapping) -> None:
        self.generic_visit(node)
        name = node.rest if isinstance(node, ast.MatchMapping) else node.name
        if name is not None:
            self.bind_name(name, node)

    visit_MatchAs = visit_MatchStar = visit_MatchMapping = _capture


def _elements(node: ast.expr) -> list[ast.expr] | None:
    """Return the elements of a literal sequence that isn't too long, or None."""
    if not isinstance(node, ast.Tuple | ast.List | ast.Set) or len(node.elts) > UNROLLED:
        return None
    return None if any(isinstance(element, ast.Starred) for element in node.elts) else node.elts


def _last_name(node: ast.expr) -> str:
    match node:
        case ast.Call():
            return _last_name(node.func)
        case ast.Attribute():
            return node.attr
        case ast.Name():
            return node.id
        case _:
            return ""


def _matches_all(pattern: ast.pattern) -> bool:
    match pattern:
        case ast.MatchAs(pattern=None):
            return True
        case ast.MatchAs(pattern=inner) if inner is not None:
            return _matches_all(inner)
        case ast.MatchOr():
            return any(map(_matches_all, pattern.patterns))
        case _:
            return False

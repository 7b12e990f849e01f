"""Definite assignment where code repeats, may fail, or chooses by patterns: loops, `try`, `with` and `match`."""
# ruff: noqa: N802, N815 - `ast.NodeVisitor` names its methods after the classes of nodes

import ast
from collections.abc import Callable, Sequence
from typing import Final

from cloaca_nb.core.code.state import Jump, Point, Trail, join
from cloaca_nb.core.code.walk import Walk

__all__ = ["Flow"]

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


class Flow(Walk):
    """Walks all statements in the order in which they run. Made anew for each piece of code."""

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

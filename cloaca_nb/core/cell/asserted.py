"""What a test asserts, compiled so that the values which it looked at can be told when it fails."""

import ast
from collections.abc import Iterator
from types import FrameType, ModuleType
from typing import Any, Final, NamedTuple

__all__ = ["Assertions"]

# What tells nothing by its value, or has no place for another name. The values of names are told from the frame.
UNTOLD: Final = (ast.Constant, ast.Name, ast.Lambda, ast.GeneratorExp, ast.Starred, ast.NamedExpr)


class _Assertion(NamedTuple):
    first_line: int
    last_line: int
    parts: dict[str, str]  # names of variables that no one can have chosen -> the text of what they hold
    names: tuple[str, ...]


class Assertions(ast.NodeTransformer):
    """The assertions of one test. Visiting its tree has each of them keep what it compares; nothing is evaluated twice.

    >>> found = Assertions()
    >>> tree = ast.fix_missing_locations(found.visit(ast.parse("assert len(rows) == 3")))
    >>> try:
    ...     exec(compile(tree, "test", "exec"), {"rows": [1]})
    ... except AssertionError as error:
    ...     list(found.values(error.__traceback__.tb_next.tb_frame, 1))
    [('len(rows)', 1), ('rows', [1])]
    """

    def __init__(self) -> None:
        self._found: list[_Assertion] = []

    def visit_Assert(self, node: ast.Assert) -> list[ast.stmt]:
        """Keep the parts of what is asserted, in variables that are forgotten whenever it is asserted anew."""
        chosen = {f"@{len(self._found)}.{number}": part for number, part in enumerate(_parts(node.test))}
        parts = {name: ast.unparse(part) for name, part in chosen.items()}
        read = [one.id for one in ast.walk(node.test) if isinstance(one, ast.Name)]
        last_line = node.end_lineno or node.lineno
        self._found.append(_Assertion(node.lineno, last_line, parts, tuple(dict.fromkeys(read))))
        node.test = _Keeping(chosen).visit(node.test)
        targets: list[ast.expr] = [ast.Name(name, ast.Store()) for name in chosen]
        forgotten: list[ast.stmt] = [ast.Assign(targets, ast.Constant(...))] if targets else []
        return [*(ast.copy_location(one, node) for one in forgotten), node]

    def values(self, frame: FrameType, line: int) -> Iterator[tuple[str, Any]]:
        """Yield what the assertion that failed has looked at: the text of each part, or a name, with its value.

        Args:
            frame: where it failed.
            line: of the traceback.
        """
        over = [one for one in self._found if one.first_line <= line <= one.last_line]
        for one in over[-1:]:
            kept = ((text, frame.f_locals.get(name, ...)) for name, text in one.parts.items())
            known = ((name, frame.f_locals.get(name, frame.f_globals.get(name, ...))) for name in one.names)
            yield from ((text, value) for text, value in (*kept, *known) if _is_told(value))


class _Keeping(ast.NodeTransformer):
    """Has some parts of an expression kept in variables, on the way to what they are for."""

    def __init__(self, chosen: dict[str, ast.expr]) -> None:
        self._names = {id(part): name for name, part in chosen.items()}

    def visit(self, node: ast.AST) -> Any:
        name = self._names.get(id(node))
        if name is None or not isinstance(node, ast.expr):
            return self.generic_visit(node)
        return ast.NamedExpr(ast.Name(name, ast.Store()), node)


def _parts(test: ast.expr) -> Iterator[ast.expr]:
    """Yield what an asserted expression compares, or asks: the two sides of ==, the object of a method."""
    if isinstance(test, ast.BoolOp):
        for value in test.values:
            yield from _parts(value)
    elif isinstance(test, ast.UnaryOp):
        yield from _parts(test.operand)
    elif isinstance(test, ast.Compare):
        yield from (one for one in (test.left, *test.comparators) if not _is_untold(one))
    elif isinstance(test, ast.Call):
        asked = [test.func.value] if isinstance(test.func, ast.Attribute) else test.args
        yield from (one for one in asked if not _is_untold(one))


def _is_untold(part: ast.expr) -> bool:
    names_nothing = not any(isinstance(one, ast.Name) for one in ast.walk(part))
    return isinstance(part, UNTOLD) or names_nothing  # which stands there as it is, like [1, 2]


def _is_told(value: object) -> bool:
    return value is not ... and not callable(value) and not isinstance(value, ModuleType)

"""The function that a task cell's body stands for: its text, and the function itself, which knows the cell's lines.

One text serves the live notebook, `%cloaca_show` and export. A name that goes to the context is set right before each
exit where it surely has a value; if at some exit it only perhaps has one, it is set after each statement that assigns
it; and if an assignment is part of a larger statement, each exit asks whether the name has a value.
"""

import ast
import io
import json
import tokenize
import warnings
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, TypeAlias

from cloaca_nb.core.cell.body import Body
from cloaca_nb.core.code.bindings import How, bindings, own_scope
from cloaca_nb.core.code.flow import Point
from cloaca_nb.core.code.name_flow import Write
from cloaca_nb.errors import CellError

__all__ = ["FunctionText", "Traffic", "compile_function", "write_function"]

INDENT: Final = "    "
AIRY: Final = 3  # lines of a body from which on blank lines part it from what comes from and goes to the context


class FunctionText(NamedTuple):
    """A function, and where its lines come from.

    Attributes:
        text: "def clean(context): …", with a line end at its end.
        lines: for each line of the text the line of the cell, from 1, that it stands for.
    """

    text: str
    lines: tuple[int, ...]


class Traffic(NamedTuple):
    """What goes between a task and its context.

    Attributes:
        inputs: names that come from the context; `optional` likewise, if they are there.
        sets: names that go to the context.
        explicit: whether the user listed `sets`.
        deletes: names whose keys are deleted where the name is.
    """

    inputs: tuple[str, ...]
    optional: tuple[str, ...]
    sets: tuple[str, ...]
    deletes: tuple[str, ...]
    explicit: bool


class Line(NamedTuple):
    """A line of the text, and the line of the body, from 1, that it stands for; 0: the magic line."""

    text: str
    number: int


def write_function(name: str, body: Body, traffic: Traffic) -> FunctionText:
    """Return the function that a task cell stands for.

    Args:
        name: the task's.
        body: of the cell.
        traffic: what goes between it and the context.
    """
    keyword = "async def" if body.is_async else "def"
    docstring, rest = _parted(body, _edited(body, traffic))
    inputs = [Line(f"{INDENT}{code}", number) for code, number in _input_lines(body, traffic)]
    ending = [Line(f"{INDENT}{code}", number) for code, number in _ending(body, traffic)]
    airy = len({line.number for line in rest if line.text.strip()}) > AIRY
    lines = [Line(f"{keyword} {name}(context):", 0), *docstring]
    lines += [*inputs, *([Line("", inputs[-1].number)] if airy and inputs else []), *rest]
    lines += [*([Line("", ending[0].number)] if airy and len(ending) > 1 else []), *ending]
    numbers = [body.cell_line(line.number) if line.number else 1 for line in lines]
    return FunctionText("".join(f"{line.text}\n" for line in lines), tuple(numbers))


# -- where names are set


@dataclass
class _Placing:
    """Where the names of one body are set."""

    body: Body
    traffic: Traffic
    in_place: frozenset[str] = field(init=False)
    asked: frozenset[str] = field(init=False)  # at each exit, by `if "name" in locals()`

    def __post_init__(self) -> None:
        unclear = {name for name in self.traffic.sets if self._is_unclear(name)}
        writes = self.body.flow.writes
        self.in_place = frozenset(name for name in unclear if all(writes[name].values()))
        self.asked = frozenset(unclear - self.in_place)
        self._refuse_late()

    def _refuse_late(self) -> None:
        """Refuse a name that no line could set: it comes after the exit, and in the middle of a statement."""
        flow = self.body.flow
        for name in sorted(self.asked & flow.late):
            line = self.body.cell_line(max(statement.lineno for statement in flow.writes[name]))
            raise CellError(
                f"Cell line {line}: `{name}` gets its value in `finally` behind a `return`, in the middle of a "
                "statement. Assign it in a statement of its own."
            )

    def _is_unclear(self, name: str) -> bool:
        """Say whether a name may or may not have been assigned at some exit."""
        flow = self.body.flow
        if self._is_given(name):
            return False
        points = [point for point in (*flow.exits.values(), flow.end) if point is not None]
        return name in flow.late or any(
            Write(name) in point.perhaps and Write(name) not in point.sure for point in points
        )

    def _is_given(self, name: str) -> bool:
        """Say whether a name that came from the context is to go back whatever happens to it."""
        came = name in self.traffic.inputs or name in self.traffic.optional
        written = name in self.body.flow.writes
        return came and name not in self.body.flow.deletions and (self.traffic.explicit or not written)

    def at(self, point: Point) -> Iterator[tuple[str, bool]]:
        """Yield the names that are set at an exit, and for each whether it must be asked if it has a value."""
        for name in self.traffic.sets if point is not None else ():
            if self._is_given(name):
                yield name, False
            elif name not in self.in_place and point is not None and Write(name) in point.perhaps:
                yield name, Write(name) not in point.sure


def _set_line(name: str, *, asked: bool) -> str:
    line = f"context[{_quoted(name)}] = {name}"
    return f"if {_quoted(name)} in locals(): {line}" if asked else line


def _set_inline(name: str, *, asked: bool) -> str:
    """Return the same as an expression or simple statement: it stands in a line with others."""
    if asked:
        return f"{_quoted(name)} in locals() and context.set({_quoted(name)}, {name})"
    return _set_line(name, asked=False)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _input_lines(body: Body, traffic: Traffic) -> Iterator[tuple[str, int]]:
    reads = body.flow.reads
    names = [*traffic.inputs, *traffic.optional]
    for name in sorted(names, key=lambda name: reads[name].place if name in reads else (len(body.lines) + 1, 0)):
        number = reads[name].place[0] if name in reads else _first_statement(body)
        if name in traffic.optional:
            yield f"{name} = context.get({_quoted(name)})", number
        else:
            yield f"{name} = context[{_quoted(name)}]", number


def _first_statement(body: Body) -> int:
    return body.statements[0].lineno if body.statements else 0


def _ending(body: Body, traffic: Traffic) -> Iterator[tuple[str, int]]:
    flow = body.flow
    last = (body.statements[-1].end_lineno or 0) if body.statements else 0
    if flow.end is None:
        return
    for name, asked in _Placing(body, traffic).at(flow.end):
        statements = flow.writes.get(name)
        yield _set_line(name, asked=asked), list(statements)[-1].lineno if statements else last
    yield "return context", last


# -- edits


Extra: TypeAlias = tuple[str, int]  # a line of code, and the line of the body that it stands for


@dataclass
class _Edits:
    """What is put between the author's lines, and into them. Lines and columns count from 0, columns in characters."""

    lines: list[str]
    strings: frozenset[int]  # lines that begin inside of a string
    before: dict[int, list[Line]] = field(default_factory=lambda: defaultdict(list))
    after: dict[int, list[Line]] = field(default_factory=lambda: defaultdict(list))
    inline: dict[int, list[tuple[int, str]]] = field(default_factory=lambda: defaultdict(list))

    def put_before(self, statement: ast.stmt, names: Sequence[tuple[str, bool]]) -> None:
        """Set names before a statement."""
        row, column = _start(self.lines, statement)
        for name, asked in names:
            if self._starts_line(row, column):
                indent = self.lines[row][:column]
                self.before[row].append(Line(indent + _set_line(name, asked=asked), row + 1))
            else:
                self.inline[row].append((column, f"{_set_inline(name, asked=asked)}; "))

    def put_after(self, statement: ast.stmt, code: str) -> None:
        """Add a simple statement behind a statement."""
        row, column = _start(self.lines, statement)
        end_row, end_column = _end(self.lines, statement)
        rest = self.lines[end_row][end_column:].strip()
        if self._starts_line(row, column) and (not rest or rest.startswith("#")):
            self.after[end_row].append(Line(self.lines[row][:column] + code, row + 1))
        else:
            self.inline[end_row].append((end_column, f"; {code}"))

    def put_in(self, row: int, column: int, code: str) -> None:
        """Add code in the middle of a line."""
        self.inline[row].append((column, code))

    def _starts_line(self, row: int, column: int) -> bool:
        continued = row > 0 and self.lines[row - 1].endswith("\\") and row not in self.strings
        return not self.lines[row][:column].strip() and not continued

    def apply(self) -> Iterator[Line]:
        """Yield all lines, indented as a function's body."""
        for row, line in enumerate(self.lines):
            yield from map(_indented, self.before.get(row, ()))
            # From right to left, so that columns hold; what was put in one place keeps its order.
            inline = enumerate(self.inline.get(row, ()))
            for _, (column, code) in sorted(inline, key=lambda edit: (edit[1][0], edit[0]), reverse=True):
                line = line[:column] + code + line[column:]  # noqa: PLW2901 - the line as edited so far
            edited = Line(line, row + 1)
            yield edited if row in self.strings else _indented(edited)
            yield from map(_indented, self.after.get(row, ()))


def _indented(line: Line) -> Line:
    return line._replace(text=INDENT + line.text if line.text.strip() else "")


def _start(lines: Sequence[str], node: ast.stmt | ast.expr) -> tuple[int, int]:
    return node.lineno - 1, _characters(lines[node.lineno - 1], node.col_offset)


def _end(lines: Sequence[str], node: ast.stmt | ast.expr) -> tuple[int, int]:
    row = (node.end_lineno or node.lineno) - 1
    return row, _characters(lines[row], node.end_col_offset or 0)


def _characters(line: str, byte_column: int) -> int:
    return len(line.encode()[:byte_column].decode())


def _edited(body: Body, traffic: Traffic) -> list[Line]:
    """Return the author's lines with all that goes between them, indented as a function's body."""
    edits = _Edits(body.lines, _lines_in_strings(body.text))
    placing = _Placing(body, traffic)
    _edit_returns(edits, body, placing)
    _edit_writes(edits, body, placing)
    _edit_annotations(edits, body)
    return list(edits.apply())


def _edit_returns(edits: _Edits, body: Body, placing: _Placing) -> None:
    for node in own_scope(body.statements):
        if isinstance(node, ast.Return):
            edits.put_before(node, list(placing.at(body.flow.exits.get(node))))
            if node.value is None:
                edits.put_in(*_end(body.lines, node), " context")


def _edit_writes(edits: _Edits, body: Body, placing: _Placing) -> None:
    for name in placing.traffic.sets:
        for statement in body.flow.writes[name] if name in placing.in_place else ():
            edits.put_after(statement, _set_line(name, asked=False))
    for name, statements in body.flow.deletions.items():
        if name in placing.in_place or name in placing.traffic.deletes:
            for statement in statements:
                edits.put_after(statement, f"context.delete({_quoted(name)})")


def _edit_annotations(edits: _Edits, body: Body) -> None:
    """Put `x: int` in brackets, where that is all: else the function would take a name from outside for its own."""
    bound = {one.name for one in bindings(body.statements) if one.how is not How.ANNOTATION}
    for one in bindings(body.statements):
        if one.how is How.ANNOTATION and one.name not in bound and isinstance(one.node, ast.Name):
            edits.put_in(*_start(body.lines, one.node), "(")
            edits.put_in(*_end(body.lines, one.node), ")")


def _lines_in_strings(text: str) -> frozenset[int]:
    """Return the lines, from 0, that begin inside of a string: to indent them would change it."""
    inside: set[int] = set()
    open_at: list[int] = []
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        kind = tokenize.tok_name[token.type]
        if kind == "STRING":
            inside.update(range(token.start[0], token.end[0]))
        elif kind in {"FSTRING_START", "TSTRING_START"}:  # from Python 3.12 on
            open_at.append(token.start[0])
        elif kind in {"FSTRING_END", "TSTRING_END"}:
            inside.update(range(open_at.pop(), token.end[0]))
    return frozenset(inside)


def _parted(body: Body, lines: list[Line]) -> tuple[list[Line], list[Line]]:
    """Part the docstring, with what stands above it, from the rest; blank lines at the ends are left out."""
    docstring = _docstring(body)
    if docstring is None:
        return [], _stripped(lines)
    first, last = docstring.lineno, docstring.end_lineno or docstring.lineno
    head = [line for line in lines if line.number <= last]
    # Its later lines were left as they are, as in any string; but whoever reads it takes an indentation off again.
    head = [_indented(line) if line.number > first else line for line in head]
    return _stripped(head), _stripped([line for line in lines if line.number > last])


def _docstring(body: Body) -> ast.Expr | None:
    """Return the docstring, if it has its lines for itself."""
    match body.statements:
        case [ast.Expr(value=ast.Constant(value=str())) as first, *_]:
            row, column = _end(body.lines, first)
            rest = body.lines[row][column:].strip()
            return first if not rest or rest.startswith("#") else None
        case _:
            return None


def _stripped(lines: list[Line]) -> list[Line]:
    filled = [place for place, line in enumerate(lines) if line.text.strip()]
    return lines[filled[0] : filled[-1] + 1] if filled else []


# -- the function itself


def compile_function(text: FunctionText, filename: str, namespace: dict[str, Any]) -> Callable[..., Any]:
    """Make the function, so that tracebacks and debuggers see the lines of the cell.

    Args:
        text: of the function.
        filename: by which tracebacks find the cell.
        namespace: the function's globals; no name is added.

    Raises:
        SyntaxError: if the text is no Python.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they would name the lines of the text
        tree = ast.parse(text.text, filename)
    strings = _lines_in_strings(text.text)
    for node in ast.walk(tree):
        _move(node, text.lines, strings)
    scratch: dict[str, Any] = {}
    exec(compile(tree, filename, "exec", dont_inherit=True), namespace, scratch)  # noqa: S102 - the user's own code
    (function,) = scratch.values()
    made: Callable[..., Any] = function
    return made


def _move(node: ast.AST, lines: Sequence[int], strings: Collection[int]) -> None:
    """Give a node of the text the place of the cell that it stands for."""
    if not isinstance(node, ast.stmt | ast.expr | ast.excepthandler | ast.arg | ast.keyword | ast.alias | ast.pattern):
        return
    end_line, end_column = node.end_lineno or node.lineno, node.end_col_offset or node.col_offset
    node.col_offset = _outdented(node.lineno, node.col_offset, strings)
    node.end_col_offset = _outdented(end_line, end_column, strings)
    node.lineno, node.end_lineno = lines[node.lineno - 1], max(lines[end_line - 1], lines[node.lineno - 1])
    if node.lineno == node.end_lineno:
        node.end_col_offset = max(node.end_col_offset, node.col_offset)


def _outdented(line: int, column: int, strings: Collection[int]) -> int:
    return column if line - 1 in strings else max(column - len(INDENT), 0)

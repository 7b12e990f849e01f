"""The text of the function that a task cell's body stands for; live notebook, `%cloaca_show` and export share it."""

import ast
from collections.abc import Iterator
from typing import Final, NamedTuple

from cloaca_nb.core.cell.body import Body
from cloaca_nb.core.cell.edits import INDENT, Edits, Line, end, indented, lines_in_strings, start
from cloaca_nb.core.cell.placing import Placing, Traffic, quoted, set_line
from cloaca_nb.core.code.bindings import How, bindings, own_scope

__all__ = ["FunctionText", "write_function"]

AIRY: Final = 3  # lines of a body from which on blank lines part it from what comes from and goes to the context


class FunctionText(NamedTuple):
    """A function, and where its lines come from.

    Attributes:
        text: "def clean(context): …", with a line end at its end.
        lines: for each line of the text the line of the cell, from 1, that it stands for.
    """

    text: str
    lines: tuple[int, ...]


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


def _input_lines(body: Body, traffic: Traffic) -> Iterator[tuple[str, int]]:
    reads = body.flow.reads
    names = [*traffic.inputs, *traffic.optional]
    for name in sorted(names, key=lambda name: reads[name].place if name in reads else (len(body.lines) + 1, 0)):
        number = reads[name].place[0] if name in reads else _first_statement(body)
        if name in traffic.optional:
            yield f"{name} = context.get({quoted(name)})", number
        else:
            yield f"{name} = context[{quoted(name)}]", number


def _first_statement(body: Body) -> int:
    return body.statements[0].lineno if body.statements else 0


def _ending(body: Body, traffic: Traffic) -> Iterator[tuple[str, int]]:
    flow = body.flow
    last = (body.statements[-1].end_lineno or 0) if body.statements else 0
    if flow.end is None:
        return
    for name, asked in Placing(body, traffic).at(flow.end):
        statements = flow.writes.get(name)
        yield set_line(name, asked=asked), list(statements)[-1].lineno if statements else last
    yield "return context", last


def _edited(body: Body, traffic: Traffic) -> list[Line]:
    """Return the author's lines with all that goes between them, indented as a function's body."""
    edits = Edits(body.lines, lines_in_strings(body.text))
    placing = Placing(body, traffic)
    _edit_returns(edits, body, placing)
    _edit_writes(edits, body, placing)
    _edit_annotations(edits, body)
    return list(edits.apply())


def _edit_returns(edits: Edits, body: Body, placing: Placing) -> None:
    for node in own_scope(body.statements):
        if isinstance(node, ast.Return):
            edits.put_before(node, list(placing.at(body.flow.exits.get(node))))
            if node.value is None:
                edits.put_in(*end(body.lines, node), " context")


def _edit_writes(edits: Edits, body: Body, placing: Placing) -> None:
    for name in placing.traffic.sets:
        for statement in body.flow.writes[name] if name in placing.in_place else ():
            edits.put_after(statement, set_line(name, asked=False))
    for name, statements in body.flow.deletions.items():
        if name in placing.in_place or name in placing.traffic.deletes:
            for statement in statements:
                edits.put_after(statement, f"context.delete({quoted(name)})")


def _edit_annotations(edits: Edits, body: Body) -> None:
    """Put `x: int` in brackets, where that is all: else the function would take a name from outside for its own."""
    bound = {one.name for one in bindings(body.statements) if one.how is not How.ANNOTATION}
    for one in bindings(body.statements):
        if one.how is How.ANNOTATION and one.name not in bound and isinstance(one.node, ast.Name):
            edits.put_in(*start(body.lines, one.node), "(")
            edits.put_in(*end(body.lines, one.node), ")")


def _parted(body: Body, lines: list[Line]) -> tuple[list[Line], list[Line]]:
    """Part the docstring, with what stands above it, from the rest; blank lines at the ends are left out."""
    docstring = _docstring(body)
    if docstring is None:
        return [], _stripped(lines)
    first, last = docstring.lineno, docstring.end_lineno or docstring.lineno
    head = [line for line in lines if line.number <= last]
    # Its later lines were left as they are, as in any string; but whoever reads it takes an indentation off again.
    head = [indented(line) if line.number > first else line for line in head]
    return _stripped(head), _stripped([line for line in lines if line.number > last])


def _docstring(body: Body) -> ast.Expr | None:
    """Return the docstring, if it has its lines for itself."""
    match body.statements:
        case [ast.Expr(value=ast.Constant(value=str())) as first, *_]:
            row, column = end(body.lines, first)
            rest = body.lines[row][column:].strip()
            return first if not rest or rest.startswith("#") else None
        case _:
            return None


def _stripped(lines: list[Line]) -> list[Line]:
    filled = [place for place, line in enumerate(lines) if line.text.strip()]
    return lines[filled[0] : filled[-1] + 1] if filled else []

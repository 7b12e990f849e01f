"""The text of an entry module taken apart: its head, and what came from each cell, above the workflow or in it."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from cloaca_nb.errors import PackageError
from cloaca_nb.packaging.analysis.quiet import parse
from cloaca_nb.packaging.export.layout import dedented
from cloaca_nb.packaging.export.provenance import read_provenance

__all__ = ["Module", "Section", "read_module"]

_SOURCE: Final = re.compile(r"exported from (?P<notebook>.+)\.ipynb\.$")
_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)
_DEFINITIONS: Final = (*_FUNCTIONS, ast.ClassDef)


@dataclass(frozen=True, slots=True)
class Section:
    """Some statements of a module that belong into one cell.

    Attributes:
        cell: the cell's id.
        text: the statements with their comments, not indented.
        in_block: whether they stand in the workflow's block.
    """

    cell: str
    text: str
    in_block: bool


@dataclass(frozen=True, slots=True)
class Module:
    """An entry module.

    Attributes:
        notebook: the name of the notebook that it was exported from; empty where it doesn't say so.
        workflow: the name of its workflow; empty where that stands in none of its blocks.
        imports: its import statements.
        sections: everything else, in the module's order.
    """

    notebook: str
    workflow: str
    imports: str
    sections: tuple[Section, ...]


def read_module(text: str) -> Module:
    """Take the text of an entry module apart, by the comments that an export has put into it.

    One that was written by hand is parted at its statements: a cell for each function and class, and for each task.

    Raises:
        PackageError: if it is no Python.
    """
    try:
        nodes = parse(text).body
    except SyntaxError as error:
        raise PackageError(f"The module is no Python: line {error.lineno}: {error.msg}.") from None
    reading = _Reading(text, nodes)
    docstring = ast.get_docstring(ast.Module(nodes[:1], []), clean=False) if nodes else None
    source = _SOURCE.search((docstring or "").partition("\n")[0])
    return Module(
        notebook=source["notebook"] if source else "",
        workflow=reading.workflow,
        imports="\n".join(reading.imports),
        sections=tuple(reading.sections),
    )


class _Reading:
    """Goes through a module once, from top to bottom."""

    def __init__(self, text: str, nodes: Sequence[ast.stmt]) -> None:
        self._lines = text.split("\n")
        self._marks = dict(_marks(text))
        self._cell = ""
        self._names: set[str] = set()
        self.workflow = ""
        self.imports: list[str] = []
        self.sections: list[Section] = []
        begin = 1
        for number, node in enumerate(nodes):
            end = node.end_lineno or node.lineno
            if isinstance(node, ast.Import | ast.ImportFrom):
                self.imports += [line for line in self._slice(begin, end).split("\n") if line.strip() or self.imports]
            elif number > 0 or not _is_text(node):
                self._statement(node, begin, end)
            begin = end + 1
        self._trail(self._slice(begin, len(self._lines)))

    def _statement(self, node: ast.stmt, begin: int, end: int) -> None:
        name = _block_name(node)
        self.workflow = self.workflow or name
        if isinstance(node, ast.With) and name and self._is_made(node, begin):
            above = node.body[0].lineno if len(node.items) else begin
            start = node.items[-1].context_expr.end_lineno or node.lineno
            for number, one in enumerate(node.body):
                first = start + 1 if number == 0 else above
                last = one.end_lineno or one.lineno
                self._add(one, first, last, in_block=True)
                above = last + 1
        elif not _is_main_guard(node):
            self._add(node, begin, end, in_block=False)

    def _is_made(self, node: ast.With, begin: int) -> bool:
        """Say whether a block can be taken apart: an export made it, or it holds tasks and nothing else."""
        if self._marks:
            return not any(begin <= line < node.lineno for line in self._marks)
        return all(isinstance(one, _FUNCTIONS) and one.decorator_list for one in node.body)

    def _add(self, node: ast.stmt, begin: int, end: int, *, in_block: bool) -> None:
        """Add a statement with what stands above it: to the cell that a comment there names, else to the last one."""
        marked = [line for line in range(begin, end + 1) if line in self._marks]
        if marked:
            self._trail(self._slice(begin, marked[0] - 1))
            self._cell, begin = self._marks[marked[0]], marked[0] + 1
        text = self._slice(begin, end)
        text = dedented(text) if in_block else text
        last = self.sections[-1] if self.sections else None
        joins = not marked if self._marks else not isinstance(node, _DEFINITIONS) and not in_block
        is_plain = last is not None and (self._marks or not _defines(last.text))
        if last is not None and joins and is_plain and last.in_block is in_block:
            self.sections[-1] = Section(last.cell, f"{last.text}\n{text}", in_block)
            return
        cell = self._cell if self._marks else self._free_name(getattr(node, "name", "") or "constants")
        self.sections.append(Section(cell, text.strip("\n"), in_block))

    def _trail(self, text: str) -> None:
        """Keep the comments that stand below the last statement of a cell."""
        if text.strip() and self.sections:
            last = self.sections[-1]
            own = dedented(text) if last.in_block else text
            self.sections[-1] = Section(last.cell, f"{last.text}\n{own.rstrip()}", last.in_block)

    def _slice(self, begin: int, end: int) -> str:
        return "\n".join(self._lines[begin - 1 : end])

    def _free_name(self, name: str) -> str:
        """Return an id for the cell of something that is called so."""
        wanted = re.sub(r"[^\w-]", "_", name, flags=re.ASCII)[:60] or "cell"
        found = wanted
        number = 1
        while found in self._names:
            number += 1
            found = f"{wanted}-{number}"
        self._names.add(found)
        return found


def _marks(text: str) -> Iterator[tuple[int, str]]:
    """Yield line and cell of each comment that says where something comes from."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT and (found := read_provenance(token.string)) is not None:
            yield token.start[0], found.cell


def _block_name(node: ast.stmt) -> str:
    """Return the name of the workflow that a ``with WorkflowBuilder("name")`` statement builds; else nothing."""
    calls = [one.context_expr for one in node.items] if isinstance(node, ast.With) else []
    for call in calls:
        match call:
            case ast.Call(
                func=ast.Attribute(attr="WorkflowBuilder") | ast.Name(id="WorkflowBuilder"),
                args=[ast.Constant(value=str(name)), *_],
            ):
                return name
    return ""


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_main_guard(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and "__name__" in ast.unparse(node.test)


def _defines(text: str) -> bool:
    return any(isinstance(one, _DEFINITIONS) for one in parse(text).body)

"""What is put between the lines of a task cell's body, and into them, to make it the body of a function."""

import ast
import io
import tokenize
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from cloaca_nb.core.cell.placing import set_inline, set_line

__all__ = ["INDENT", "Edits", "Line", "end", "indented", "lines_in_strings", "start"]

INDENT: Final = "    "


class Line(NamedTuple):
    """A line of the text, and the line of the body, from 1, that it stands for; 0: the magic line."""

    text: str
    number: int


@dataclass
class Edits:
    """What is put between the author's lines, and into them. Lines and columns count from 0, columns in characters."""

    lines: list[str]
    strings: frozenset[int]  # lines that begin inside of a string
    before: dict[int, list[Line]] = field(default_factory=lambda: defaultdict(list))
    after: dict[int, list[Line]] = field(default_factory=lambda: defaultdict(list))
    inline: dict[int, list[tuple[int, str]]] = field(default_factory=lambda: defaultdict(list))

    def put_before(self, statement: ast.stmt, names: Sequence[tuple[str, bool]]) -> None:
        """Set names before a statement."""
        row, column = start(self.lines, statement)
        for name, asked in names:
            if self._starts_line(row, column):
                indent = self.lines[row][:column]
                self.before[row].append(Line(indent + set_line(name, asked=asked), row + 1))
            else:
                self.inline[row].append((column, f"{set_inline(name, asked=asked)}; "))

    def put_after(self, statement: ast.stmt, code: str) -> None:
        """Add a simple statement behind a statement."""
        row, column = start(self.lines, statement)
        end_row, end_column = end(self.lines, statement)
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
            yield from map(indented, self.before.get(row, ()))
            # From right to left, so that columns hold; what was put in one place keeps its order.
            inline = enumerate(self.inline.get(row, ()))
            for _, (column, code) in sorted(inline, key=lambda edit: (edit[1][0], edit[0]), reverse=True):
                line = line[:column] + code + line[column:]  # noqa: PLW2901 - the line as edited so far
            edited = Line(line, row + 1)
            yield edited if row in self.strings else indented(edited)
            yield from map(indented, self.after.get(row, ()))


def indented(line: Line) -> Line:
    """Return a line as one of a function's body."""
    return line._replace(text=INDENT + line.text if line.text.strip() else "")


def start(lines: Sequence[str], node: ast.stmt | ast.expr) -> tuple[int, int]:
    """Return the row and the column of the first character, both from 0."""
    return node.lineno - 1, _characters(lines[node.lineno - 1], node.col_offset)


def end(lines: Sequence[str], node: ast.stmt | ast.expr) -> tuple[int, int]:
    """Return the row of the last character and the column behind it, both from 0."""
    row = (node.end_lineno or node.lineno) - 1
    return row, _characters(lines[row], node.end_col_offset or 0)


def _characters(line: str, byte_column: int) -> int:
    return len(line.encode()[:byte_column].decode())


def lines_in_strings(text: str) -> frozenset[int]:
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

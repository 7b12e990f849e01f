"""The entry module's text: imports, constants, helpers, then the workflow with its tasks, as if written by hand."""

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from cloaca_nb.packaging.analysis.defaults import Default
from cloaca_nb.packaging.analysis.imports import OUR_NAMES, Import, import_block
from cloaca_nb.packaging.analysis.notebook import Cell
from cloaca_nb.packaging.analysis.quiet import parse
from cloaca_nb.packaging.analysis.statements import Statement
from cloaca_nb.packaging.export.layout import indented, spaced
from cloaca_nb.packaging.export.project import quoted
from cloaca_nb.packaging.export.provenance import provenance_line

__all__ = ["ModuleText", "Part", "function_name"]

DEFINITIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


class Part(NamedTuple):
    """The text of a task, or of another statement of the workflow's block, and the cell that it comes from."""

    cell: Cell
    text: str


WIDTH: Final = 84  # characters of a call on one line: indented, it ends where most formatters end a line


@dataclass(frozen=True, slots=True)
class ModuleText:
    """The parts of an entry module.

    Attributes:
        notebook: the name of the notebook's file, without folder and suffix.
        import_name: "cloaca_nb", or "cloaca" for the other engine.
        imports: what is imported, our own library aside.
        local_names: top-level names of modules that are carried along.
        statements: constants and helpers, in document order.
        workflow_name: the workflow's.
        defaults: its parameters, by their cells.
        secret: those whose values are not exported, by their cells.
        tasks: in document order.
        block: the notebook's own `with WorkflowBuilder` statement, instead of all the last three.
        names: every name that is used, so that the builder gets another one.
    """

    notebook: str
    import_name: str
    imports: Iterable[Import]
    local_names: Iterable[str]
    statements: Sequence[Statement]
    workflow_name: str
    defaults: Mapping[Cell, Sequence[Default]]
    secret: Mapping[Cell, Sequence[str]]
    tasks: Sequence[Part]
    block: Part | None
    names: frozenset[str]

    def text(self) -> str:
        """Return the module."""
        others = (one.of(self.import_name) if one.module in OUR_NAMES else one for one in self.imports)
        imports = import_block([*self._ours(), *others], set(self.local_names))
        title = f"The workflow {self.workflow_name}, exported from {self.notebook}.ipynb."
        docstring = f'"""{title}"""'.replace("\\", "\\\\")
        head, body, tasks = f"{docstring}\n\n{imports}", spaced(self.statements, self._line), self._workflow()
        ends = [one.node for one in (*self.statements[:1], *self.statements[-1:])]
        above, below = (3 if isinstance(one, DEFINITIONS) else 2 for one in ends or (None, None))
        return "".join([head, *(["\n" * above, body] if body else []), "\n" * below, tasks, "\n"])

    def _line(self, cell: Cell) -> str:
        return provenance_line(self.notebook, cell)

    def _ours(self) -> list[Import]:
        """Return the import of our library, which a block of the notebook's own may spell in another way."""
        needed = self.block is None or "cloaca" in self.names
        return [Import(self.import_name, None, None if self.import_name == "cloaca" else "cloaca")] if needed else []

    def _workflow(self) -> str:
        if self.block is not None:
            return self._placed(self.block)
        builder = "workflow_builder" if "builder" in self.names else "builder"
        parts = [Part(cell, "\n".join(self._of_cell(builder, cell))) for cell in self.defaults]
        head = f"with cloaca.WorkflowBuilder({quoted(self.workflow_name)}) as {builder}:"
        return f"{head}\n{self._body([*parts, *self.tasks])}"

    def _of_cell(self, builder: str, cell: Cell) -> Iterator[str]:
        """Yield the calls that say what a parameters cell does."""
        yield from _parameters(builder, self.defaults[cell])
        if self.secret[cell]:
            yield f"{builder}.secret({', '.join(map(quoted, self.secret[cell]))})"

    def _body(self, parts: Sequence[Part]) -> str:
        pairs = zip(parts, [None, *(one.cell for one in parts)], strict=False)
        texts = (one.text.strip("\n") if one.cell is above else self._placed(one) for one, above in pairs)
        return "\n\n".join(map(indented, texts))

    def _placed(self, part: Part) -> str:
        return self._line(part.cell) + "\n" + part.text.strip("\n")


def _parameters(builder: str, defaults: Sequence[Default]) -> Iterator[str]:
    """Yield the calls that name the parameters, and those that follow from others."""
    for method, is_derived in (("parameters", False), ("derived_parameters", True)):
        own = [one for one in defaults if bool(one.derived_from) is is_derived]
        if own:
            yield _call(f"{builder}.{method}", own)


def _call(function: str, arguments: Sequence[Default]) -> str:
    """Write a call on one line where it fits and nothing is remarked on, else with a line for each argument."""
    short = f"{function}({', '.join(f'{one.name}={_value(one)}' for one in arguments)})"
    has_remarks = any(one.above or one.beside for one in arguments)
    if len(short) <= WIDTH and "\n" not in short and not has_remarks:
        return short
    lines = [line for one in arguments for line in (*one.above, f"{one.name}={_value(one)},{one.beside}")]
    return f"{function}(\n{indented(chr(10).join(lines))}\n)"


def _value(default: Default) -> str:
    """Return what a parameter's default is, or how it is worked out."""
    return f"lambda {', '.join(default.derived_from)}: {default.source}" if default.derived_from else default.source


def function_name(text: str) -> str:
    """Return the name of the function that a task's text defines."""
    return next(one.name for one in parse(text).body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef))

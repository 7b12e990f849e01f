"""The entry module's text: imports, constants, helpers, then the workflow with its tasks, as if written by hand."""

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cloaca_nb.packaging.defaults import Default
from cloaca_nb.packaging.imports import OUR_NAMES, Import, import_block
from cloaca_nb.packaging.layout import indented, spaced
from cloaca_nb.packaging.project import quoted
from cloaca_nb.packaging.quiet import parse
from cloaca_nb.packaging.statements import Statement

__all__ = ["ModuleText", "function_name", "left_out"]

WIDTH: Final = 84  # characters of a call on one line: indented, it ends where most formatters end a line


@dataclass(frozen=True, slots=True)
class ModuleText:
    """The parts of an entry module.

    Attributes:
        docstring: its first line.
        import_name: "cloaca_nb", or "cloaca" for the other engine.
        imports: what is imported, our own library aside.
        local_names: top-level names of modules that are carried along.
        statements: constants and helpers, in document order.
        workflow_name: the workflow's.
        defaults: its parameters.
        tasks: the text of each task, in document order.
        block: the notebook's own `with WorkflowBuilder` statement, instead of all the last three.
        names: every name that is used, so that the builder gets another one.
    """

    docstring: str
    import_name: str
    imports: Iterable[Import]
    local_names: Iterable[str]
    statements: Sequence[Statement]
    workflow_name: str
    defaults: Sequence[Default]
    tasks: Sequence[str]
    block: str | None
    names: frozenset[str]

    def text(self) -> str:
        """Return the module."""
        others = (one.of(self.import_name) if one.module in OUR_NAMES else one for one in self.imports)
        imports = import_block([*self._ours(), *others], set(self.local_names))
        parts = [f'"""{self.docstring}"""', imports, spaced(self.statements), self._workflow()]
        return _joined([part for part in parts if part], self.statements) + "\n"

    def _ours(self) -> list[Import]:
        """Return the import of our library, which a block of the notebook's own may spell in another way."""
        needed = self.block is None or "cloaca" in self.names
        return [Import(self.import_name, None, None if self.import_name == "cloaca" else "cloaca")] if needed else []

    def _workflow(self) -> str:
        if self.block is not None:
            return self.block
        builder = "workflow_builder" if "builder" in self.names else "builder"
        parameters = "\n".join(self._parameters(builder))
        body = "\n\n".join([*([parameters] if parameters else []), *(task.strip("\n") for task in self.tasks)])
        return f"with cloaca.WorkflowBuilder({quoted(self.workflow_name)}) as {builder}:\n{indented(body)}"

    def _parameters(self, builder: str) -> Iterator[str]:
        """Yield the calls that name the parameters, and those that follow from others."""
        for method, is_derived in (("parameters", False), ("derived_parameters", True)):
            own = [one for one in self.defaults if bool(one.derived_from) is is_derived]
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


def _joined(parts: Sequence[str], statements: Sequence[Statement]) -> str:
    """Join the parts of a module: two blank lines where a definition is at the seam, else one."""
    text = parts[0]
    for number, part in enumerate(parts[1:], 1):
        text += ("\n\n\n" if _defines(part, statements, above=parts[number - 1]) else "\n\n") + part
    return text


def _defines(part: str, statements: Sequence[Statement], *, above: str) -> bool:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    if statements and part.startswith(statements[0].text):
        return isinstance(statements[0].node, kinds)
    return bool(statements) and above.endswith(statements[-1].text) and isinstance(statements[-1].node, kinds)


def function_name(text: str) -> str:
    """Return the name of the function that a task's text defines."""
    return next(one.name for one in parse(text).body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef))


def left_out(statements: Iterable[Statement], carried: Iterable[Statement], used: Mapping[Import, str]) -> list[str]:
    """Return a line for each statement that isn't carried; of imports those of which nothing is used."""
    known = set(carried)
    wheres = set(used.values())
    return [
        f"{one.where}: {one.first_line.strip()}"
        for one in statements
        if one not in known and not (isinstance(one.node, ast.Import | ast.ImportFrom) and one.where in wheres)
    ]

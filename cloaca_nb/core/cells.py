"""The grammar of a task cell: text <-> TaskCell <-> the text of the equivalent function with its decorator."""

import ast
import builtins
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

from cloaca_nb.core.cell.body import Body, parse_statements, read_body
from cloaca_nb.core.cell.compiled import compile_function
from cloaca_nb.core.cell.function_text import FunctionText, write_function
from cloaca_nb.core.cell.option_line import parse_options
from cloaca_nb.core.cell.options import TaskOptions, decorator_arguments
from cloaca_nb.core.cell.placing import Traffic
from cloaca_nb.core.cell.secret_line import secret_names
from cloaca_nb.core.names import BodyNames, Keys
from cloaca_nb.errors import CellError, near_miss

__all__ = [
    "FunctionText",
    "ParamsCell",
    "Resolution",
    "TaskCell",
    "compile_function",
    "function_text",
    "is_params_cell",
    "is_task_cell",
    "keys_of",
    "parse_params_cell",
    "parse_task_cell",
    "resolve",
    "task_text",
]

TASK_LINE: Final = re.compile(r"%%cloaca_task(?=\s|$)(?P<rest>.*)")
PARAMS_LINE: Final = re.compile(r"%%cloaca_params(?=\s|$)(?P<rest>.*)")
OPTION_LINE: Final = re.compile(r"#\|\s*(?P<key>[^:\s]*)\s*(?P<colon>:?)\s*(?P<value>.*)")
BUILTINS: Final = frozenset(dir(builtins))
WIDTH: Final = 88  # characters of a decorator before it takes a line for each option


@dataclass(frozen=True)
class TaskCell:
    """A task cell.

    Attributes:
        id: the task's name.
        options: as the user gave them.
        body: the text below the magic line and the lines of options.
        first_line: the line of the cell, from 1, where the body starts.
    """

    id: str
    options: TaskOptions
    body: str
    first_line: int

    @property
    def names(self) -> BodyNames:
        """What the body does with its names."""
        return self.code.names

    @cached_property
    def code(self) -> Body:
        """The body, understood."""
        return read_body(self.body, self.first_line)


@dataclass(frozen=True)
class ParamsCell:
    """A parameters cell.

    Attributes:
        names: of the parameters, in order.
        body: the text below the magic line.
        first_line: the line of the cell, from 1, where the body starts.
        values: for each name the text of its default.
        secret: those of the names whose values are never shown or kept.
    """

    names: tuple[str, ...]
    body: str
    first_line: int
    values: Mapping[str, str]
    secret: tuple[str, ...] = ()


def is_task_cell(text: str) -> bool:
    """Say whether the text of a cell makes it a task."""
    return TASK_LINE.fullmatch(_first_line(text)) is not None


def is_params_cell(text: str) -> bool:
    """Say whether the text of a cell makes it one of parameters."""
    return PARAMS_LINE.fullmatch(_first_line(text)) is not None


def parse_task_cell(text: str) -> TaskCell:
    r"""Understand the whole text of a task cell, its magic line included.

    Raises:
        CellError: a ValueError that names the line and the fix.

    >>> parse_task_cell("%%cloaca_task double --after load\ntwice = 2 * number").names.reads
    ('number',)
    """
    rest, comments, body, first_line = _split(TASK_LINE, text, "%%cloaca_task NAME")
    task_id, options = parse_options(rest, comments)
    cell = TaskCell(task_id, options, body, first_line)
    _ = cell.code  # its errors belong here
    return cell


def parse_params_cell(text: str) -> ParamsCell:
    r"""Understand the whole text of a parameters cell, its magic line included.

    Raises:
        CellError: a ValueError that names the line and the fix.

    >>> parse_params_cell("%%cloaca_params\nyear = 2013\nmonths = [1, 2]").values
    {'year': '2013', 'months': '[1, 2]'}
    """
    rest, comments, body, first_line = _split(PARAMS_LINE, text, "%%cloaca_params")
    values: dict[str, str] = {}
    for statement in parse_statements(body, first_line):
        values |= _parameters(statement, body, statement.lineno + first_line - 1)
    return ParamsCell(tuple(values), body, first_line, values, secret_names(rest, comments, values))


def _first_line(text: str) -> str:
    return text.lstrip("\r\n").partition("\n")[0].rstrip("\r")


def _split(pattern: re.Pattern[str], text: str, wanted: str) -> tuple[str, list[tuple[str, str]], str, int]:
    """Return what stands behind the magic, the options below it, and the body with the line where that starts."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    blank = len(text) - len(text.lstrip("\n"))
    line, _, body = text[blank:].partition("\n")
    found = pattern.fullmatch(line)
    if found is None:
        raise CellError(f"The cell does not start with `{wanted}` but with `{line}`.")
    lines = body.split("\n")
    comments: list[tuple[str, str]] = []
    while len(comments) < len(lines) and lines[len(comments)].startswith("#|"):
        comments.append(_option_line(lines[len(comments)], blank + 2 + len(comments)))
    return found["rest"], comments, "\n".join(lines[len(comments) :]), blank + 2 + len(comments)


def _option_line(line: str, number: int) -> tuple[str, str]:
    found = OPTION_LINE.fullmatch(line.rstrip())
    if found is None or not found["colon"] or not found["key"]:
        raise CellError(f"Cell line {number}: `{line}` is no option. Write `#| key: value`, like `#| timeout: 30`.")
    return found["key"], found["value"].strip()


def _parameters(statement: ast.stmt, body: str, line: int) -> dict[str, str]:
    match statement:
        case ast.Assign(targets=targets, value=value) if all(isinstance(target, ast.Name) for target in targets):
            names = [target.id for target in targets if isinstance(target, ast.Name)]
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
            names = [name]
        case ast.Import() | ast.ImportFrom() | ast.Expr(value=ast.Constant()):
            return {}
        case _:
            raise CellError(
                f"Cell line {line}: a parameters cell holds lines like `year = 2013`, each for one name, and imports. "
                f"Put this in a cell of its own:\n    {ast.unparse(statement).splitlines()[0]}"
            )
    source = ast.get_source_segment(body, value) or ast.unparse(value)
    return {name: source for name in names if not name.startswith("_")}


# -- where names come from


class Resolution(NamedTuple):
    """Where each name of a task cell comes from, and where it goes.

    Attributes:
        inputs: from the context, which must have it.
        optional: from the context if it is there, else None.
        sets: put into the context.
        deletes: deleted from it.
        own: the notebook's own: imports, helpers, constants; builtins excluded.
    """

    inputs: tuple[str, ...]
    optional: tuple[str, ...]
    sets: tuple[str, ...]
    deletes: tuple[str, ...]
    own: tuple[str, ...]


def resolve(
    cell: TaskCell, outputs: Collection[str], parameters: Collection[str], notebook: Collection[str] = ()
) -> Resolution:
    """Say where each name of a cell comes from: a task's output, else a parameter, else the notebook's own.

    Args:
        cell: the cell.
        outputs: keys that other tasks of its workflow set.
        parameters: of its workflow.
        notebook: names that the notebook is known to define. One of them that the body reads where it has perhaps
            assigned it itself is an error; any other such name is taken as the body's.

    Raises:
        CellError: a ValueError, if the body assigns or deletes a name that it took from the notebook before, or if
            `--out` lists a name that has no value.
    """
    names, options = cell.names, cell.options
    inferred = [name for name in names.reads if name in outputs or name in parameters]
    inputs = tuple(inferred) if options.in_ is None else options.in_
    given = {*inputs, *options.optional}
    changed = [name for name in names.changed if name in given and name not in names.sets]
    sets = (*names.sets, *changed) if options.out is None else options.out
    others = [name for name in names.reads if name not in given]
    own = [name for name in others if name not in names.bound and name not in BUILTINS]
    known = {name for name in names.unsure if name in notebook or name in BUILTINS}
    for message in _clashes(cell, given, others, known):
        raise CellError(message)
    for name in sets:
        _check_out(cell, name, given)
    named = [name.partition(".")[0] for name in options.named().values()]
    deletes = tuple(name for name in names.deleted if name in given)
    return Resolution(inputs, options.optional, sets, deletes, tuple(dict.fromkeys([*own, *named])))


def _clashes(cell: TaskCell, given: Collection[str], others: Sequence[str], known: Collection[str]) -> Iterator[str]:
    names, code = cell.names, cell.code
    for name in names.deleted:
        if name not in given and (name not in names.unsure or name in known):
            yield (
                f"Cell line {code.deleted_at(name)}: `del {name}` would delete the notebook's own `{name}`, which no "
                f"task sets. Leave it out, or say `--in {name}` if the context has it."
            )
    for name in others:
        if name in names.bound and (name not in names.unsure or name in known):
            perhaps = "may read" if name in names.unsure else "reads"
            yield (
                f"Cell line {code.read_at(name)} {perhaps} the notebook's own `{name}` and line {code.bound_at(name)} "
                f"assigns it, so it would be two things. Assign to another name (`new_{name} = …`), give `{name}` a "
                f"value first, let another task or a parameter set it, or say `--in {name}`."
            )
    for name, line in code.class_clashes(given):
        yield (
            f"Cell line {line}: the class uses `{name}` of the cell for its own `{name}`, which no function could. "
            "Give the two different names."
        )


def _check_out(cell: TaskCell, name: str, given: Collection[str]) -> None:
    names = cell.names
    if name not in names.bound and name not in given:
        known = sorted({*names.bound, *names.reads} - BUILTINS)
        raise CellError(
            f"--out {name}: the cell never assigns `{name}`.{near_miss(name, known)} "
            "Assign it, or take it out of --out."
        )


def keys_of(cell: TaskCell, resolution: Resolution) -> Keys:
    """Return what the task does with its context: by its names, and by `context` itself."""
    keys = cell.names.keys
    reads = tuple(dict.fromkeys([*resolution.inputs, *keys.reads]))
    optional = dict.fromkeys([*resolution.optional, *keys.optional])
    return Keys(
        reads=reads,
        optional=tuple(key for key in optional if key not in reads),
        sets=tuple(dict.fromkeys([*resolution.sets, *keys.sets])),
        deletes=tuple(dict.fromkeys([*resolution.deletes, *keys.deletes])),
        computed=keys.computed,
    )


# -- the equivalent function


def function_text(cell: TaskCell, resolution: Resolution) -> FunctionText:
    """Return the function that the cell stands for, without its decorator."""
    return write_function(
        cell.id,
        cell.code,
        Traffic(
            inputs=resolution.inputs,
            optional=resolution.optional,
            sets=resolution.sets,
            deletes=resolution.deletes,
            explicit=cell.options.out is not None,
        ),
    )


def task_text(cell: TaskCell, resolution: Resolution, dependencies: Sequence[str] | None) -> str:
    """Return the function that the cell stands for, with its decorator.

    Args:
        cell: the cell.
        resolution: where its names come from.
        dependencies: ids of tasks; None leaves them to be inferred.
    """
    arguments = list(decorator_arguments(cell.id, cell.options, dependencies))
    line = f"@cloaca.task({', '.join(arguments)})"
    if len(line) > WIDTH:
        line = "\n".join(["@cloaca.task(", *(f"    {argument}," for argument in arguments), ")"])
    return f"{line}\n{function_text(cell, resolution).text}"

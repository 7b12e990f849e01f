"""The defaults of a workflow's parameters: what their cell says, and what a later cell of the notebook says instead."""

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from cloaca_nb.errors import ExportError
from cloaca_nb.packaging.analysis.notebook import Cell
from cloaca_nb.packaging.analysis.quiet import parse
from cloaca_nb.packaging.analysis.statements import Place, Statement

__all__ = [
    "Default",
    "Parameters",
    "defaults_of",
    "derived",
    "is_plain_cell",
    "refuse_secrets",
    "refuse_uses_between",
    "replaced",
    "with_later_values",
]


@dataclass(frozen=True, slots=True)
class Parameters:
    """A parameters cell: the statements that give its parameters their defaults.

    Attributes:
        cell: where it stands.
        statements: those of its statements that define parameters, with the values of later cells put in.
        names: the parameters'.
        workflow: the name of the one that they belong to.
        later: the statements of later cells whose values were put in.
        secret: those of the names whose values are not exported.
    """

    cell: Cell
    statements: tuple[Statement, ...]
    names: tuple[str, ...]
    workflow: str
    later: tuple[Statement, ...] = ()
    secret: tuple[str, ...] = ()

    @property
    def told(self) -> tuple[Statement, ...]:
        """The statements whose values are exported."""
        return tuple(one for one in self.statements if one.names.defined.isdisjoint(self.secret))


@dataclass(frozen=True, slots=True)
class Default:
    """A parameter and the source of its default.

    Attributes:
        name: the parameter's.
        source: an expression.
        derived_from: the parameters from which it is worked out.
        above: comment lines above it.
        beside: the comment on its line.
    """

    name: str
    source: str
    derived_from: tuple[str, ...] = ()
    above: tuple[str, ...] = ()
    beside: str = ""


def defaults_of(parameters: Parameters, *, by_name: bool) -> list[Default]:
    """Return the defaults of a parameters cell, but for those of its secrets.

    Args:
        parameters: the cell.
        by_name: whether the defaults are constants of the module, to be named rather than repeated.
    """
    rules = derived(parameters)
    found = {one.name: one for statement in parameters.told for one in _defaults(statement)}
    names = [name for name in parameters.names if name not in parameters.secret]
    plain = {name: found[name] if name in found and not by_name else Default(name, name) for name in names}
    return [replace(found[name], derived_from=rules[name]) if name in rules else plain[name] for name in plain]


def derived(parameters: Parameters) -> dict[str, tuple[str, ...]]:
    """Return, for each parameter that is worked out from others by one expression, which those are."""
    found: dict[str, tuple[str, ...]] = {}
    assigned = [name for one in parameters.told for name in one.names.defined]
    for statement in parameters.told:
        used = tuple(name for name in parameters.names if name in statement.names.now)
        names, _ = _named(statement.node) or ((), None)
        if used and all(assigned.count(name) == 1 for name in names):
            found |= dict.fromkeys(names, used)
    return found


def is_plain_cell(parameters: Parameters) -> bool:
    """Say whether each statement gives one parameter its default and nothing else, and none does so again."""
    rules = derived(parameters)
    plain = [one for one in parameters.told if _is_plain(one) or not rules.keys().isdisjoint(one.names.defined)]
    names = [name for one in plain for name in one.names.defined]
    return len(plain) == len(parameters.told) and len(set(names)) == len(names)


def _is_plain(statement: Statement) -> bool:
    return _plain(statement.node) is not None


def with_later_values(parameters: Parameters, statements: Iterable[Statement]) -> Parameters:
    """Return a parameters cell with the values that later cells assign, as papermill's injected cell does.

    They are the notebook's own values by the time it runs its workflow, and what derives from them follows.

    Args:
        parameters: the cell.
        statements: all statements of plain cells, in document order.

    Raises:
        ExportError: if a later cell changes a parameter in a way that can't be put into its place.
    """
    for one in statements:
        if one.place.cell > parameters.cell.number and (name := _assigned(one, parameters.names)):
            parameters = _with_value(parameters, name, one)
    return parameters


def replaced(cells: Sequence[Parameters]) -> list[Parameters]:
    """Return the parameters cells that later ones of the same workflow replace, as a cell executed again does.

    Raises:
        ExportError: if two cells share some parameters, but the later one lacks others of the earlier one.
    """
    found = []
    for number, cell in enumerate(cells):
        for later in cells[number + 1 :]:
            shared = [name for name in cell.names if name in later.names and later.workflow == cell.workflow]
            if len(shared) == len(cell.names):
                found.append(cell)
            elif shared:
                raise ExportError(
                    f"{cell.cell.at(1)} and {later.cell.at(1)}: both define the parameter {shared[0]!r}. "
                    "Put all parameters into one cell."
                )
    return found


def refuse_secrets(parameters: Parameters, carried: Iterable[Statement]) -> None:
    """Refuse what would carry the value of a secret into the package.

    Raises:
        ExportError: it names the statement and the secret.
    """
    hidden = set(parameters.secret)
    for one in parameters.told:
        if used := one.names.now & hidden:
            raise ExportError(
                f"{one.where}: `{min(one.names.defined)}` is worked out from the secret {min(used)!r}, whose value is "
                "not exported. Work it out in a task, or make it a secret, too."
            )
    for one in carried:
        if one in parameters.statements and (used := one.names.defined & hidden):
            raise ExportError(
                f"{one.where}: code outside of task cells uses the secret {min(used)!r}, whose value is not exported. "
                "Give it to that code as an argument, from a task."
            )


def refuse_uses_between(parameters: Parameters, carried: Iterable[Statement]) -> None:
    """Refuse what reads a parameter before a later cell gives it the value that counts.

    Raises:
        ExportError: it names the statement and both cells.
    """
    begin = Place(parameters.cell.number + 1, 0)
    for statement in carried:
        for later in parameters.later:
            used = later.names.defined & statement.names.now
            if used and begin <= statement.place < later.place:
                raise ExportError(
                    f"{statement.where}: `{statement.first_line}` uses the parameter {min(used)!r}, to which "
                    f"{later.where} (`{later.first_line}`) then gives another value. Move that line up, "
                    "into the parameters cell."
                )


def _assigned(statement: Statement, names: Iterable[str]) -> str | None:
    """Return the parameter to which a statement assigns a value at the top level of its cell."""
    if not isinstance(statement.node, ast.Assign | ast.AnnAssign | ast.AugAssign):
        return None
    return next((name for name in names if name in statement.names.defined), None)


def _with_value(parameters: Parameters, name: str, later: Statement) -> Parameters:
    own = [one for one in parameters.statements if name in one.names.defined]
    if len(own) != 1 or not _is_plain(own[0]) or not _is_plain(later) or name in later.names.now:
        raise ExportError(
            f"{later.where}: `{later.first_line}` changes the parameter {name!r}, so its default can't be told. "
            f"Give it its value by `{name} = …`, here and in the parameters cell, or take another name here."
        )
    statements = tuple(_valued(one, later) if one is own[0] else one for one in parameters.statements)
    return replace(parameters, statements=statements, later=(*parameters.later, later))


def _valued(statement: Statement, later: Statement) -> Statement:
    """Return a statement with the value of a later one, its own place and comments kept."""
    found, wanted = _plain(parse(statement.text).body[0]), _plain(parse(later.text).body[0])
    if found is None or wanted is None:
        raise AssertionError("both statements are plain")
    source = _standing_alone(later.text, wanted[1])
    begin, end = _span(statement.text, found[1])
    data = statement.text.encode()
    text = (data[:begin] + source.encode() + data[end:]).decode()
    return replace(later, place=statement.place, text=text)


def _standing_alone(text: str, node: ast.expr) -> str:
    """Return an expression's source; one of several lines may need brackets that are not its own."""
    source = ast.get_source_segment(text, node) or ""
    try:
        alone = len(parse(source).body) == 1
    except SyntaxError:
        alone = False
    return source if alone else ast.unparse(node)


def _as_argument(text: str, node: ast.expr) -> str:
    """Return an expression's source as it may stand in a call: a bare `1, 2` would be two arguments there."""
    source = ast.get_source_segment(text, node) or ast.unparse(node)
    is_bare = isinstance(node, ast.Tuple) and not source.startswith("(")
    return f"({source})" if is_bare else source


def _span(text: str, node: ast.expr) -> tuple[int, int]:
    """Return where an expression begins and ends, in bytes."""
    starts = [0]
    for line in text.encode().splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    last = node.end_lineno or node.lineno
    return starts[node.lineno - 1] + node.col_offset, starts[last - 1] + (node.end_col_offset or 0)


def _plain(node: ast.stmt) -> tuple[str, ast.expr] | None:
    match _named(node):
        case (name,), value:
            return name, value
        case _:
            return None


def _named(node: ast.stmt) -> tuple[tuple[str, ...], ast.expr] | None:
    """Return the names that an assignment gives one value, and that; ``a = b = 1`` has two."""
    match node:
        case ast.Assign(targets=targets, value=value) if all(isinstance(one, ast.Name) for one in targets):
            return tuple(one.id for one in targets if isinstance(one, ast.Name)), value
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
            return (name,), value
        case _:
            return None


def _defaults(statement: Statement) -> Iterator[Default]:
    node = parse(statement.text).body[0]  # again: this one's line numbers are those of the statement's own text
    if (found := _named(node)) is not None:
        (first, *others), value = found
        lines: Sequence[str] = statement.text.split("\n")
        source = _as_argument(statement.text, value)
        after = lines[(value.end_lineno or 1) - 1].encode()[value.end_col_offset or 0 :].decode()
        beside = re.search(r"\s*#.*$", after)
        yield Default(first, source, (), tuple(lines[: node.lineno - 1]), beside[0] if beside else "")
        yield from (Default(name, source) for name in others)

"""What changes the working directory, from which every relative path starts: magics like ``%cd``, and ``os.chdir``."""

import ast
from collections.abc import Collection, Iterable, Mapping, Sequence

from cloaca_nb.core.code.bindings import own_scope
from cloaca_nb.errors import ExportError
from cloaca_nb.packaging.analysis.distributions import Installed
from cloaca_nb.packaging.analysis.imports import imported_by
from cloaca_nb.packaging.analysis.ipython_calls import call_of, calls_in
from cloaca_nb.packaging.analysis.statements import Place, Statement

__all__ = ["moves_in", "refuse_moves"]


def moves_in(statements: Sequence[Statement]) -> dict[Statement, list[ast.AST]]:
    """Return the statements that change the working directory when they run, each with the calls that do."""
    spelt = {"os.chdir", "os.fchdir"}
    nodes = (node for one in statements if "os" in one.text for node in ast.walk(one.node))
    known = [one for node in nodes for one in imported_by(node)]
    names = {text for one in known for dotted in spelt if (text := one.spells(dotted))}
    found = {one: [part for part in own_scope([one.node]) if _is_move(part, names)] for one in statements}
    return {one: parts for one, parts in found.items() if parts}


def refuse_moves(
    moves: Mapping[Statement, Collection[ast.AST]],
    statements: Sequence[Statement],
    tasks: Iterable[Place],
    installed: Installed,
) -> None:
    """Refuse a change of the working directory that isn't carried: any path that a task opens may start from there.

    Not so below the last task and the last ``%cloaca_run``, and where a guard says that it is meant for another place,
    as ``if "google.colab" in sys.modules:`` does where that module isn't installed.

    Args:
        moves: what the package won't do.
        statements: of the notebook.
        tasks: where its tasks are.
        installed: the distributions that there are.

    Raises:
        ExportError: it says what to write instead.
    """
    runs = (one.place for one in statements if any(call.magic == "cloaca_run" for call in calls_in(one.node)))
    last = max([*tasks, *runs], default=Place(0, 0))
    for statement, calls in moves.items():
        if statement.place < last and not _elsewhere(statement, statements, installed).issuperset(calls):
            raise ExportError(
                f"{statement.where}: `{statement.first_line}` changes the folder from which relative paths start, and "
                "the package won't do it. Give the tasks whole paths, or a parameter that says where; if none of them "
                "depends on it, put the line into a cell of its own that begins with `#| cloaca: skip`."
            )


def _is_move(node: ast.AST, names: Collection[str]) -> bool:
    if not isinstance(node, ast.Call):
        return False
    magic = call_of(node)
    return magic.moves if magic else isinstance(node.func, ast.Name | ast.Attribute) and ast.unparse(node.func) in names


def _elsewhere(statement: Statement, statements: Iterable[Statement], installed: Installed) -> set[ast.AST]:
    """Return the parts of a statement that run only where a module is that isn't here."""
    guards = [one for one in own_scope([statement.node]) if isinstance(one, ast.If)]
    named = {
        target.id: one.node.value
        for one in statements
        if isinstance(one.node, ast.Assign) and one.place < statement.place
        for target in one.node.targets
        if guards and isinstance(target, ast.Name)
    }
    tests = ((one, named.get(one.test.id) if isinstance(one.test, ast.Name) else one.test) for one in guards)
    asked = ((guard, _module_asked_for(test)) for guard, test in tests)
    absent = [guard for guard, module in asked if module and not installed.has(module)]
    return {part for guard in absent for part in own_scope(guard.body)}


def _module_asked_for(test: ast.expr | None) -> str | None:
    """Return ``m`` of ``"m" in sys.modules`` and of ``find_spec("m")``, also where that `is not None`; else None."""
    match test:
        case ast.Compare(
            left=ast.Constant(value=str(module)), ops=[ast.In()], comparators=[ast.Attribute(attr="modules")]
        ):
            return module
        case ast.Compare(left=left, ops=[ast.IsNot()], comparators=[ast.Constant(value=None)]):
            return _module_asked_for(left)
        case ast.Call(
            func=ast.Name(id="find_spec") | ast.Attribute(attr="find_spec"), args=[ast.Constant(value=str(module))]
        ):
            return module
        case _:
            return None

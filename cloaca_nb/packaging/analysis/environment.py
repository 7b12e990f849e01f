"""What a task finds around it only in a notebook: what magics have set, handles of displays."""

import ast
from collections.abc import Iterable, Mapping
from typing import Final

from cloaca_nb.errors import ExportError
from cloaca_nb.packaging.analysis.imports import Import, imported_by
from cloaca_nb.packaging.analysis.ipython_calls import calls_in
from cloaca_nb.packaging.analysis.quiet import parse
from cloaca_nb.packaging.analysis.statements import Statement

__all__ = ["refuse_handles", "refuse_set_by_magic"]

# The one function, by where IPython lets it be imported from.
_DISPLAY: Final = ("IPython.display.display", "IPython.core.display.display", "IPython.core.display_functions.display")


def refuse_handles(imports: Iterable[Import], texts: Mapping[str, str]) -> None:
    """Refuse the handle of a display, by which a later line changes what is shown: outside IPython it is None.

    Args:
        imports: what is carried of them.
        texts: what is carried, by where it stands.

    Raises:
        ExportError: with the call that gives the handle.
    """
    hoisted = list(imports)
    for where, text in texts.items():
        if "display_id" not in text:
            continue
        nodes = list(ast.walk(parse(text)))
        known = [*hoisted, *(one for node in nodes for one in imported_by(node))]
        names = {spelt for one in known for dotted in _DISPLAY if (spelt := one.spells(dotted))}
        shown_only = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
        for node in nodes:
            match node:
                case ast.Call(func=function) if ast.unparse(function) in names and id(node) not in shown_only:
                    if any(one.arg == "display_id" for one in node.keywords):
                        raise ExportError(
                            f"{where}: `{ast.unparse(node)}` gives a handle in a notebook and None in a package, which "
                            "runs without one. Show the value without keeping a handle, or leave that to a plain cell."
                        )


def refuse_set_by_magic(statements: Iterable[Statement], texts: Mapping[str, str]) -> None:
    """Refuse ``%env NAME=value`` where what is carried names that variable.

    Args:
        statements: of the notebook.
        texts: what is carried, by where it stands.

    Raises:
        ExportError: with the same line as Python.
    """
    found = [(one, *call.variable) for one in statements for call in calls_in(one.node) if call.sets_variable]
    for where, text in texts.items() if found else ():
        named = {node.value for node in ast.walk(parse(text)) if isinstance(node, ast.Constant)}
        for statement, name, value in found:
            if name in named:
                raise ExportError(
                    f"{statement.where}: `{statement.first_line}` sets a variable that {where} reads, and only IPython "
                    f'can run that line. Write it as Python, `os.environ["{name}"] = {value!r}`, or '
                    "leave it to whoever runs the package."
                )

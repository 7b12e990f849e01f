"""Environment variables that a notebook sets by a magic, which a package doesn't run."""

import ast
import re
from collections.abc import Iterable, Mapping
from typing import Final

from cloaca_nb.errors import ExportError
from cloaca_nb.packaging.analysis.quiet import parse
from cloaca_nb.packaging.analysis.statements import Statement

__all__ = ["refuse_set_by_magic"]

_SETS: Final = re.compile(r"%(?:set_)?env\s+(\w+)(?:\s*=\s*|\s+)(.+)")


def refuse_set_by_magic(statements: Iterable[Statement], texts: Mapping[str, str]) -> None:
    """Refuse ``%env NAME=value`` where what is carried names that variable.

    Args:
        statements: of the notebook.
        texts: what is carried, by where it stands.

    Raises:
        ExportError: with the same line as Python.
    """
    found = [(one, match) for one in statements if (match := _SETS.match(one.first_line))]
    for where, text in texts.items() if found else ():
        named = {node.value for node in ast.walk(parse(text)) if isinstance(node, ast.Constant)}
        for statement, match in found:
            if match[1] in named:
                raise ExportError(
                    f"{statement.where}: `{statement.first_line}` sets a variable that {where} reads, and only IPython "
                    f'can run that line. Write it as Python, `os.environ["{match[1]}"] = {match[2].strip()!r}`, or '
                    "leave it to whoever runs the package."
                )

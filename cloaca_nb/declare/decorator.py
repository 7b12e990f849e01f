"""The text of a task's decorator, with the dependencies that were inferred written out."""

import ast
import json
from collections.abc import Sequence

__all__ = ["with_dependencies"]


def with_dependencies(source: str, dependencies: Sequence[str], function: str | None = None) -> str:
    r"""Return the source of a decorated function with its dependencies named in the decorator.

    Args:
        source: of the function, its decorators included, or of a block that defines it.
        dependencies: the ids of the tasks; nothing is written for none, or where the decorator names some already.
        function: its name, where there are several; None: the first.

    >>> print(with_dependencies("@task(id='clean')\ndef clean(context): ...", ["load"]))
    @task(id='clean', dependencies=["load"])
    def clean(context): ...
    """
    call = _decorator(source, function)
    if call is None or not dependencies or any(one.arg == "dependencies" for one in call.keywords):
        return source
    argument = f"dependencies={json.dumps(list(dependencies), ensure_ascii=False)}"
    first = call.keywords[0] if call.keywords else None
    if first is None:
        return _insert(source, call.end_lineno or 1, (call.end_col_offset or 1) - 1, argument)
    if first.arg == "id":
        value = first.value
        return _insert(source, value.end_lineno or 1, value.end_col_offset or 0, f", {argument}")
    return _insert(source, first.lineno, first.col_offset, f"{argument}, ")


def _decorator(source: str, function: str | None) -> ast.Call | None:
    """Return the decorator that makes a function a task: the one that is called `task`, else the innermost call."""
    statement = ast.parse(source).body[0]
    statements = statement.body if isinstance(statement, ast.With) else [statement]
    functions = [one for one in statements if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)]
    found = next((one for one in functions if function in {None, one.name}), None)
    calls = [one for one in found.decorator_list if isinstance(one, ast.Call)] if found else []
    return next((one for one in calls if _name(one.func) == "task"), calls[-1] if calls else None)


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _insert(source: str, line: int, column: int, text: str) -> str:
    """Insert `text`; the column counts bytes, as syntax trees do."""
    lines = source.split("\n")
    encoded = lines[line - 1].encode()
    lines[line - 1] = (encoded[:column] + text.encode() + encoded[column:]).decode()
    return "\n".join(lines)

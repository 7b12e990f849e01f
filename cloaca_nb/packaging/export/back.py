"""The text of a function as a task cell or a test cell again, and the call that names parameters as their cell."""

import ast
import re
import shlex
from collections.abc import Collection, Iterable, Sequence
from typing import Final

from cloaca_nb.core.testing import PREFIX
from cloaca_nb.packaging.analysis.quiet import parse
from cloaca_nb.packaging.export.layout import dedented

__all__ = ["names_of_parameters", "parameters_cell", "task_cell", "task_id", "test_cell"]

_INPUT: Final = re.compile(r'(?P<name>\w+) = context(\["(?P=name)"\]|\.get\("(?P=name)"\))')
_OUTPUT: Final = re.compile(r'context\["(?P<name>\w+)"\] = (?P=name)')
_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)


def task_id(text: str) -> str | None:
    """Return the id of the task whose function a text is; None for other text."""
    match _task(text):
        case None:
            return None
        case function, _:
            return function.name


def task_cell(text: str, after: Sequence[str] = ()) -> str | None:
    """Return a task cell that may stand for a function with its decorator; whether it does, only an export tells.

    Args:
        text: the function.
        after: the dependencies that its names don't ask for.
    """
    found = _task(text)
    if found is None:
        return None
    function, call = found
    words = [f"%%cloaca_task {function.name}", *([f"--after {','.join(after)}"] if after else [])]
    words += [
        f"--{str(one.arg).replace('_', '-')} {shlex.quote(_value(one.value))}"
        for one in call.keywords
        if one.arg not in {"id", "dependencies"}
    ]
    body = _body(text, function)
    if (optional := re.findall(r'^(\w+) = context\.get\("\1"\)$', body, re.MULTILINE)) and after == ():
        names = [match["name"] for line in body.split("\n") if (match := _INPUT.fullmatch(line))]
        words.append(f"--in {','.join(f'{name}?' if name in optional else name for name in names)}")
    return "\n".join([" ".join(words), *_own_lines(body.split("\n"))])


def test_cell(text: str) -> str | None:
    """Return the test cell that stands for a test's function; None for one with decorators, or that takes fixtures."""
    match parse(text).body:
        case [ast.FunctionDef(decorator_list=[]) as function] if ast.unparse(function.args) in {"", "context"}:
            short = function.name.removeprefix(PREFIX)
            own = (line for line in _body(text, function).split("\n") if not _INPUT.fullmatch(line))
            return "\n".join([f"%%cloaca_test {short if short.isidentifier() else function.name}", *_without_ends(own)])
        case _:
            return None


def names_of_parameters(text: str) -> list[str]:
    """Return the parameters that calls of the builder name, those that are secret last."""
    return [*(str(one.arg) for call in _parameter_calls(text) for one in call.keywords), *_secrets(text)]


def parameters_cell(text: str, constants: str) -> str:
    """Return the parameters cell that such calls stand for.

    Args:
        text: the calls.
        constants: what the module's constants say that came from the same cell.
    """
    lines = [constants] if constants else []
    rows = text.split("\n")
    for call in _parameter_calls(text):
        row = call.lineno
        for one in call.keywords:
            value = one.value.body if isinstance(one.value, ast.Lambda) else one.value
            if not (isinstance(value, ast.Name) and value.id == one.arg):
                above = [line.strip() for line in rows[row : one.lineno - 1] if line.strip().startswith("#")]
                behind = rows[(one.value.end_lineno or 1) - 1].encode()[one.value.end_col_offset or 0 :].decode()
                remark = re.search(r"\s*#.*$", behind)
                source = ast.get_source_segment(text, value) or ast.unparse(value)
                line = f"{one.arg} = {source}{remark[0] if remark else ''}"
                lines += [*above, dedented(f"    {line}") if one.lineno > call.lineno else line]
            row = one.value.end_lineno or row
    secrets = _secrets(text)
    lines += [f'{name} = cloaca.var_or("{name}", "")' for name in secrets]
    return "\n".join([f"%%cloaca_params --secret {','.join(secrets)}" if secrets else "%%cloaca_params", *lines])


def _secrets(text: str) -> list[str]:
    """Return the keys that calls of ``builder.secret`` name; a package has no values for them."""
    calls = _calls_of(text, {"secret"})
    return [str(one.value) for call in calls for one in call.args if isinstance(one, ast.Constant)]


def _parameter_calls(text: str) -> list[ast.Call]:
    return _calls_of(text, {"parameters", "derived_parameters"})


def _calls_of(text: str, wanted: Collection[str]) -> list[ast.Call]:
    calls = [one.value for one in parse(text).body if isinstance(one, ast.Expr) and isinstance(one.value, ast.Call)]
    return [one for one in calls if isinstance(one.func, ast.Attribute) and one.func.attr in wanted]


def _task(text: str) -> tuple[ast.FunctionDef | ast.AsyncFunctionDef, ast.Call] | None:
    """Return the one function of a text and the one decorator that says its id: the form in which exports write."""
    match parse(text).body:
        case [ast.FunctionDef() | ast.AsyncFunctionDef() as function]:
            pass
        case _:
            return None
    match function.decorator_list:
        case [ast.Call(args=[], keywords=[ast.keyword(arg="id", value=ast.Constant(value=name)), *_]) as call]:
            return (function, call) if name == function.name and [*ast.walk(function.args)][1:] else None
        case _:
            return None


def _value(node: ast.expr) -> str:
    match node:
        case ast.Constant(value=bool(value)):
            return str(value).lower()
        case ast.Constant(value=value):
            return str(value)
        case _:
            return ast.unparse(node).replace("cloaca.", "")


def _body(text: str, function: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """Return what stands below the function's header."""
    lines = text.split("\n")
    header = function.body[0].lineno
    for row in range(function.lineno - 1, header):
        if lines[row].rstrip().endswith(("(context):", "():")):
            return dedented("\n".join(lines[row + 1 :]))
    return dedented("\n".join(lines[header - 1 :]))


def _own_lines(lines: Sequence[str]) -> list[str]:
    """Return the author's lines, without those that only take from the context or put into it."""
    kept = [
        re.sub(r"\breturn context$", "return", line)
        for line in lines
        if not _INPUT.fullmatch(line) and not _OUTPUT.fullmatch(line.strip())
    ]
    while kept and kept[-1] in {"", "return"}:
        kept.pop()
    return _without_ends(kept)


def _without_ends(lines: Iterable[str]) -> list[str]:
    """Return lines without the empty ones above and below them."""
    text = "\n".join(lines).strip("\n")
    return text.split("\n") if text else []

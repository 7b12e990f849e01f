"""Trigger rules as text: `all_of(task_success("load"), context_value("rows", ">", 0))`, read without running code."""

import ast
import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from cloaca_nb.core.rules import (
    Rule,
    all_of,
    all_success,
    always,
    any_of,
    context_value,
    none_of,
    task_failed,
    task_skipped,
    task_success,
)
from cloaca_nb.errors import DefinitionError, near_miss

__all__ = ["read_rule", "rule_code"]

RULES: Final[Mapping[str, Callable[..., Rule]]] = {
    function.__name__: function
    for function in (
        always,
        all_success,
        task_success,
        task_failed,
        task_skipped,
        context_value,
        all_of,
        any_of,
        none_of,
    )
}


def read_rule(text: str) -> Rule:
    """Return the rule that `text` spells: calls of the functions of `core.rules`, with or without ``cloaca.``.

    Raises:
        DefinitionError: a ValueError, if it is anything else.

    >>> read_rule('task_failed("load")')
    TaskOutcome(task_id='load', outcome=<Outcome.FAILED: 'Failed'>)
    """
    rule = _evaluate(_parse(text))
    if not isinstance(rule, Rule):
        raise DefinitionError(f'{text!r} is no trigger rule: write a call like task_failed("load")')
    return rule


def rule_code(text: str, prefix: str = "cloaca.") -> str:
    """Return the rule as Python code in which each function stands with `prefix`.

    >>> rule_code("any_of(task_failed('a'), always())")
    'cloaca.any_of(cloaca.task_failed("a"), cloaca.always())'
    """
    return _code(_parse(text), prefix)


def _parse(text: str) -> ast.expr:
    try:
        return ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        raise DefinitionError(f"{text!r} is no trigger rule: {error.msg}") from error


def _evaluate(node: ast.expr) -> Any:
    if not isinstance(node, ast.Call):
        return _literal(node)
    name = _function(node)
    positional = [_evaluate(one) for one in node.args]
    named = {one.arg: _evaluate(one.value) for one in node.keywords if one.arg is not None}
    try:
        return RULES[name](*positional, **named)
    except TypeError as error:
        raise DefinitionError(f"{ast.unparse(node)}: {error}") from error


def _function(node: ast.Call) -> str:
    name = ast.unparse(node.func)
    name = name.removeprefix("cloaca.").removeprefix("cloaca_nb.")
    if name not in RULES:
        raise DefinitionError(f"unknown trigger rule {name!r}.{near_miss(name, RULES)} Rules: {', '.join(RULES)}")
    return name


def _literal(node: ast.expr) -> Any:
    name = ast.unparse(node).removeprefix("cloaca.").removeprefix("cloaca_nb.")
    if name in RULES:
        raise DefinitionError(f"{ast.unparse(node)!r} in a trigger rule is a function: call it, {_call(name)}")
    try:
        return ast.literal_eval(node)
    except ValueError as error:
        raise DefinitionError(
            f"{ast.unparse(node)!r} in a trigger rule is neither a rule nor a plain value: put text in quotes"
        ) from error


def _call(name: str) -> str:
    """Return how a rule is called: `always()`, `task_failed("load")`."""
    examples = {"context_value": '"rows", ">", 0', **dict.fromkeys(("all_of", "any_of", "none_of"), "…, …")}
    argument = examples.get(name, '"load"' if name.startswith("task_") else "")
    return f"{name}({argument})"


def _code(node: ast.expr, prefix: str) -> str:
    if not isinstance(node, ast.Call):
        value = ast.literal_eval(node)
        return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)
    positional = [_code(one, prefix) for one in node.args]
    named = [f"{one.arg}={_code(one.value, prefix)}" for one in node.keywords]
    return f"{prefix}{_function(node)}({', '.join([*positional, *named])})"

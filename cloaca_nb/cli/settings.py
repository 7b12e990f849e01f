"""Parameters on the command line: `KEY=VALUE` read as values, and a workflow's defaults shown as they are typed."""

import inspect
import json
from collections.abc import Mapping, Sequence
from typing import Any

import typer

from cloaca_nb.core.graph import Workflow
from cloaca_nb.declare.settings import fit, parse_settings, read_value
from cloaca_nb.errors import DefinitionError

__all__ = ["describe", "settings"]


def settings(texts: Sequence[str], parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Read KEY=VALUE texts as values of the initial context, each of the type that its parameter's default has."""
    try:
        given = parse_settings(texts)
        return {key: fit(key, text, parameters) if parameters else read_value(text) for key, text in given.items()}
    except DefinitionError as error:
        raise typer.BadParameter(str(error), param_hint="--param") from None


def describe(workflow: Workflow) -> str:
    """Return the help of a package's command: what its workflow is for, and its parameters with types and defaults."""
    text = workflow.description or f"Run the workflow {workflow.name}."
    if not workflow.parameters:
        return text
    # The mark of a backspace keeps the lines of a paragraph apart.
    typed = {key: f"{key}={_as_typed(default)}" for key, default in workflow.parameters.items()}
    width = max(map(len, typed.values()))
    lines = [f"  {shown:<{width}}  {_kind(workflow, key)}" for key, shown in typed.items()]
    return f"{text}\n\n\b\nParameters:\n" + "\n".join(lines)


def _kind(workflow: Workflow, key: str) -> str:
    """Return of what type a parameter is, and what it follows from."""
    kind = type(workflow.parameters[key]).__name__
    if key not in workflow.derived:
        return kind
    return f"{kind}, worked out from {' and '.join(inspect.signature(workflow.derived[key]).parameters)}"


def _as_typed(value: Any) -> str:
    """Return a value as it is typed after ``KEY=``."""
    try:
        return value if isinstance(value, str) else json.dumps(value)
    except TypeError:
        return str(value)

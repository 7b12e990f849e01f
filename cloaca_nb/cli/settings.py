"""Parameters on the command line: `KEY=VALUE` read as values, and a workflow's defaults shown as they are typed."""

import inspect
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import typer

from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.mask import masked
from cloaca_nb.core.secret import SecretKeys
from cloaca_nb.declare.settings import fit, parse_settings, read_value
from cloaca_nb.declare.variables import PREFIX
from cloaca_nb.errors import DefinitionError

__all__ = ["describe", "settings"]


def settings(texts: Sequence[str], parameters: Mapping[str, Any], secret: Iterable[str] = ()) -> dict[str, Any]:
    """Read KEY=VALUE texts as values of the initial context, each of the type that its parameter's default has."""
    parameters = {**dict.fromkeys(secret, ""), **parameters}
    try:
        given = parse_settings(texts)
        return {key: fit(key, text, parameters) if parameters else read_value(text) for key, text in given.items()}
    except DefinitionError as error:
        raise typer.BadParameter(str(error), param_hint="--param") from None


def describe(workflow: Workflow) -> str:
    """Return the help of a package's command: what its workflow is for, and its parameters with types and defaults."""
    text = workflow.description or f"Run the workflow {workflow.name}."
    parameters = masked(workflow.parameters, SecretKeys(named=workflow.secret))
    # The mark of a backspace keeps the lines of a paragraph apart.
    typed = {key: f"{key}={_as_typed(default)}" for key, default in parameters.items()}
    unset = [key for key in workflow.secret if key not in parameters]
    width = max(map(len, [*typed.values(), *unset]), default=0)
    lines = [f"  {shown:<{width}}  {_kind(workflow, key)}" for key, shown in typed.items()]
    lines += [f"  {key:<{width}}  secret, or set {PREFIX}{key}" for key in unset]
    if not lines:
        return text
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
        return value if isinstance(value, str) else json.dumps(value)  # of a `Secret`, its mask
    except TypeError:
        return str(value)

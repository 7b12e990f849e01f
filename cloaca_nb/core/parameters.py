"""Parameters of a workflow: default values of its initial context, and rules that work one out from others."""

import inspect
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeAlias

from cloaca_nb.core.mask import masked
from cloaca_nb.errors import DefinitionError

__all__ = ["Rules", "following", "with_derived", "worked_out"]

Rules: TypeAlias = Mapping[str, Callable[..., Any]]  # by parameter; each names as its own parameters those it needs


def with_derived(rules: Rules, defaults: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the defaults with the values that were given, and with what follows from those worked out again.

    Args:
        rules: how parameters are worked out, in an order in which each needs only those before it.
        defaults: of all parameters.
        given: takes precedence, over rules too.

    Raises:
        DefinitionError: if a rule fails, or needs what is no parameter.

    >>> with_derived({"title": lambda year: f"Delays of {year}"}, {"year": 2013, "title": ""}, {"year": 2014})
    {'year': 2014, 'title': 'Delays of 2014'}
    """
    values = {**defaults, **given}
    for name in following(rules, given):
        values[name] = worked_out(name, rules[name], values)
    return values


def following(rules: Rules, given: Collection[str]) -> list[str]:
    """Return the parameters that are worked out from those that are given, directly or through others."""
    changed, found = set(given), []
    for name, rule in rules.items():
        if name not in given and not changed.isdisjoint(inspect.signature(rule).parameters):
            changed.add(name)
            found.append(name)
    return found


def worked_out(name: str, rule: Callable[..., Any], values: Mapping[str, Any]) -> Any:
    """Return what a rule makes of other parameters; see `with_derived` for errors."""
    needed = list(inspect.signature(rule).parameters)
    if missing := [one for one in needed if one not in values]:
        raise DefinitionError(f"Parameter {name!r} is worked out from {missing[0]!r}, which is no parameter above it.")
    try:
        return rule(**{one: values[one] for one in needed})
    except Exception as error:
        said = f"{type(error).__name__}: {error}"
        told = masked({one: values[one] for one in needed})
        shown = ", ".join(f"{one}={value!r}" for one, value in told.items())
        raise DefinitionError(f"Parameter {name!r} can't be worked out from {shown}: {said}.") from error

"""Parameters of a workflow: default values of its initial context, and rules that work one out from others."""

import inspect
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, TypeAlias

from cloaca_nb.core.mask import masked
from cloaca_nb.errors import DefinitionError

__all__ = ["Rules", "Values", "following", "with_derived", "worked_out"]

Rules: TypeAlias = Mapping[str, Callable[..., Any]]  # by parameter; each names as its own parameters those it needs


class Values(Mapping[str, Any]):
    """What parameters are worth: what follows from values that were given is worked out when it is asked for, once.

    A rule is the user's own code: it may take its time, or fail on values that nobody will use.

    Args:
        rules: how parameters are worked out, in an order in which each needs only those before it.
        defaults: of all parameters.
        given: takes precedence, over rules too.

    Raises:
        DefinitionError: when a value is asked for, if its rule fails, or needs what is no parameter.

    >>> Values({"half": lambda year: year // 2}, {"year": 2013, "half": 1006}, {"year": 2014})["half"]
    1007
    """

    def __init__(self, rules: Rules, defaults: Mapping[str, Any], given: Mapping[str, Any]) -> None:
        self._rules = rules
        self._defaults = defaults
        self._found = dict(given)
        self._names = dict.fromkeys((*defaults, *given))
        self._order = {name: place for place, name in enumerate(following(rules, given))}

    def __getitem__(self, name: str) -> Any:
        if name not in self._found and name in self._order:
            self._found[name] = worked_out(name, self._rules[name], self._needed_by(name))
        return self._found[name] if name in self._found else self._defaults[name]

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({dict(masked(self.known))!r})"

    @property
    def waiting(self) -> frozenset[str]:
        """The parameters that aren't worked out yet."""
        behind = self._defaults.waiting if isinstance(self._defaults, Values) else frozenset()
        return behind.union(self._order).difference(self._found)

    @property
    def known(self) -> dict[str, Any]:
        """The values of the others."""
        waiting = self.waiting
        return {name: self[name] for name in self._names if name not in waiting}

    @property
    def grounds(self) -> dict[str, Any]:
        """For each parameter what tells its value from another one: itself, or what it would be worked out from.

        No rule is executed for that.
        """
        grounds = self.known
        for name in self._order:
            if name not in grounds:
                grounds[name] = (repr(self._rules[name]), {one: grounds.get(one) for one in self.origins(name)})
        return grounds

    def origins(self, name: str) -> list[str]:
        """Return from which others a parameter is worked out that is waiting."""
        return list(inspect.signature(self._rules[name]).parameters)

    def _needed_by(self, name: str) -> dict[str, Any]:
        needed = [one for one in self.origins(name) if one in self._names]
        return {one: self[one] if self._stands_before(one, name) else self._defaults[one] for one in needed}

    def _stands_before(self, one: str, name: str) -> bool:
        return one in self._found or self._order.get(one, -1) < self._order[name]


def with_derived(rules: Rules, defaults: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the defaults with the values that were given, and with what follows from those worked out again.

    See `Values` for the arguments; no rule is executed for what is given.

    Raises:
        DefinitionError: if a rule fails, or needs what is no parameter.

    >>> with_derived({"title": lambda year: f"Delays of {year}"}, {"year": 2013, "title": ""}, {"year": 2014})
    {'year': 2014, 'title': 'Delays of 2014'}
    """
    return dict(Values(rules, defaults, given))


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

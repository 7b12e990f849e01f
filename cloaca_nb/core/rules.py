"""Trigger rules: conditions for running a task, as data that a plan evaluates.

A rule replaces the default condition (all dependencies over, none failed, at least one completed). It is asked once,
when the task's dependencies, those that the rule names included, are over.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cloaca_nb.core.status import Outcome
from cloaca_nb.errors import DefinitionError, near_miss

__all__ = [
    "All",
    "Always",
    "Any_",
    "ContextValue",
    "None_",
    "Rule",
    "TaskOutcome",
    "all_of",
    "all_success",
    "always",
    "any_of",
    "context_value",
    "none_of",
    "task_failed",
    "task_skipped",
    "task_success",
]

MISSING: Final = object()


class Rule:
    """A condition; see the functions of this module for the kinds there are."""

    __slots__ = ()

    def holds(self, outcomes: Mapping[str, Outcome], read: Callable[[str, Any], Any]) -> bool:
        """Evaluate it, given how tasks ended and ``read(key, default)`` on the context at that point."""
        raise NotImplementedError

    def task_ids(self) -> Iterator[str]:
        """Yield the ids of the tasks that it names: they become dependencies."""
        yield from ()


@dataclass(frozen=True, slots=True)
class Always(Rule):
    """Holds whatever happened."""

    def holds(self, outcomes: Mapping[str, Outcome], read: Callable[[str, Any], Any]) -> bool:  # noqa: ARG002 - it asks nothing
        """Evaluate it."""
        return True


@dataclass(frozen=True, slots=True)
class AllSuccess(Rule):
    """Holds when every dependency has completed."""

    def holds(self, outcomes: Mapping[str, Outcome], read: Callable[[str, Any], Any]) -> bool:  # noqa: ARG002 - it reads no key
        """Evaluate it."""
        return all(outcome is Outcome.COMPLETED for outcome in outcomes.values())


@dataclass(frozen=True, slots=True)
class TaskOutcome(Rule):
    """Holds when a task ended so."""

    task_id: str
    outcome: Outcome

    def __post_init__(self) -> None:
        if not isinstance(self.task_id, str) or not self.task_id:
            raise DefinitionError(f"A rule names a task by its id, a text like 'load', not {self.task_id!r}.")

    def holds(self, outcomes: Mapping[str, Outcome], read: Callable[[str, Any], Any]) -> bool:  # noqa: ARG002 - it reads no key
        """Evaluate it."""
        return outcomes.get(self.task_id) is self.outcome

    def task_ids(self) -> Iterator[str]:
        """Yield the task it names."""
        yield self.task_id


@dataclass(frozen=True, slots=True)
class ContextValue(Rule):
    """Holds when a key's value compares so; an absent key, or values that don't compare, is no match."""

    key: str
    operator: str
    value: Any

    def holds(self, outcomes: Mapping[str, Outcome], read: Callable[[str, Any], Any]) -> bool:  # noqa: ARG002 - it asks for no task
        """Evaluate it."""
        found = read(self.key, MISSING)
        if self.operator in ("exists", "notexists"):
            return (found is not MISSING) is (self.operator == "exists")
        if found is MISSING:
            return False
        try:
            return bool(OPERATORS[self.operator](found, self.value))
        except Exception:  # noqa: BLE001 - a value's own comparison may raise anything, as that of arrays does
            return False


@dataclass(frozen=True, slots=True)
class _Group(Rule):
    rules: tuple[Rule, ...]

    def __post_init__(self) -> None:
        if not self.rules:
            raise DefinitionError(
                "all_of, any_of and none_of join rules, and there is none: all_of(task_success('load'), …). "
                "For a task that always runs, write always()."
            )
        for rule in self.rules:
            if not isinstance(rule, Rule):
                raise DefinitionError(f"all_of, any_of and none_of join rules, like task_failed('load'), not {rule!r}.")

    def task_ids(self) -> Iterator[str]:
        """Yield the tasks that its rules name."""
        for rule in self.rules:
            yield from rule.task_ids()


@dataclass(frozen=True, slots=True)
class All(_Group):
    """Holds when all its rules do."""

    def holds(self, outcomes: Mapping[str, Outcome], read: Callable[[str, Any], Any]) -> bool:
        """Evaluate it."""
        return all(rule.holds(outcomes, read) for rule in self.rules)


@dataclass(frozen=True, slots=True)
class Any_(_Group):  # noqa: N801 - `Any` is the typing module's
    """Holds when at least one of its rules does."""

    def holds(self, outcomes: Mapping[str, Outcome], read: Callable[[str, Any], Any]) -> bool:
        """Evaluate it."""
        return any(rule.holds(outcomes, read) for rule in self.rules)


@dataclass(frozen=True, slots=True)
class None_(_Group):  # noqa: N801 - to match `Any_`
    """Holds when none of its rules does."""

    def holds(self, outcomes: Mapping[str, Outcome], read: Callable[[str, Any], Any]) -> bool:
        """Evaluate it."""
        return not any(rule.holds(outcomes, read) for rule in self.rules)


OPERATORS: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "equals": lambda found, value: found == value,
    "notequals": lambda found, value: found != value,
    "greaterthan": lambda found, value: found > value,
    "lessthan": lambda found, value: found < value,
    "greaterorequal": lambda found, value: found >= value,
    "lessorequal": lambda found, value: found <= value,
    "contains": lambda found, value: value in found,
    "notcontains": lambda found, value: value not in found,
    "exists": lambda found, _value: found,
    "notexists": lambda found, _value: found,
}
SPELLINGS: Final[Mapping[str, str]] = {
    "==": "equals",
    "eq": "equals",
    "!=": "notequals",
    "ne": "notequals",
    ">": "greaterthan",
    "gt": "greaterthan",
    "<": "lessthan",
    "lt": "lessthan",
    ">=": "greaterorequal",
    "ge": "greaterorequal",
    "<=": "lessorequal",
    "le": "lessorequal",
}


def always() -> Rule:
    """Run whatever happened to the dependencies."""
    return Always()


def all_success() -> Rule:
    """Run when every dependency has completed: a skipped one is not enough."""
    return AllSuccess()


def task_success(task_id: str) -> Rule:
    """Run when task `task_id` has completed.

    Raises:
        DefinitionError: a ValueError, if `task_id` is no text.
    """
    return TaskOutcome(task_id, Outcome.COMPLETED)


def task_failed(task_id: str) -> Rule:
    """Run when task `task_id` has failed.

    Raises:
        DefinitionError: a ValueError, if `task_id` is no text.
    """
    return TaskOutcome(task_id, Outcome.FAILED)


def task_skipped(task_id: str) -> Rule:
    """Run when task `task_id` was skipped.

    Raises:
        DefinitionError: a ValueError, if `task_id` is no text.
    """
    return TaskOutcome(task_id, Outcome.SKIPPED)


def context_value(key: str, operator: str, value: Any = None) -> Rule:
    """Run when the value of `key` compares so with `value`.

    Args:
        key: a context key.
        operator: ``Equals == eq``, ``NotEquals != ne``, ``GreaterThan > gt``, ``LessThan < lt``,
            ``GreaterOrEqual >= ge``, ``LessOrEqual <= le``, ``Contains``, ``NotContains``, ``Exists`` or ``NotExists``;
            case and underscores don't matter.
        value: what to compare with; unused for the last two.

    Raises:
        DefinitionError: a ValueError, for an unknown operator, or a key that is no text.
    """
    if not isinstance(key, str) or not key:
        raise DefinitionError(f"context_value asks for a key of the context, a text like 'rows', not {key!r}.")
    word = str(operator).lower().replace("_", "")
    word = SPELLINGS.get(word, word)
    if word not in OPERATORS:
        known = ", ".join([*OPERATORS, *SPELLINGS])
        raise DefinitionError(f"Unknown operator {operator!r}; use one of {known}.{near_miss(word, OPERATORS)}")
    return ContextValue(key, word, value)


def all_of(*rules: Rule) -> Rule:
    """Run when all of `rules` hold.

    Raises:
        DefinitionError: a ValueError, for anything but rules, and for none at all.
    """
    return All(rules)


def any_of(*rules: Rule) -> Rule:
    """Run when at least one of `rules` holds.

    Raises:
        DefinitionError: a ValueError, for anything but rules, and for none at all.
    """
    return Any_(rules)


def none_of(*rules: Rule) -> Rule:
    """Run when none of `rules` holds.

    Raises:
        DefinitionError: a ValueError, for anything but rules, and for none at all.
    """
    return None_(rules)

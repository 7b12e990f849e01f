"""Trigger rules: what they hold for, what they name, and what is refused."""

import pytest

from cloaca_nb.core import rules
from cloaca_nb.core.rules import all_of, any_of, context_value, none_of, task_failed, task_skipped, task_success
from cloaca_nb.core.status import Outcome
from cloaca_nb.errors import DefinitionError

OUTCOMES = {"a": Outcome.COMPLETED, "b": Outcome.FAILED, "c": Outcome.SKIPPED}
VALUES = {"rows": 3, "name": "flights", "list": [1, 2], "none": None}
YES, NO = rules.always(), task_failed("a")

HOLDS = [
    (rules.always(), True),
    (rules.all_success(), False),
    (task_success("a"), True),
    (task_success("b"), False),
    (task_failed("b"), True),
    (task_failed("c"), False),
    (task_skipped("c"), True),
    (all_of(YES, YES), True),
    (all_of(YES, NO), False),
    (any_of(NO, YES), True),
    (any_of(NO, NO), False),
    (none_of(NO, NO), True),
    (none_of(NO, YES), False),
    (all_of(any_of(NO, YES), none_of(NO)), True),
]


@pytest.mark.parametrize(("rule", "wanted"), HOLDS, ids=repr)
def test_rules_hold(rule, wanted):
    assert rule.holds(OUTCOMES, VALUES.get) is wanted


COMPARED = [
    ("Equals", "rows", 3, True),
    ("Equals", "rows", 4, False),
    ("NotEquals", "rows", 4, True),
    ("GreaterThan", "rows", 2, True),
    ("GreaterThan", "rows", 3, False),
    ("LessThan", "rows", 4, True),
    ("GreaterOrEqual", "rows", 3, True),
    ("GreaterOrEqual", "rows", 4, False),
    ("LessOrEqual", "rows", 3, True),
    ("LessOrEqual", "rows", 2, False),
    ("LessOrEqual", "name", 2, False),
    ("Contains", "name", "light", True),
    ("Contains", "list", 3, False),
    ("NotContains", "list", 3, True),
    ("Exists", "none", None, True),
    ("Exists", "nothing", None, False),
    ("NotExists", "nothing", None, True),
    ("NotExists", "none", None, False),
    ("NotEquals", "nothing", 1, False),  # an absent key is no match
    ("GreaterThan", "name", 1, False),  # nor are values that don't compare
    ("Contains", "rows", 1, False),
]
SPELLINGS = {
    "Equals": ("==", "eq", "EQ", "equals"),
    "NotEquals": ("!=", "ne", "not_equals"),
    "GreaterThan": (">", "gt", "greater_than", "GREATERTHAN"),
    "LessThan": ("<", "lt", "Less_Than"),
    "GreaterOrEqual": (">=", "ge", "greater_or_equal"),
    "LessOrEqual": ("<=", "le", "LessOrEqual"),
    "Contains": ("contains",),
    "NotContains": ("not_contains",),
    "Exists": ("EXISTS",),
    "NotExists": ("not_exists",),
}


@pytest.mark.parametrize(("operator", "key", "value", "wanted"), COMPARED)
def test_values_compare_however_the_operator_is_spelled(operator, key, value, wanted):
    for spelling in (operator, *SPELLINGS[operator]):
        assert context_value(key, spelling, value).holds(OUTCOMES, VALUES.get) is wanted


def test_a_rule_names_its_tasks():
    rule = all_of(task_success("a"), any_of(task_failed("b"), context_value("k", "exists")), none_of(task_skipped("c")))
    assert list(rule.task_ids()) == ["a", "b", "c"]


WRONG = [
    ("an operator", lambda: context_value("k", "equal", 1), "Unknown operator 'equal'; use one of equals"),
    ("its near miss", lambda: context_value("k", "equal", 1), "Did you mean 'equals'?"),
    ("no operator", lambda: context_value("k", 3, 1), "Unknown operator 3"),
    ("a bare id", lambda: all_of("load"), "join rules, like task_failed('load'), not 'load'"),
    ("no id", lambda: task_success(3), "names a task by its id, a text like 'load', not 3"),
    ("no key", lambda: context_value(5, "equals", 1), "asks for a key of the context, a text like 'rows', not 5"),
    ("an empty key", lambda: context_value("", "exists"), "not ''"),
    ("all of nothing", lambda: all_of(), "join rules, and there is none: all_of(task_success('load'), …)"),  # noqa: PLW0108 - made in the test
    ("any of nothing", lambda: any_of(), "write always()"),  # noqa: PLW0108
    ("none of nothing", lambda: none_of(), "write always()"),  # noqa: PLW0108
    ("an empty id", lambda: task_skipped(""), "not ''"),
]


@pytest.mark.parametrize(("what", "make", "text"), WRONG, ids=[case[0] for case in WRONG])
def test_what_is_no_rule_is_refused(what, make, text):
    with pytest.raises(DefinitionError) as caught:
        make()
    assert text in str(caught.value)

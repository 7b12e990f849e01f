"""Trigger rules as text."""

import re

import pytest

from cloaca_nb.core.cell.rule_text import read_rule, rule_code
from cloaca_nb.core.rules import all_of, always, any_of, context_value, none_of, task_failed, task_success
from cloaca_nb.errors import DefinitionError

RULES = [
    ("always()", always(), "cloaca.always()"),
    (" task_failed('a') ", task_failed("a"), 'cloaca.task_failed("a")'),
    ("cloaca.task_failed(task_id='a')", task_failed("a"), 'cloaca.task_failed(task_id="a")'),
    (
        "all_of(task_success('a'), none_of(context_value('n', '>', -1)))",
        all_of(task_success("a"), none_of(context_value("n", ">", -1))),
        'cloaca.all_of(cloaca.task_success("a"), cloaca.none_of(cloaca.context_value("n", ">", -1)))',
    ),
    ("any_of(always())", any_of(always()), "cloaca.any_of(cloaca.always())"),
]


@pytest.mark.parametrize(("text", "rule", "code"), RULES)
def test_rules_are_read_and_written(text, rule, code):
    assert read_rule(text) == rule
    assert rule_code(text) == code
    assert read_rule(code) == rule


WRONG = [
    ("", "no trigger rule"),
    ("task_failed(", "no trigger rule"),
    ("'load'", "no trigger rule: write a call"),
    ("always", "'always' in a trigger rule is a function: call it, always()"),
    ("cloaca.task_failed", 'is a function: call it, task_failed("load")'),
    ("any_of(always, task_failed('a'))", "call it, always()"),
    ("load", "neither a rule nor a plain value: put text in quotes"),
    ("task_failed(load)", "neither a rule nor a plain value: put text in quotes"),
    ("task_faild('a')", "unknown trigger rule 'task_faild'. Did you mean 'task_failed'?"),
    ("open('x').read()", "unknown trigger rule"),
    ("task_failed()", "task_id"),
    ("context_value('k', 'near', 1)", "near"),
]


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_other_text_is_an_error_and_never_run(text, message):
    with pytest.raises(DefinitionError, match=re.escape(message)):
        read_rule(text)

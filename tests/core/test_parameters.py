"""Parameters that follow from others: worked out for every run, unless they are given."""

import pytest

import cloaca_nb as cloaca
from cloaca_nb.core.parameters import following, with_derived
from cloaca_nb.errors import DefinitionError

RULES = {"last": lambda year: year + 1, "title": lambda year, last: f"{year} to {last}"}
DEFAULTS = {"year": 2013, "last": 2014, "title": "2013 to 2014", "carrier": "UA"}
CASES = {
    "nothing given": ({}, {}),
    "what nothing follows from": ({"carrier": "AA"}, {"carrier": "AA"}),
    "the first of a chain": ({"year": 1999}, {"year": 1999, "last": 2000, "title": "1999 to 2000"}),
    "the middle of a chain": ({"last": 2020}, {"last": 2020, "title": "2013 to 2020"}),
    "all of it": ({"year": 1, "last": 2, "title": "x"}, {"year": 1, "last": 2, "title": "x"}),
    "another key": ({"rows": [1]}, {"rows": [1]}),
}


@pytest.mark.parametrize("case", CASES)
def test_what_follows_from_given_values_is_worked_out_again(case) -> None:
    given, changed = CASES[case]
    assert with_derived(RULES, DEFAULTS, given) == {**DEFAULTS, **changed}


def test_what_follows_is_known_without_working_it_out() -> None:
    assert following(RULES, ["year"]) == ["last", "title"]
    assert following(RULES, ["year", "last"]) == ["title"]
    assert following(RULES, ["carrier"]) == []


WRONG = {
    "a failing rule": ({"n": 0}, lambda n: 1 // n, "Parameter 'x' can't be worked out from n=0: ZeroDivisionError"),
    "an unknown name": ({"n": 0}, lambda m: m, "'x' is worked out from 'm', which is no parameter above it"),
    "no function": ({"n": 0}, 3, "'x' is worked out by a function, not 3"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_rule_that_makes_no_value_is_refused_where_it_is_given(case) -> None:
    defaults, rule, message = WRONG[case]
    with pytest.raises(DefinitionError, match=message):
        cloaca.WorkflowBuilder("w").parameters(**defaults).derived_parameters(x=rule)


def test_a_run_and_its_resumed_run_work_out_what_follows_from_their_values() -> None:
    with cloaca.WorkflowBuilder("titles") as builder:
        builder.parameters(year=2013).derived_parameters(title=lambda year: f"Delays of {year}")

        @cloaca.task()
        def head(context):
            context["head"] = context["title"].upper()

    with cloaca.DefaultRunner(":memory:") as runner:
        assert runner.execute("titles").final_context["head"] == "DELAYS OF 2013"
        first = runner.execute("titles", {"year": 2014})
        assert first.final_context["head"] == "DELAYS OF 2014"
        again = runner.resume(first.run_id, context={"year": 2015})
        assert again.final_context["head"] == "DELAYS OF 2015"
        assert runner.execute("titles", {"year": 2014, "title": "x"}).final_context["head"] == "X"

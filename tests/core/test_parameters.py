"""Parameters that follow from others: worked out for every run, unless they are given."""

import pytest

import cloaca_nb as cloaca
from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.parameters import Values, following, with_derived
from cloaca_nb.core.task import Task
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


def test_a_rule_is_executed_once_and_only_for_what_is_asked_for() -> None:
    executed = []

    def rule(name):
        def work_out(year):
            executed.append(name)
            return f"{name} {year}"

        return work_out

    values = Values(
        {"title": rule("title"), "label": rule("label")}, {"year": 1, "title": "", "label": ""}, {"year": 2}
    )
    assert (list(values), len(values), values.waiting, values.known) == (
        ["year", "title", "label"], 3, {"title", "label"}, {"year": 2},
    )  # fmt: skip
    assert "title" in values
    assert repr(values) == "Values({'year': 2})"
    assert executed == []
    assert [values["title"], values["title"]] == ["title 2", "title 2"]
    assert (executed, values.waiting) == (["title"], {"label"})


def test_a_rule_that_fails_concerns_only_who_asks_for_it() -> None:
    rules = {"share": lambda year: 1 / year, "text": str}
    rules["text"] = lambda share: f"{share:.0%}"
    values = Values(rules, {"year": 1, "share": 1.0, "text": "100%"}, {"year": 0})
    for name in ("share", "text", "share"):
        with pytest.raises(DefinitionError, match="Parameter 'share' can't be worked out from year=0"):
            values[name]
    assert with_derived(rules, values, {"share": 0.5}) == {"year": 0, "share": 0.5, "text": "50%"}
    assert with_derived(rules, values, {"year": 2}) == {"year": 2, "share": 0.5, "text": "50%"}


def test_two_parameters_that_need_each_other_are_worked_out_in_their_order() -> None:
    rules = {"a": lambda base, b: (base, b), "b": lambda base, a: (base, a)}
    values = Values(rules, {"base": 1, "b": 2, "a": 3}, {"base": 4})
    assert dict(values) == {"base": 4, "b": (4, (4, 2)), "a": (4, 2)}


def test_a_value_is_told_from_another_one_without_being_worked_out() -> None:
    def grounds(year):
        return Values(RULES, DEFAULTS, year and {"year": year}).grounds

    assert grounds({}) == DEFAULTS
    assert grounds(5) == grounds(5)
    assert grounds(5)["title"] != grounds(6)["title"]
    assert grounds(5)["carrier"] == "UA"


def test_a_workflow_executes_no_rule_for_what_a_run_is_given() -> None:
    def fails(year):
        raise RuntimeError("no net")

    values = Values({"rows": fails}, {"year": 1, "rows": []}, {"year": 2})
    workflow = Workflow("w", [Task("t", lambda context: context, ())], parameters=values, derived={"rows": fails})
    given = workflow.given({"rows": [3]})
    assert given.filled({"rows": [3]}) == {"year": 2, "rows": [3]}
    assert given.parameters["rows"] == workflow.parameters.grounds["rows"]
    assert workflow.given(["year"]) is workflow
    with pytest.raises(DefinitionError, match="no net"):
        workflow.parameters["rows"]


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

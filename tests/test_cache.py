"""Tasks that say themselves whether they are taken from history: always, never, or for a while."""

from datetime import timedelta

import pytest

from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.names import Keys
from cloaca_nb.core.task import Task
from cloaca_nb.declare.task import task
from cloaca_nb.errors import DefinitionError
from cloaca_nb.history.recall import UnchangedOnly
from cloaca_nb.runner import DefaultRunner


def load(context):
    context["rows"] = [1, 2] * context["n"]


def count(context):
    context["total"] = len(context["rows"])


def flow(load_cache=None, count_cache=None):
    first = Task("load", load, (), keys=Keys(), cache=load_cache)
    return Workflow("flow", [first, Task("count", count, ("load",), keys=Keys(), cache=count_cache)])


@pytest.fixture
def runner():
    with DefaultRunner(":memory:") as made:
        made.execute(flow(), {"n": 1})
        yield made


def reasons(result):
    return [one.partition(" run ")[0] for one in result.tasks["reason"]]


UNCHANGED, NEVER = "unchanged since", "executed, as it says cache=False"
WAYS = [
    ("nothing is said", (None, None), "execute", ["", ""]),
    ("always", (True, None), "execute", [UNCHANGED, ""]),
    ("for a while", (3600.0, None), "execute", [UNCHANGED, ""]),
    ("never", (False, None), "execute", ["", ""]),
    ("one always, one never", (True, False), "execute", [UNCHANGED, ""]),
    ("in a cached run", (None, None), "cached", [UNCHANGED, UNCHANGED]),
    ("never in a cached run", (False, None), "cached", [NEVER, UNCHANGED]),
    ("never in a resumed run", (None, False), "resume", [UNCHANGED, NEVER]),
    ("always in a resumed run", (True, True), "resume", [UNCHANGED, UNCHANGED]),
]


@pytest.mark.parametrize(("caches", "way", "said"), [one[1:] for one in WAYS], ids=[one[0] for one in WAYS])
def test_what_is_taken_and_why(caches, way, said, runner):
    workflow = flow(*caches)
    if way == "resume":
        result = runner.resume(workflow=workflow)
    else:
        result = runner.execute(workflow, {"n": 1}, cached=way == "cached")
    assert reasons(result) == said
    assert [attempts == 0 for attempts in result.tasks["attempts"]] == [why == UNCHANGED for why in said]
    assert result.final_context["total"] == 2


BOTH = (True, True)


def test_another_input_is_a_miss_with_its_reason(runner):
    result = runner.execute(flow(*BOTH), {"n": 2})
    assert reasons(result) == ["executed, as 'n' has another value now", "executed, as 'rows' has another value now"]
    again = runner.execute(flow(*BOTH), {"n": 2})
    assert reasons(again) == [UNCHANGED, UNCHANGED]


def test_a_task_is_too_old_however_often_it_was_taken_since(runner):
    for _ in range(2):
        assert reasons(runner.execute(flow(*BOTH), {"n": 1})) == [UNCHANGED, UNCHANGED]
    executed = runner.history().sql("SELECT epoch(min(ended)) AS at FROM tasks WHERE task_id = 'load'")["at"][0]
    workflow = flow(60.0)
    for run in (None, runner.history().runs()["run_id"][0]):
        memory = runner.history().memory(workflow, run)
        young, old = (UnchangedOnly(memory, now=lambda later=later: executed + later) for later in (59, 7200))
        context = Inherits(n=1)
        assert young(workflow["load"], context).reason.startswith(UNCHANGED)
        assert old(workflow["load"], context) == (
            "executed, as it was executed 2 h 00 m ago, and its cache=60 allows 1 m 00 s"
        )


class Inherits:
    """A context as a recall asks it."""

    def __init__(self, **values):
        self._values = values

    def inherited_value(self, key):
        return self._values[key]


OPTIONS = [(True, True), (False, False), (None, None), (60, 60.0), (timedelta(hours=1), 3600.0)]


@pytest.mark.parametrize(("given", "kept"), OPTIONS, ids=repr)
def test_the_decorators_option(given, kept, registry):
    @task(cache=given)
    def one(context):
        return context

    assert registry.find_task(__name__, "one").cache == kept


@pytest.mark.parametrize("wrong", [0, -1, "1h", float("nan"), timedelta()], ids=repr)
def test_what_is_no_cache_is_refused(wrong):
    with pytest.raises(DefinitionError, match=r"cache is .* but must be True, False, or how long ago"):
        task(cache=wrong)

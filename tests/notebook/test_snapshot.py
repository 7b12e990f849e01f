"""What a run in the background keeps of the notebook."""

import pytest

from cloaca_nb.core.context import Context
from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.task import Task
from cloaca_nb.notebook.snapshot import frozen

SOURCE = """
FACTOR = 2
def twice(number, *, more=1):
    "Doubles."
    return FACTOR * number + more
twice.mark = "kept"
def body(context):
    return twice(3)
def told(task_id, context):
    return FACTOR
"""


def test_functions_see_the_names_as_they_were() -> None:
    names = {"__name__": "__main__"}
    exec(SOURCE, names)  # noqa: S102 - our own text
    body, told = names["body"], names["told"]
    task = Task(id="a", function=body, on_success=told, on_failure=print)
    workflow = Workflow("w", [task], description="text", tags={"a": "b"}, parameters={"year": 1})
    kept = frozen(workflow, names)
    exec("FACTOR = 10\ndef twice(number): return 0", names)  # noqa: S102 - our own text
    assert body(None) == 0
    assert kept["a"].function(None) == 7
    assert kept["a"].on_success("a", None) == 2
    assert kept["a"].on_failure is print
    assert (kept.name, kept.description, dict(kept.tags), dict(kept.parameters)) == (
        "w",
        "text",
        {"a": "b"},
        {"year": 1},
    )
    assert kept["a"].function.__module__ == "__main__"


def test_a_copied_function_is_as_the_other_one() -> None:
    names = {"__name__": "__main__"}
    exec(SOURCE, names)  # noqa: S102 - our own text
    twice = frozen(Workflow("w", [Task(id="a", function=names["body"])]), names)["a"].function.__globals__["twice"]
    assert twice is not names["twice"]
    assert (twice.__doc__, twice.mark, twice.__kwdefaults__) == ("Doubles.", "kept", {"more": 1})


OTHERS = """
from functools import cache, lru_cache, partial, wraps
STEP = 1
def add(number, *more):
    return number + STEP
def decorated(function):
    @wraps(function)
    def wrapper(*arguments):
        return function(*arguments) + STEP
    return wrapper
def make(function):
    def closed(number):
        return function(number)
    return closed
def counted():
    count = 0
    def more():
        nonlocal count
        count += STEP
        return count
    def seen():
        return count
    return more, seen
class Model:
    size = 3
    def step(self, number):
        return number + STEP
    @property
    def double(self):
        return 2 * STEP
@decorated
def twice(number):
    return 2 * number * STEP
def with_default(number, function=add, *, other=add):
    return function(number) + other(number)
def even(number):
    return number <= 0 or odd(number - STEP)
def odd(number):
    return number > 0 and even(number - STEP)
closed, closed_again = make(add), make(make(add))
partly = partial(add, 1)
cached, kept = cache(add), lru_cache(maxsize=3, typed=True)(add)
more, seen = counted()
model = Model()
table = {"add": add}
"""

KEPT = [
    # an expression, what a run that began before the edits finds, and what the notebook finds after them
    ("add(1)", 2, 101),
    ("twice(1)", 3, 300),
    ("twice.__wrapped__(1)", 2, 200),
    ("closed(1)", 2, 101),
    ("closed_again(1)", 2, 101),
    ("partly()", 2, 101),
    ("cached(1)", 2, 101),
    ("kept(1)", 2, 101),
    ("kept.cache_parameters()['typed']", True, True),
    ("with_default(1)", 4, 202),
    ("even(10)", True, False),
    ("isinstance(model, Model)", True, True),
    ("type(model) is Model", True, True),
    # what the notebook itself is seen by
    ("model.step(1)", 101, 101),
    ("model.double", 200, 200),
    ("table['add'](1)", 101, 101),
]


@pytest.mark.parametrize(("text", "kept", "edited"), KEPT, ids=[one[0] for one in KEPT])
def test_what_functions_hold_is_kept_as_it_was(text, kept, edited) -> None:
    names = {"__name__": "__main__"}
    exec(f"{OTHERS}\ndef body(context):\n    return {text}", names)  # noqa: S102 - our own text
    snapshot = frozen(Workflow("w", [Task(id="a", function=names["body"])]), names)["a"].function
    names["STEP"] = 100
    assert snapshot(None) == kept
    assert names["body"](None) == edited


def test_state_that_functions_share_stays_shared() -> None:
    names = {"__name__": "__main__"}
    exec(f"{OTHERS}\ndef body(context):\n    return more(), seen()", names)  # noqa: S102 - our own text
    snapshot = frozen(Workflow("w", [Task(id="a", function=names["body"])]), names)["a"].function
    names["STEP"] = 100
    assert snapshot(None) == (1, 1)
    assert names["body"](None) == (101, 101)
    assert snapshot(None) == (102, 102)


def test_a_decorator_that_leads_back_to_its_function_ends() -> None:
    names = {"__name__": "__main__"}
    exec(  # noqa: S102 - our own text
        "STEP = 1\ndef marked(function):\n    def wrapper(n):\n        wrapper.calls += 1\n        return function(n)\n"
        "    wrapper.calls = 0\n    wrapper.again = wrapper\n    return wrapper\n"
        "@marked\ndef add(n):\n    return n + STEP\n@marked\ndef body(context):\n    return add(1), add.calls",
        names,
    )
    snapshot = frozen(Workflow("w", [Task(id="a", function=names["body"])]), names)["a"].function
    names["STEP"] = 100
    assert (snapshot(None), snapshot.calls, snapshot.again is snapshot) == ((2, 1), 1, True)
    assert (names["body"](None), names["add"].calls) == ((101, 1), 1)


def test_what_a_library_has_made_of_a_function_of_the_notebook_is_kept_too(cell) -> None:
    cell("from contextlib import contextmanager\nSTEP = 1")
    cell("@contextmanager\ndef stepping():\n    yield STEP")
    cell("%%cloaca_task a\nwith stepping() as found:\n    pass\nstep = found")
    names = cell.names
    kept = frozen(cell.session.workflow(), names)["a"].function
    names["STEP"] = 100
    context = Context()
    kept(context)
    assert context["step"] == 1

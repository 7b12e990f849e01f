"""What cached functions have computed, from one background run to the next."""

from functools import cache, lru_cache

import pytest

from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.task import Task
from cloaca_nb.notebook.cached_copy import CachedCopy
from cloaca_nb.notebook.snapshot import frozen

CELL = """
import os
from functools import cache, lru_cache
from pathlib import Path
STEP, computed = 1, []
def add(number):
    return number + STEP
@cache
def adds(number):
    computed.append(number)
    return add(number)
@lru_cache(maxsize=2)
def loads(name):
    return [os.fspath(Path(name))]
@cache
def deep(n):
    return n and deep(n - 1) + 1
def closed():
    @cache
    def inner(n):
        return n and inner(n - 1) + STEP
    return inner
again = closed()
adds.mark = "kept"
"""


class Notebook:
    """The names of a notebook, and the runs that it sends into the background."""

    def __init__(self):
        self.names = {"__name__": "__main__"}
        self.copies = {}
        self.cell(CELL)

    def cell(self, text):
        exec(text, self.names)  # noqa: S102 - our own text

    def begin(self, text):
        """Return what evaluates an expression as a run does that begins now."""
        self.cell(f"def body(context):\n    return {text}")
        workflow = Workflow("w", [Task(id="a", function=self.names["body"])])
        body = frozen(workflow, self.names, self.copies)["a"].function
        return lambda: body(None)


EDITS = [
    # what happens between two runs, and what the second then computes
    ("unrelated = 1", []),
    ("STEP = 1", []),  # the very same
    ("STEP = 10", [1]),
    ("def add(number):\n    return -number", [1]),
    ("adds.cache_clear()", []),  # of the notebook's own
    (f"{CELL}\ncomputed = computed", [1]),
]


@pytest.mark.parametrize(("edit", "computed"), EDITS, ids=[edit for edit, _ in EDITS])
def test_a_cached_function_computes_again_only_where_it_or_what_it_uses_is_another(edit, computed) -> None:
    notebook = Notebook()
    first = notebook.begin("adds(1)")
    assert [first(), first()] == [2, 2]
    assert notebook.names["computed"] == [1]
    kept = notebook.names["computed"]
    notebook.cell(edit)
    notebook.names["computed"] = kept
    kept.clear()
    second = notebook.begin("adds(1)")
    expected = notebook.names["add"](1)
    assert [second(), second()] == [expected] * 2
    assert kept == computed


def test_an_edit_reaches_the_run_that_begins_after_it_and_no_other() -> None:
    notebook = Notebook()
    first = notebook.begin("adds(5)")
    notebook.cell("STEP = 100")
    second = notebook.begin("adds(5)")
    assert (first(), second(), first()) == (6, 105, 6)


def test_what_uses_imports_alone_is_the_notebook_s_own() -> None:
    notebook = Notebook()
    loaded = notebook.names["loads"]("model")
    assert notebook.begin("loads")() is notebook.names["loads"]
    assert notebook.begin("loads('model')")() is loaded
    assert notebook.begin("adds")() is not notebook.names["adds"]


def test_a_recursion_goes_as_deep_as_in_the_notebook() -> None:
    notebook = Notebook()
    begun = notebook.begin("deep(250), again(250)")
    assert begun() == (250, 250)
    assert notebook.begin("deep(1), deep.cache_info().misses")() == (1, 251)
    assert notebook.names["deep"].cache_info().misses == 0


def test_a_copy_is_as_the_other_one() -> None:
    notebook = Notebook()
    parts = "adds.__name__, adds.mark, adds.cache_parameters(), adds.__wrapped__(1)"
    assert notebook.begin(parts)() == ("adds", "kept", {"maxsize": None, "typed": False}, 2)
    notebook.cell("adds.mark = 'other'")
    assert notebook.begin("adds.mark")() == "other"


def test_what_no_run_uses_any_more_is_let_go_of() -> None:
    notebook = Notebook()
    notebook.begin("adds(1)")
    assert len(notebook.copies) == 3
    notebook.cell("del adds, again")
    notebook.begin("deep(1)")
    assert len(notebook.copies) == 1


def test_a_copy_is_of_one_function_and_what_it_saw() -> None:
    function, other = lru_cache(maxsize=7)(len), cache(len)
    copy = CachedCopy(function, {"a": 1})
    assert copy.function.cache_parameters()["maxsize"] == 7
    assert copy.is_of(function, {"a": 1})
    assert not copy.is_of(other, {"a": 1})
    assert not copy.is_of(function, {"a": 2})
    assert not copy.is_of(function, {"a": 1, "b": 1})

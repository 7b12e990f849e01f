"""What a run in the background keeps of the notebook."""

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

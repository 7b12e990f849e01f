"""The public names, as documented and as the code has them; and the errors that users of the reference expect."""

import builtins
import importlib.util
import inspect
import re
from pathlib import Path

import pytest

import cloaca_nb as cloaca

DOCS = Path(__file__).parents[1] / "docs"


def load_writer():
    specification = importlib.util.spec_from_file_location("conformance", DOCS / "conformance.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def rows_of_page():
    """Return the cells of each line of the page by full name, e.g. "Context.get"."""
    rows, owner = {}, ""
    for line in (DOCS / "conformance.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip().strip("`") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if line.startswith("| `"):
            owner = owner if cells[0].startswith(".") else cells[0]
            rows[owner + cells[0] if cells[0].startswith(".") else owner] = cells
    return rows


ROWS = rows_of_page()


def test_the_page_is_what_the_code_says():
    written = (DOCS / "conformance.md").read_text(encoding="utf-8")
    assert written == load_writer().page(), "The public names have changed: run `python docs/conformance.py`."


def test_every_public_name_has_a_row():
    assert sorted(name for name in ROWS if "." not in name) == sorted(cloaca.__all__)


def member(name):
    first, _, rest = name.partition(".")
    found = getattr(cloaca, first)
    return getattr(found, rest) if rest else found


CALLED = [name for name, cells in ROWS.items() if cells[1].startswith("(")]


@pytest.mark.parametrize("name", CALLED)
def test_parameters_and_defaults_are_those_of_the_code(name):
    found = [one for one in inspect.signature(member(name)).parameters.values() if one.name != "self"]
    said = re.sub(r"=[^,()]*(\([^()]*\))?[^,()]*", "", ROWS[name][1]).strip("()").split(", ")
    assert [one.lstrip("*") for one in said if one not in ("", "*", "/")] == [one.name for one in found]
    for one in found:
        if one.default is not one.empty and " at 0x" not in repr(one.default):
            assert f"{one.name}={one.default!r}" in ROWS[name][1]


@pytest.mark.parametrize("name", [name for name in cloaca.__all__ if not name.endswith("Error")])
def test_errors_that_are_named_exist_and_are_public(name):
    for row, cells in ROWS.items():
        if row.partition(".")[0] == name:
            for error in re.findall(r"(?:^|; )(\w+): ", cells[3]):
                found = getattr(cloaca, error, None) or getattr(builtins, error)
                assert issubclass(found, BaseException)


@pytest.mark.parametrize("name", [name for name in cloaca.__all__ if inspect.isclass(getattr(cloaca, name))])
def test_every_public_member_has_a_row(name):
    kind = getattr(cloaca, name)
    if issubclass(kind, Exception):
        return
    own = {key for base in kind.__mro__ if base is not object for key in vars(base) if not key.startswith("_")}
    assert own <= {row.partition(".")[2] for row in ROWS if row.startswith(f"{name}.")} | UNDOCUMENTED.get(name, set())


UNDOCUMENTED = {"Context": {"changes", "conflicts"}}  # what the engine takes from a context, no part of its contract


# -- what code for the reference library expects


def undefined(context):
    return context


def build(*tasks):
    builder = cloaca.WorkflowBuilder("w")
    for task_id, dependencies in tasks:
        cloaca.task(id=task_id, dependencies=dependencies)(lambda context: context)
        builder.add_task(task_id)
    return builder.build()


def with_reading_constructor():
    raise OSError("no such file")


def of_runner(call):
    with cloaca.DefaultRunner(":memory:") as runner:
        return call(runner)


RAISES = [
    (lambda: cloaca.Context([1]), TypeError, "takes a dict"),
    (lambda: cloaca.Context().update_from_dict([1]), TypeError, "takes a dict"),
    (lambda: cloaca.Context.from_json("{"), ValueError, ""),
    (lambda: cloaca.Context.from_json("[1]"), ValueError, "JSON object"),
    (lambda: cloaca.Context({"a": 1}).insert("a", 2), ValueError, "'a'"),
    (lambda: cloaca.Context().update("a", 2), KeyError, "'a'"),
    (lambda: cloaca.Context().__delitem__("a"), KeyError, "'a'"),
    (lambda: cloaca.Context()["a"], KeyError, "'a'"),
    (lambda: cloaca.task(retry=cloaca.RetryPolicy(), retry_attempts=2), ValueError, "retry_attempts=, not both"),
    (lambda: cloaca.task(retry_backoff="expo"), ValueError, "'fixed', 'linear', 'exponential'"),
    (lambda: cloaca.task(retry_condition="some"), ValueError, "'never', 'transient', 'all'"),
    (lambda: cloaca.context_value("k", "like", 1), ValueError, "Unknown operator 'like'"),
    (cloaca.TaskHandle, TypeError, "made by the engine"),
    (lambda: cloaca.WorkflowBuilder("w").tag("k", 1), TypeError, "A tag is two texts"),
    (lambda: cloaca.WorkflowBuilder("w").add_task("a"), ValueError, "not found in registry"),
    (lambda: cloaca.WorkflowBuilder("w").add_task(undefined), ValueError, "not found in registry"),
    (lambda: cloaca.WorkflowBuilder("w").add_task(3), ValueError, "string task ID or a function object"),
    (build, ValueError, "Workflow cannot be empty"),
    (lambda: build(("a", ["b"])), ValueError, "Missing dependency"),
    (lambda: build(("a", ["b"]), ("b", ["a"])), ValueError, "Circular dependency"),
    (lambda: cloaca.register_workflow_constructor("w", lambda: 1), ValueError, "returned int, not a Workflow"),
    (lambda: cloaca.register_workflow_constructor("w", with_reading_constructor), ValueError, "raised OSError"),
    (lambda: cloaca.DefaultRunnerConfig(max_concurrent_tasks=0), ValueError, "Invalid configuration"),
    (lambda: cloaca.DefaultRunner("postgresql://me@host/db"), RuntimeError, "DuckDB"),
    (
        lambda: of_runner(lambda runner: runner.execute("nothing", cloaca.Context())),
        ValueError,
        "No workflow 'nothing'",
    ),
    (lambda: cloaca.TaskNamespace.from_string("a::b"), ValueError, "Invalid namespace"),
    (
        lambda: cloaca.var("UNSET"),
        KeyError,
        "required variable 'UNSET' not set (expected env var CLOACINA_VAR_UNSET)",
    ),
]


@pytest.mark.parametrize(("call", "kind", "text"), RAISES, ids=[f"{case[1].__name__}: {case[2]}" for case in RAISES])
def test_errors_are_of_the_kind_that_is_expected(call, kind, text, registry):
    with pytest.raises(kind) as caught:
        call()
    assert text in str(caught.value)


def test_texts_are_those_that_are_expected(registry):
    workflow = build(("a", []), ("b", ["a"]))
    assert repr(workflow) == "Workflow(name='w', tasks=2)"
    assert repr(cloaca.WorkflowBuilder("x")) == "WorkflowBuilder(name='x')"
    assert repr(cloaca.Context({"a": [1, "x"]})) == "Context({'a': [1, 'x']})"
    result = of_runner(lambda runner: runner.execute("w", cloaca.Context()))
    assert repr(result) == "WorkflowResult(status=Completed, error=None)"
    assert result.status == "Completed"
    assert result.status == "completed"


def test_a_workflow_answers_as_expected(registry):
    workflow = build(("a", []), ("b", ["a"]), ("c", ["a"]))
    assert workflow.topological_sort() == ["a", "b", "c"]
    assert workflow.get_execution_levels() == [["a"], ["b", "c"]]
    assert (workflow.get_roots(), workflow.get_leaves()) == (["a"], ["b", "c"])
    assert (workflow.description, workflow.validate()) == ("", None)


def test_docstrings_may_be_marked(registry):
    @cloaca.task()
    def load(context):
        """What: load the flights.

        Why: they are late.
        """

    task = cloaca.WorkflowBuilder("w").add_task(load).build()["load"]
    assert (task.description, task.why) == ("load the flights.", "they are late.")

"""Both ways of building a workflow, and what each refuses."""

import threading

import pytest

from cloaca_nb.core.graph import Workflow
from cloaca_nb.declare.builder import WorkflowBuilder
from cloaca_nb.declare.registry import REGISTRY, register_workflow_constructor, workflows
from cloaca_nb.declare.task import task
from cloaca_nb.errors import TaskNotFoundError, WorkflowNotFoundError, WorkflowValidationError


def chain(name="w", *, ids=("load", "clean")):
    """Build a chain inside a `with` block."""
    with WorkflowBuilder(name) as builder:
        for before, one in zip((None, *ids), ids, strict=False):
            task(id=one, dependencies=[before] if before else [])(lambda context: context)
    return builder


# -- by name


def test_tasks_are_added_by_id_or_function():
    @task(id="first")
    def load(context):
        context["rows"] = [1]

    @task(id="second", dependencies=["first"])
    def clean(context):
        context["clean"] = context.get("rows")

    builder = WorkflowBuilder("w")
    workflow = builder.description("Cleans.").tag("team", "data").add_task("first").add_task(clean).build()
    assert (workflow.name, workflow.description, dict(workflow.tags)) == ("w", "Cleans.", {"team": "data"})
    assert workflow.topological_sort() == ["first", "second"]
    assert repr(builder) == "WorkflowBuilder(name='w')"
    assert repr(workflow) == "Workflow(name='w', tasks=2)"
    assert workflows()["w"] is workflow


def test_building_again_gives_an_equal_workflow():
    @task()
    def load(context): ...

    builder = WorkflowBuilder("w").add_task("load")
    assert builder.build().version == builder.build().version


def missing(builder):
    builder.add_task("laod")


def of_a_block(builder):
    chain()
    builder.add_task("clean")


def no_task(builder):
    builder.add_task(missing)


def a_number(builder):
    builder.add_task(3)


@pytest.mark.parametrize(
    ("add", "says"),
    [
        (missing, ["not found in registry", "'laod'", "Did you mean 'load'?", __name__]),
        (of_a_block, ["not found in registry", "outside `with` blocks"]),
        (no_task, ["Task missing not found in registry", "no task yet. Put @task() above its `def`"]),
        (a_number, ["string task ID or a function object", "not 3"]),
    ],
)
def test_what_cannot_be_added(add, says):
    @task()
    def load(context): ...

    with pytest.raises(TaskNotFoundError) as caught:
        add(WorkflowBuilder("x"))
    assert isinstance(caught.value, ValueError)
    for part in says:
        assert part in str(caught.value)


def empty():
    WorkflowBuilder("w").build()


def missing_dependency():
    chain(ids=("load",))
    with WorkflowBuilder("w"):
        task(id="load")(lambda context: context)
        task(id="clean", dependencies=["laod"])(lambda context: context)


def circle():
    with WorkflowBuilder("w"):
        task(id="a", dependencies=["b"])(lambda context: context)
        task(id="b", dependencies=["a"])(lambda context: context)


def twice_in_a_block():
    with WorkflowBuilder("w"):
        task(id="a")(lambda context: context)
        task(id="a")(lambda context: context)


def twice_in_a_loop():
    with WorkflowBuilder("w"):
        for _ in range(2):

            @task()
            def one(_context): ...


def twice_by_name():
    task(id="a")(lambda context: context)
    WorkflowBuilder("w").add_task("a").add_task("a").build()


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (empty, ["Workflow cannot be empty", "'w'", "add_task()"]),
        (missing_dependency, ["Missing dependency", "'clean'", "'laod'", "Did you mean 'load'?"]),
        (circle, ["Circular dependency", "a -> b -> a"]),
        (twice_in_a_block, ["Duplicate task", "'a'", "test_builder.py", "Rename one"]),
        (twice_in_a_loop, ["Duplicate task", "In a loop give each task its own id", 'id=f"one_{n}"']),
        (twice_by_name, ["Duplicate task", "'a'"]),
    ],
)
def test_what_makes_no_workflow(build, says):
    with pytest.raises(WorkflowValidationError) as caught:
        build()
    assert isinstance(caught.value, ValueError)
    for part in says:
        assert part in str(caught.value)


@pytest.mark.parametrize("name", ["", None, 3])
def test_a_workflow_has_a_name(name):
    with pytest.raises(WorkflowValidationError, match="name is a text"):
        WorkflowBuilder(name)


def test_a_tag_is_two_texts():
    with pytest.raises(TypeError, match="two texts"):
        WorkflowBuilder("w").tag("size", 3)


# -- as a block


def test_a_block_registers_at_its_end():
    with WorkflowBuilder("w") as builder:
        task(id="a")(lambda context: context)
        assert REGISTRY.names() == []
    assert REGISTRY.names() == ["w"]
    assert builder.build().roots == ("a",)


def test_tasks_of_a_block_are_no_loose_tasks():
    chain()
    assert REGISTRY.find_task(__name__, "load") is None


def test_running_a_block_again_replaces_the_whole_workflow():
    chain(ids=("load", "clean"))
    chain(ids=("load", "report"))
    assert workflows()["w"].topological_sort() == ["load", "report"]


def test_the_same_builder_used_again_starts_afresh_but_keeps_what_was_added():
    task(id="added")(lambda context: context)
    builder = WorkflowBuilder("w").add_task("added")
    for one in ("a", "b"):
        with builder:
            task(id=one)(lambda context: context)
    assert {found.id for found in workflows()["w"].tasks} == {"added", "b"}


def failing_block():
    with WorkflowBuilder("w"):
        task(id="a")(lambda context: context)
        raise RuntimeError("as it is")


def test_an_exception_in_a_block_registers_nothing_and_comes_out_as_it_is():
    with pytest.raises(RuntimeError, match="^as it is$"):
        failing_block()
    assert REGISTRY.names() == []
    task(id="after")(lambda context: context)
    assert REGISTRY.find_task(__name__, "after") is not None


def test_a_failing_block_leaves_the_workflow_that_was_there():
    chain(ids=("load",))
    with pytest.raises(RuntimeError):
        failing_block()
    assert workflows()["w"].topological_sort() == ["load"]


def test_blocks_nest():
    with WorkflowBuilder("outer"):
        task(id="a")(lambda context: context)
        with WorkflowBuilder("inner"):
            task(id="a")(lambda context: context)
        task(id="b")(lambda context: context)
    assert {name: workflow.topological_sort() for name, workflow in workflows().items()} == {
        "inner": ["a"],
        "outer": ["a", "b"],
    }


def test_threads_build_without_seeing_each_other():
    meeting = threading.Barrier(8, timeout=20)

    def build(number):
        with WorkflowBuilder(f"w{number}"):
            for one in range(20):
                if one % 10 == 0:
                    meeting.wait()
                task(id=f"t{number}.{one}")(lambda context: context)

    threads = [threading.Thread(target=build, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    built = workflows()
    assert len(built) == 8
    for number in range(8):
        assert [one.id for one in built[f"w{number}"].tasks] == [f"t{number}.{one}" for one in range(20)]


def block_of_two(**options):
    with WorkflowBuilder("w", **options):

        @task()
        def load(context):
            context["rows"] = [1]

        @task()
        def clean(context):
            context["clean"] = context["rows"]

    return workflows()["w"]


def test_inference_can_be_switched_off():
    assert block_of_two().inferred_dependencies == {"clean": ("load",)}
    assert block_of_two(infer=False).inferred_dependencies == {}


def test_a_task_that_names_dependencies_and_overlooks_one_is_warned_about():
    @task()
    def load(context):
        context["rows"] = [1]

    @task(dependencies=[])
    def clean(context):
        context["clean"] = context["rows"]

    builder = WorkflowBuilder("w").add_task(load).add_task(clean)
    with pytest.warns(UserWarning, match="add 'load' to its dependencies") as told:
        builder.build()
    assert told[0].filename == __file__


def test_parameters_are_defaults_of_the_initial_context():
    with WorkflowBuilder("w") as builder:
        builder.parameters(year=2013)
        task(id="a")(lambda context: context)
    assert workflows()["w"].parameters == {"year": 2013}


# -- constructors and names


def test_a_constructor_is_called_once_to_check_it_and_afresh_each_time():
    calls = []

    def construct():
        calls.append(1)
        return chain().build()

    assert register_workflow_constructor("made", construct) is None
    assert len(calls) == 1
    assert REGISTRY.workflow("made") is not REGISTRY.workflow("made")
    assert len(calls) == 3


@pytest.mark.parametrize(
    ("constructor", "says"),
    [
        (lambda: 1 / 0, ["'made'", "ZeroDivisionError", "division by zero"]),
        (lambda: None, ["'made'", "NoneType", "return builder.build()"]),
        (None, ["'made'", "function that returns a Workflow", "lambda: workflow"]),
    ],
)
def test_a_constructor_that_makes_no_workflow(constructor, says):
    with pytest.raises(ValueError, match="constructor") as caught:
        register_workflow_constructor("made", constructor)
    for part in says:
        assert part in str(caught.value)
    assert REGISTRY.names() == []


def test_an_unknown_workflow_is_answered_with_the_known_ones():
    chain("flights")
    with pytest.raises(WorkflowNotFoundError, match=r"'fligths'\. Did you mean 'flights'\? Known workflows: 'flights'"):
        REGISTRY.workflow("fligths")


def test_the_loose_tasks_of_a_module_are_a_workflow_named_after_its_file():
    @task()
    def load(context): ...

    assert isinstance(REGISTRY.workflow("test_builder"), Workflow)
    assert REGISTRY.module_workflow(__name__).roots == ("load",)
    assert REGISTRY.module_workflow("nowhere") is None

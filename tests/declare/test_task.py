"""The decorator: what it takes in, what it gives back, and what it refuses."""

import functools

import pytest

from cloaca_nb.core.backoff import BackoffStrategy
from cloaca_nb.core.context import Context
from cloaca_nb.core.retry import RetryPolicy
from cloaca_nb.core.retry_condition import RetryCondition
from cloaca_nb.core.rules import always, task_failed
from cloaca_nb.declare.registry import REGISTRY
from cloaca_nb.declare.task import task
from cloaca_nb.errors import DefinitionError


def loose(task_id):
    """Return the task of this module that was declared under that id."""
    return REGISTRY.find_task(__name__, task_id)


def test_the_function_comes_back_and_can_be_called():
    @task()
    def double(context):
        context["y"] = context["x"] * 2
        return context

    assert double(Context({"x": 2})) == {"x": 2, "y": 4}
    assert loose("double").function is double


def test_what_is_known_of_a_task():
    @task(id="cleaned", dependencies=["load", "load"], timeout=3, on_success=print, trigger_rules=always())
    def clean(context):
        """Drop what is empty."""
        context["df"] = context.get("raw")

    known = loose("cleaned")
    assert known.dependencies == ("load",)
    assert known.keys.reads == ("raw",)
    assert known.keys.sets == ("df",)
    assert known.description == "Drop what is empty."
    assert known.source.startswith('@task(id="cleaned"')
    assert known.where.endswith(f"test_task.py:{clean.__code__.co_firstlineno}")
    assert (known.timeout, known.on_success, known.rule, known.is_async) == (3, print, always(), False)


def test_a_coroutine_function_and_a_handle_are_seen():
    @task()
    async def waits(context, task_handle): ...

    assert loose("waits").is_async
    assert loose("waits").handle == "task_handle"


def test_dependencies_as_functions_mean_their_tasks():
    @task(id="first")
    def load(context): ...

    @task(dependencies=[load, "other"])
    def clean(context): ...

    assert loose("clean").dependencies == ("first", "other")


def test_without_dependencies_they_are_inferred_and_with_none_they_are_none():
    @task()
    def open_ended(context): ...

    @task(dependencies=())
    def independent(context): ...

    assert loose("open_ended").dependencies is None
    assert loose("independent").dependencies == ()


def test_decorating_again_replaces_the_task_in_its_place():
    for text in ("first", "second"):

        @task(id="a")
        def body(context, text=text):
            return text

        @task(id=f"only {text}")
        def other(context): ...

    assert REGISTRY.loose(__name__).ids() == ["a", "only first", "only second"]
    assert loose("a").function(None) == "second"


def test_what_has_no_source_is_a_task_all_the_same():
    task(id="printed")(print)
    task(id="partial")(functools.partial(print, "hello"))
    assert REGISTRY.find_task("builtins", "printed").keys.computed
    assert REGISTRY.find_task("functools", "partial").source == ""


@pytest.mark.parametrize(
    ("options", "policy"),
    [
        ({}, RetryPolicy(1)),
        ({"retry_attempts": 3}, RetryPolicy(4, 1.0, 60.0)),
        (
            {
                "retry_attempts": 2,
                "retry_backoff": "linear",
                "retry_delay_ms": 500,
                "retry_max_delay_ms": 1500.5,
                "retry_condition": "transient",
                "retry_jitter": False,
            },
            RetryPolicy(3, 0.5, 1.5005, BackoffStrategy.linear(1), RetryCondition.transient_only(), with_jitter=False),
        ),
        ({"retry": RetryPolicy(max_attempts=4)}, RetryPolicy(max_attempts=4)),
    ],
)
def test_retries(options, policy):
    task(id="a", **options)(lambda context: context)
    assert loose("a").retry == policy


def body(context): ...


def not_a_task(context): ...


def without_context(): ...


def with_two(context, more): ...


WRONG = [
    ({"retry_backoff": "linar"}, body, ["is 'linar'", "'fixed', 'linear', 'exponential'", "mean 'linear'"]),
    ({"retry_condition": "transiant"}, body, ["'never', 'transient', 'all'", "Did you mean 'transient'?"]),
    ({"retry_attempts": -1}, body, ["retry_attempts is -1", "negative"]),
    ({"retry_attempts": "3"}, body, ["retry_attempts is '3'", "whole number"]),
    ({"retry_attempts": True}, body, ["retry_attempts is True", "whole number"]),
    ({"retry_attempts": 1.5}, body, ["retry_attempts is 1.5", "whole number"]),
    ({"retry_delay_ms": -5}, body, ["retry_delay_ms", "negative"]),
    ({"retry_delay_ms": "1s"}, body, ["retry_delay_ms is '1s'", "milliseconds"]),
    ({"retry_max_delay_ms": float("nan")}, body, ["retry_max_delay_ms is nan", "milliseconds"]),
    ({"retry_jitter": "yes"}, body, ["retry_jitter is 'yes'", "True or False"]),
    ({"retry": 3}, body, ["retry is 3", "RetryPolicy(max_attempts=3)"]),
    ({"retry": RetryPolicy(), "retry_attempts": 1, "retry_jitter": True}, body,
     ["retry_attempts=", "retry_jitter=", "not both"]),
    ({"timeout": 0}, body, ["timeout is 0", "above 0", "None: no limit"]),
    ({"timeout": "3"}, body, ["timeout is '3'", "number of seconds"]),
    ({"timeout": float("inf")}, body, ["timeout is inf"]),
    ({"on_success": "notify"}, body, ["on_success is 'notify'", "(task_id, context)"]),
    ({"on_failure": 3}, body, ["on_failure is 3", "(task_id, error, context)"]),
    ({"trigger_rules": "load"}, body, ["trigger_rules is 'load'", "task_failed('load')"]),
    ({"trigger_rules": [task_failed("a")]}, body, ["trigger_rules is [", "all_of("]),
    ({"executor": "proces"}, body, ["executor is 'proces'", '"thread"', "Did you mean 'process'?"]),
    ({"executor": 4}, body, ["executor is 4", "concurrent.futures.Executor"]),
    ({"id": 3}, body, ["id is a text, not 3"]),
    ({"id": ""}, body, ["id is a text, not ''"]),
    ({"dependencies": "load"}, body, ["'body' are a list", "dependencies=['load']"]),
    ({"dependencies": not_a_task}, body, ["'body' are a list", "dependencies=[not_a_task]"]),
    ({"dependencies": [not_a_task]}, body, ["'body' depends on not_a_task", "neither an id nor a function"]),
    ({"dependencies": [3]}, body, ["'body' depends on 3"]),
    ({}, without_context, ["'without_context'", "context alone", "`def without_context(context):`"]),
    ({}, with_two, ["'with_two'", "'more'", "`(context, handle)`"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("options", "function", "says"), WRONG, ids=[", ".join(one[0]) or one[1].__name__ for one in WRONG]
)
def test_a_wrong_option_is_refused_at_once_with_the_right_ones(options, function, says):
    with pytest.raises(DefinitionError) as caught:
        task(**options)(function)
    assert isinstance(caught.value, ValueError)
    for part in says:
        assert part in str(caught.value)
    assert REGISTRY.names() == []


def test_parentheses_forgotten():
    with pytest.raises(DefinitionError, match="needs parentheses"):
        task(body)  # type: ignore[arg-type]  # that is the point

"""Typical public use, for mypy: it must be accepted as it stands, and its types must not be lost."""

from collections.abc import Callable, Mapping
from typing import Any, assert_type

import pandas as pd

import cloaca_nb as cloaca
from cloaca_nb import (
    BackoffStrategy,
    Context,
    DefaultRunner,
    RetryPolicy,
    Run,
    Workflow,
    WorkflowBuilder,
    WorkflowResult,
)


def tell(task_id: str, context: Context) -> None:
    print(task_id, dict(context))


@cloaca.task()
def load(context: Context) -> Context:
    context["rows"] = [1, 2]
    return context


@cloaca.task(
    id="clean",
    dependencies=[load, "other"],
    retry_attempts=2,
    retry_backoff="linear",
    retry_delay_ms=100,
    retry_max_delay_ms=1000,
    retry_condition="transient",
    retry_jitter=False,
    on_success=tell,
    on_failure=lambda task_id, error, context: tell(f"{task_id}: {error}", context),
    trigger_rules=cloaca.all_of(cloaca.task_success("load"), cloaca.context_value("rows", "!=", [])),
    timeout=2.5,
)
def clean(context: Context, handle: cloaca.TaskHandle | None = None) -> None:
    if handle is not None:
        handle.defer_until(lambda: True, poll_interval_ms=10)
    for row in cloaca.track([1, 2]):
        assert_type(row, int)


@cloaca.task(retry=RetryPolicy(max_attempts=4, backoff_strategy=BackoffStrategy.fixed(), initial_delay=0.5))
async def wait(context: Context, handle: cloaca.TaskHandle) -> Context:
    await handle.defer_until(lambda: True, poll_interval_ms=10)
    await handle.defer_until(is_ready)
    assert_type(handle.is_slot_held(), bool)
    return context


async def is_ready() -> bool:
    return True


# The decorator gives the function back as it is, and its types with it.
as_it_is: Callable[[Context], Context] = load
assert_type(load(Context({"year": 2013})), Context)
load(3)  # type: ignore[arg-type]  # refused: the context's type is known
cloaca.task(load)  # type: ignore[arg-type]  # refused: the parentheses are missing


def construct() -> Workflow:
    builder = WorkflowBuilder("flights", infer=False)
    builder.description("Delays.").tag("team", "data").parameters(year=2013)
    assert_type(builder.add_task("load").add_task(clean), WorkflowBuilder)
    return builder.build()


def declare() -> None:
    with WorkflowBuilder("block") as builder:
        assert_type(builder, WorkflowBuilder)

        @cloaca.task()
        def inner(context: Context) -> None:
            context.set("x", 1)

    cloaca.register_workflow_constructor("flights", construct)
    assert_type(cloaca.workflows(), dict[str, Workflow])


def look(workflow: Workflow) -> None:
    assert_type(workflow.name, str)
    assert_type(workflow.description, str)
    assert_type(workflow.version, str)
    assert_type(workflow.tags, Mapping[str, str])
    assert_type(workflow.dependencies, Mapping[str, tuple[str, ...]])
    assert_type(workflow.inferred_dependencies, Mapping[str, tuple[str, ...]])
    assert_type(workflow.levels, tuple[tuple[str, ...], ...])
    assert_type(workflow.topological_sort(), list[str])
    assert_type(workflow.get_roots(), list[str])
    assert_type([one.id for one in workflow.tasks], list[str])


def run() -> None:
    with DefaultRunner(":memory:", config=cloaca.DefaultRunnerConfig(max_concurrent_tasks=2)) as runner:
        assert_type(runner, DefaultRunner)
        result = runner.execute("flights", {"year": 2014})
        assert_type(result, WorkflowResult)
        assert_type(result.final_context, Context)
        assert_type(result.error_message, str | None)
        assert_type(result.run_id, str)
        assert_type(result.duration, float)
        started = runner.start(construct(), Context())
        assert_type(started, Run)
        assert_type(started.wait(timeout=3), WorkflowResult)
        assert_type(started.result, WorkflowResult | None)
        started.cancel()


async def run_async(runner: DefaultRunner) -> None:
    assert_type(await runner.execute_async("flights"), WorkflowResult)
    assert_type(await runner.start("flights"), WorkflowResult)


def look_back() -> None:
    assert_type(cloaca.history().runs(limit=3), pd.DataFrame)
    assert_type(cloaca.history("other.duckdb", schema="tests").sql("FROM run_summary"), pd.DataFrame)
    cloaca.history().prune(keep="30 days", dry_run=True)


def values(context: Context) -> None:
    context.insert("a", 1)
    context.update("a", 2)
    context.delete("a")
    assert_type(context.get("a"), Any)
    assert_type(context["a"], Any)
    assert_type(context.remove("a"), Any)
    assert_type(context.data, dict[str, Any])
    assert_type(context.to_json(), str)
    assert_type(Context.from_json("{}"), Context)
    assert_type(list(context), list[str])
    assert_type(cloaca.var("X"), str)
    assert_type(cloaca.var_or("X", "default"), str)


def handle_errors() -> str:
    try:
        construct()
    except cloaca.WorkflowValidationError as error:
        return str(error)
    except (cloaca.TaskNotFoundError, ValueError) as error:
        return repr(error)
    return ""

"""Wrong uses of the Python API: each is answered with a sentence that names the thing, the place and the fix."""

import pytest

import cloaca_nb as cloaca
from cloaca_nb.errors import (
    CloacaError,
    ConfigurationError,
    ContextKeyError,
    DefinitionError,
    DuplicateKeyError,
    HistoryError,
    TaskNotFoundError,
    WorkflowNotFoundError,
    WorkflowValidationError,
)


def load(context): ...


def of_no_task(context): ...


def task(**options):
    cloaca.task(**{"id": "load", **options})(load)


def block(*options):
    """A workflow of tasks with these options."""
    with cloaca.WorkflowBuilder("flights") as builder:
        for given in options:
            cloaca.task(**given)(load)
    return builder.build()


def flights():
    return block({"id": "load"})


OPTIONS = [  # what, the task's options, what the message says
    ("attempts as text", {"retry_attempts": "3"}, "retry_attempts is '3', but must be a whole number, like 3."),
    ("negative attempts", {"retry_attempts": -1}, "retry_attempts is -1, but it can't be negative."),
    ("half an attempt", {"retry_attempts": 1.5}, "retry_attempts is 1.5, but must be a whole number, like 3."),
    ("a delay as text", {"retry_delay_ms": "1s"}, "retry_delay_ms is '1s', but must be a number of milliseconds"),
    ("a negative delay", {"retry_delay_ms": -5}, "retry_delay_ms is -5, but it can't be negative."),
    ("no number", {"retry_max_delay_ms": float("nan")}, "retry_max_delay_ms is nan, but must be a number of milli"),
    (
        "an unknown backoff",
        {"retry_backoff": "expo"},
        "retry_backoff is 'expo', but must be one of 'fixed', 'linear', ",
    ),
    (
        "an unknown condition",
        {"retry_condition": "trans"},
        "one of 'never', 'transient', 'all'. Did you mean 'transient'?",
    ),
    ("jitter as text", {"retry_jitter": "yes"}, "retry_jitter is 'yes', but must be True or False."),
    ("a number as policy", {"retry": 3}, "retry is 3, but must be a policy: retry=RetryPolicy(max_attempts=3)."),
    (
        "policy and options",
        {"retry": cloaca.RetryPolicy(max_attempts=2), "retry_attempts": 3},
        "Give retry= or retry_attempts=, not both.",
    ),
    (
        "no time at all",
        {"timeout": 0},
        "timeout is 0, but must be a number of seconds above 0, like 30 (None: no limit).",
    ),
    ("a timeout as text", {"timeout": "5"}, "timeout is '5', but must be a number of seconds above 0"),
    ("a timeout that is True", {"timeout": True}, "timeout is True, but must be a number of seconds above 0"),
    (
        "a callback's name",
        {"on_success": "log"},
        "on_success is 'log', but must be a function that takes (task_id, context).",
    ),
    ("no callback", {"on_failure": 3}, "on_failure is 3, but must be a function that takes (task_id, error, context)."),
    (
        "a rule as text",
        {"trigger_rules": "always"},
        "trigger_rules is 'always', but must be a rule, like task_failed('load').",
    ),
    (
        "a rule that isn't called",
        {"trigger_rules": cloaca.always},
        "trigger_rules is always, but must be a rule, like ",
    ),
    (
        "an unknown executor",
        {"executor": "proces"},
        "executor is 'proces', but must be None or \"thread\" for a thread",
    ),
    ("no executor", {"executor": 4}, '"process", or a concurrent.futures.Executor.'),
    (
        "one dependency",
        {"dependencies": "extract"},
        "The dependencies of task 'load' are a list: write dependencies=['extract'].",
    ),
    ("one function", {"dependencies": of_no_task}, "are a list: write dependencies=[of_no_task]."),
    (
        "a number as dependency",
        {"dependencies": [5]},
        "depends on 5, which is neither an id nor a function that is a task",
    ),
    ("a function that is no task", {"dependencies": [of_no_task]}, "depends on of_no_task, which is neither an id nor"),
]


@pytest.mark.parametrize(("what", "options", "says"), OPTIONS, ids=[case[0] for case in OPTIONS])
def test_an_option_of_a_task(what, options, says, registry):
    with pytest.raises(DefinitionError) as caught:
        task(**options)
    assert says in str(caught.value), what
    assert "ask 'load'" in str(caught.value)  # which task it is about


def test_a_task_without_an_id_is_named_by_its_place(registry):
    with pytest.raises(DefinitionError, match=r"^The task at .*test_wrong_uses.py:\d+: timeout is 0, but must be"):
        cloaca.task(timeout=0)


KEYWORDS = [
    ("task", lambda: cloaca.task(dependecies=["a"]), "'dependecies'. Did you mean 'dependencies'?"),
    ("WorkflowBuilder.__init__", lambda: cloaca.WorkflowBuilder("w", infered=False), "Did you mean 'infer'?"),
    ("DefaultRunner.__init__", lambda: cloaca.DefaultRunner(":memory:", confg=None), "Did you mean 'config'?"),
    (
        "DefaultRunner.execute",
        lambda: cloaca.DefaultRunner.execute(None, "w", time_out=3),
        "'time_out'. Did you mean 'timeout'?",
    ),
    ("DefaultRunner.start", lambda: cloaca.DefaultRunner.start(None, "w", cache=True), "Did you mean 'cached'?"),
    ("DefaultRunner.resume", lambda: cloaca.DefaultRunner.resume(None, contxt={}), "Did you mean 'context'?"),
]


@pytest.mark.parametrize(("what", "use", "says"), KEYWORDS, ids=[case[0] for case in KEYWORDS])
def test_a_keyword_that_there_is_not(what, use, says):
    with pytest.raises(TypeError) as caught:
        use()
    assert f"{what}() got an unexpected keyword argument" in str(caught.value)
    assert says in str(caught.value)


SETTING_UP = [  # what, what is done, the error, what its message says
    ("@task without parentheses", lambda: cloaca.task(load), DefinitionError, "@task needs parentheses"),
    ("an id by place", lambda: cloaca.task("load"), DefinitionError, "given by name: @cloaca.task(id='load')."),
    (
        "an id that is no text",
        lambda: task(id=3),
        DefinitionError,
        "A task's id is a text, not 3: @cloaca.task(id='load').",
    ),
    ("no id", lambda: task(id=""), DefinitionError, "A task's id is a text, not ''"),
    ("no function", lambda: cloaca.task()(5), DefinitionError, "of a function, not of 5: put it above a `def`."),
    ("no parameter", lambda: cloaca.task(id="t")(lambda: None), DefinitionError, "write `def t(context):`"),
    (
        "no name",
        lambda: cloaca.WorkflowBuilder(""),
        WorkflowValidationError,
        "is a text, not '': WorkflowBuilder('flights').",
    ),
    (
        "a number as name",
        lambda: cloaca.WorkflowBuilder(5),
        WorkflowValidationError,
        "A workflow's name is a text, not 5",
    ),
    (
        "a tag of a number",
        lambda: cloaca.WorkflowBuilder("w").tag("a", 1),
        TypeError,
        "A tag is two texts, not 'a' and 1: WorkflowBuilder('w').tag(",
    ),
    (
        "a description of a number",
        lambda: cloaca.WorkflowBuilder("w").description(5),
        TypeError,
        "The description of workflow 'w' is a text, not 5.",
    ),
    (
        "a number as task",
        lambda: cloaca.WorkflowBuilder("w").add_task(5),
        TaskNotFoundError,
        "or a function object, not 5: builder.add_task('load').",
    ),
    (
        "a near miss",
        lambda: [task(), cloaca.WorkflowBuilder("w").add_task("laod")],
        TaskNotFoundError,
        "Did you mean 'load'? Define it with @task above this line.",
    ),
    (
        "a function that is no task",
        lambda: cloaca.WorkflowBuilder("w").add_task(of_no_task),
        TaskNotFoundError,
        "Task of_no_task not found in registry: it is a function, and no task yet. Put @task() above its `def`",
    ),
    (
        "no task",
        lambda: cloaca.WorkflowBuilder("w").build(),
        WorkflowValidationError,
        "'w' has no task. Add one with add_task() or define it in",
    ),
    ("an empty block", block, WorkflowValidationError, "Workflow cannot be empty: 'flights' has no task."),
    (
        "one id twice",
        lambda: block({"id": "a"}, {"id": "a"}),
        WorkflowValidationError,
        "'a' is defined twice in workflow 'flights' (",
    ),
    (
        "a circle",
        lambda: block({"id": "a", "dependencies": ["b"]}, {"id": "b", "dependencies": ["a"]}),
        WorkflowValidationError,
        "Circular dependency in workflow 'flights': a -> b -> a (each runs before the next). Take one",
    ),
    (
        "a dependency that there isn't",
        lambda: block({"id": "load"}, {"id": "b", "dependencies": ["laod"]}),
        WorkflowValidationError,
        "of workflow 'flights' depends on 'laod', which is no task of it. Did you mean 'load'? Its tasks are: load, b.",
    ),
    (
        "a rule on a task that there isn't",
        lambda: block({"id": "load"}, {"id": "b", "trigger_rules": cloaca.task_failed("laod")}),
        WorkflowValidationError,
        "of workflow 'flights' depends on 'laod', which is no task of it. Did you mean 'load'?",
    ),
    ("a rule on a number", lambda: cloaca.task_failed(5), DefinitionError, "by its id, a text like 'load', not 5."),
    ("a rule on nothing", lambda: cloaca.task_success(""), DefinitionError, "by its id, a text like 'load', not ''."),
    (
        "an unknown operator",
        lambda: cloaca.context_value("k", "equal", 1),
        DefinitionError,
        "Unknown operator 'equal'; use one of",
    ),
    (
        "all of a text",
        lambda: cloaca.all_of("load"),
        DefinitionError,
        "join rules, like task_failed('load'), not 'load'.",
    ),
    (
        "no attempt",
        lambda: cloaca.RetryPolicy(max_attempts=0),
        DefinitionError,
        "max_attempts is 0, but must be a whole number from 1",
    ),
    (
        "a delay before now",
        lambda: cloaca.RetryPolicy(initial_delay=-1),
        DefinitionError,
        "initial_delay is -1, but must be a number of seconds",
    ),
    (
        "built wrongly",
        lambda: cloaca.RetryPolicy.builder().max_attempts("x").build(),
        DefinitionError,
        "max_attempts is 'x', but must",
    ),
    (
        "no constructor",
        lambda: cloaca.register_workflow_constructor("w", 5),
        DefinitionError,
        "The constructor of workflow 'w' is a function",
    ),
    (
        "a constructor of a number",
        lambda: cloaca.register_workflow_constructor("w", lambda: 5),
        DefinitionError,
        "returned int, not a Workflow: end it with",
    ),
    (
        "a constructor for a number",
        lambda: cloaca.register_workflow_constructor(5, flights),
        DefinitionError,
        "name is a text, not 5: register_workflow",
    ),
    (
        "a task that there isn't",
        lambda: flights()["laod"],
        TaskNotFoundError,
        "Workflow 'flights' has no task 'laod'. Did you mean 'load'? Its tasks are: load.",
    ),
    ("a variable that isn't set", lambda: cloaca.var("NOPE"), ContextKeyError, "(expected env var CLOACINA_VAR_NOPE)"),
    ("a number as variable", lambda: cloaca.var(5), TypeError, "named by a text, not 5: var('DATA_SOURCE')."),
    (
        "a handle of one's own",
        cloaca.TaskHandle,
        TypeError,
        "made by the engine: name a task's second parameter `handle`",
    ),
]


@pytest.mark.parametrize(("what", "use", "error", "says"), SETTING_UP, ids=[case[0] for case in SETTING_UP])
def test_setting_up(what, use, error, says, registry):
    with pytest.raises(error) as caught:
        use()
    assert says in str(caught.value), what


CONTEXTS = [
    ("a number", lambda: cloaca.Context(5), TypeError, "takes a dict of values, not int: Context({'key': value})."),
    ("a number as key", lambda: cloaca.Context({1: 2}), TypeError, "A context key is a str, not int: 1."),
    (
        "a near miss",
        lambda: cloaca.Context({"year": 1})["yaer"],
        ContextKeyError,
        "No key 'yaer' in the context. Did you mean 'year'?",
    ),
    (
        "a key that is there",
        lambda: cloaca.Context({"year": 1}).insert("year", 2),
        DuplicateKeyError,
        "use update() or set() to replace it.",
    ),
    (
        "one that isn't",
        lambda: cloaca.Context({"year": 1}).update("yaer", 2),
        ContextKeyError,
        "Keys there are: 'year'.",
    ),
    (
        "deleted twice",
        lambda: cloaca.Context().__delitem__("a"),
        ContextKeyError,
        "No key 'a' in the context. It has no keys.",
    ),
    (
        "a list of values",
        lambda: cloaca.Context().update_from_dict([1]),
        TypeError,
        "update_from_dict takes a dict, not list.",
    ),
    ("JSON of a list", lambda: cloaca.Context.from_json("[1]"), ValueError, "comes from a JSON object, not from list."),
    ("no JSON form", lambda: cloaca.Context({"f": load}).to_json(), TypeError, "The value of key 'f' has no JSON form"),
]


@pytest.mark.parametrize(("what", "use", "error", "says"), CONTEXTS, ids=[case[0] for case in CONTEXTS])
def test_a_context(what, use, error, says):
    with pytest.raises(error) as caught:
        use()
    assert says in str(caught.value), what


RUNNING = [  # what, what is done with a runner, the error, what its message says
    (
        "an unknown name",
        lambda runner: [flights(), runner.execute("flihgts")],
        WorkflowNotFoundError,
        "No workflow 'flihgts'. Did you mean 'flights'?",
    ),
    ("a number", lambda runner: runner.execute(5), WorkflowNotFoundError, "by its name, not as 5: execute('flights')"),
    ("nothing", lambda runner: runner.execute(None), WorkflowNotFoundError, "by its name, not as None"),
    (
        "a builder",
        lambda runner: runner.execute(cloaca.WorkflowBuilder("w")),
        WorkflowNotFoundError,
        "or execute(builder.build()).",
    ),
    ("a function", lambda runner: runner.execute(load), WorkflowNotFoundError, "by its name, not as load"),
    (
        "a context of a number",
        lambda runner: runner.execute(flights(), 5),
        TypeError,
        "Context takes a dict of values, not int",
    ),
    (
        "no time at all",
        lambda runner: runner.execute(flights(), timeout=0),
        DefinitionError,
        "timeout is 0, but must be a number of seconds",
    ),
    (
        "a time as text",
        lambda runner: runner.execute(flights(), timeout="5"),
        DefinitionError,
        "timeout is '5', but must be a number",
    ),
    (
        "one observer",
        lambda runner: runner.execute(flights(), observers=print),
        DefinitionError,
        "but must be a list of functions that take an event",
    ),
    (
        "no observer",
        lambda runner: runner.execute(flights(), observers=[5]),
        DefinitionError,
        "observers is [5], but must be a list of functions",
    ),
    (
        "a wait as text",
        lambda runner: runner.start(flights()).wait("5"),
        DefinitionError,
        "timeout is '5', but must be a number of seconds",
    ),
    (
        "an unknown run",
        lambda runner: runner.resume("zzz"),
        HistoryError,
        "has no run 'zzz'. %cloaca_history, runs() or",
    ),
    (
        "no run to resume",
        lambda runner: runner.resume(),
        HistoryError,
        "has no run yet: %cloaca_run, or execute(), makes the first.",
    ),
    ("a run that is a number", lambda runner: runner.resume(5), TypeError, "run is a run's id, as text, not int: 5."),
    ("a url that is a number", lambda _runner: cloaca.DefaultRunner(5), TypeError, "url is a path or a database URL"),
    (
        "a config that is a dict",
        lambda _: cloaca.DefaultRunner(":memory:", config={}),
        TypeError,
        "a DefaultRunnerConfig",
    ),
    (
        "an unknown task",
        lambda runner: runner.start_some(flights(), ["laod"], following=True),
        TaskNotFoundError,
        "Workflow 'flights' has no task 'laod'. Did you mean",
    ),
    (
        "a runner that is shut down",
        lambda runner: [runner.shutdown(), runner.execute(flights())],
        ConfigurationError,
        "was shut down, so it can't execute anything; make a new one.",
    ),
    (
        "another database",
        lambda _runner: cloaca.DefaultRunner("postgresql://x"),
        ConfigurationError,
        "Supported are duckdb:///relative.duckdb",
    ),
    (
        "options in a URL",
        lambda _runner: cloaca.DefaultRunner(":memory:?a=1"),
        ConfigurationError,
        "has a query string; options aren't read from it, so",
    ),
    (
        "a schema's name",
        lambda _runner: cloaca.DefaultRunner(":memory:", schema="a b"),
        DefinitionError,
        "which 'a b' doesn't.",
    ),
    (
        "none at once",
        lambda _runner: cloaca.DefaultRunnerConfig(max_concurrent_tasks=0),
        DefinitionError,
        "max_concurrent_tasks is 0, but must be a whole number",
    ),
    (
        "a limit as text",
        lambda _runner: cloaca.DefaultRunnerConfig(task_timeout_seconds="x"),
        DefinitionError,
        "task_timeout_seconds is 'x', but must be a number of",
    ),
]


@pytest.mark.parametrize(("what", "use", "error", "says"), RUNNING, ids=[case[0] for case in RUNNING])
def test_running(what, use, error, says, registry):
    with cloaca.DefaultRunner(":memory:") as runner, pytest.raises(error) as caught:
        use(runner)
    assert says in str(caught.value), what
    assert isinstance(caught.value, CloacaError | TypeError)


HANDLES = [  # what, what a body does with its handle, what its task fails with
    (
        "no condition",
        lambda handle: handle.defer_until(1),
        "TypeError: defer_until takes a function that says whether",
    ),
    (
        "an interval as text",
        lambda handle: handle.defer_until(bool, "x"),
        "poll_interval_ms is 'x', but must be a number",
    ),
    (
        "an interval before now",
        lambda handle: handle.defer_until(bool, -1),
        "poll_interval_ms is -1, but must be a number",
    ),
    (
        "no interval",
        lambda handle: handle.defer_until(bool, float("nan")),
        "poll_interval_ms is nan, but must be a number",
    ),
    ("progress as text", lambda handle: handle.progress("half"), "not 'half' of None: progress(3, 10)"),
    ("of how much, as text", lambda handle: handle.progress(1, "2"), "not 1 of '2': progress(3, 10)"),
    ("a number as its context", lambda _handle: 5, "returned a value of type int, but must return its context or None"),
]


@pytest.mark.parametrize(("what", "use", "says"), HANDLES, ids=[case[0] for case in HANDLES])
def test_in_a_body(what, use, says, registry):
    with cloaca.WorkflowBuilder("flights") as builder:

        @cloaca.task()
        def body(context, handle):
            return use(handle)

    with cloaca.DefaultRunner(":memory:") as runner:
        result = runner.execute(builder.build())
    assert says in result.error_message, what
    assert result.error_message.startswith("Task 'body' failed: ")
    assert "test_wrong_uses.py" in result.error_message


def test_a_handle_when_its_task_is_over(registry):
    kept = []
    with cloaca.WorkflowBuilder("flights") as builder:

        @cloaca.task()
        def body(context, handle):
            kept.append(handle)

    with cloaca.DefaultRunner(":memory:") as runner:
        runner.execute(builder.build())
    for use in (lambda: kept[0].progress(1), lambda: kept[0].defer_until(bool), kept[0].is_slot_held):
        with pytest.raises(ValueError, match="for the task's own body, while that runs"):
            use()

"""The options of a task cell."""

import re
from dataclasses import fields
from inspect import signature

import pytest

from cloaca_nb.core.cell.option_line import parse_options
from cloaca_nb.core.cell.options import OPTIONS, TaskOptions, decorator_arguments
from cloaca_nb.declare.task import task
from cloaca_nb.errors import CellError

GIVEN = [
    ("nothing", "t", {}),
    (
        "lists",
        "t --in a,b? --out c --after x,y",
        {"in_": ("a",), "optional": ("b",), "out": ("c",), "after": ("x", "y")},
    ),
    ("empty lists", "t --in= --out ''", {"in_": (), "out": ()}),
    ("equals sign", "t --in=a", {"in_": ("a",)}),
    ("flags", "t --try --debug", {"try_": True, "debug": True}),
    ("options first", "--timeout 30 t", {"timeout": 30}),
    ("seconds", "t --timeout 0.5", {"timeout": 0.5}),
    (
        "retries",
        "t --retry-attempts 3 --retry-backoff linear --retry-delay-ms 10 --retry-max-delay-ms 99",
        {"retry_attempts": 3, "retry_backoff": "linear", "retry_delay_ms": 10, "retry_max_delay_ms": 99},
    ),
    (
        "more retries",
        "t --retry-condition never --retry-jitter false",
        {"retry_condition": "never", "retry_jitter": False},
    ),
    ("a policy", "t --retry patient", {"retry": "patient"}),
    ("callbacks", "t --on-success done --on-failure alerts.tell", {"on_success": "done", "on_failure": "alerts.tell"}),
    ("executor", "t --executor process", {"executor": "process"}),
    ("cached", "t --cache true", {"cache": True}),
    ("never cached", "t --cache no", {"cache": False}),
    ("cached for a while", "t --cache 3600", {"cache": 3600}),
    ("rule", "t --trigger-rules 'task_failed(\"a\")'", {"trigger_rules": 'task_failed("a")'}),
]


@pytest.mark.parametrize(("line", "expected"), [case[1:] for case in GIVEN], ids=[case[0] for case in GIVEN])
def test_options_on_the_magic_line(line, expected):
    assert parse_options(line) == ("t", TaskOptions(**expected))


COMMENTS = [
    (
        "lists may have spaces",
        [("after", "x, y"), ("in", "a, b?")],
        {"after": ("x", "y"), "in_": ("a",), "optional": ("b",)},
    ),
    (
        "lists may have brackets",
        [("after", "[x, y]"), ("out", "['c', \"d\"]")],
        {"after": ("x", "y"), "out": ("c", "d")},
    ),
    ("values are taken whole", [("trigger-rules", "any_of(task_failed('a'), always())")], None),
    ("flags", [("try", "true"), ("debug", "no")], {"try_": True}),
    ("a flag alone", [("debug", "")], {"debug": True}),
    (
        "quotes",
        [("on-failure", '"tell"'), ("retry-backoff", "'linear'")],
        {"on_failure": "tell", "retry_backoff": "linear"},
    ),
    ("underscores", [("retry_attempts", "2")], {"retry_attempts": 2}),
    ("nothing in it", [("in", "")], {"in_": ()}),
]


@pytest.mark.parametrize(("comments", "expected"), [case[1:] for case in COMMENTS], ids=[case[0] for case in COMMENTS])
def test_options_below_the_magic_line(comments, expected):
    expected = expected or {"trigger_rules": comments[0][1]}
    assert parse_options("t", comments) == ("t", TaskOptions(**expected))


WRONG = [
    ("", [], "needs the task's name: `%%cloaca_task NAME`"),
    ("my-task", [], "Try `%%cloaca_task my_task`"),
    ("1st", [], "Try `%%cloaca_task task_1st`"),
    ("class", [], "Try `%%cloaca_task task_class`"),
    ("t u", [], "'u' is one word too many"),
    ("t --after x, y", [], "lists have no spaces"),
    ("t 'x", [], "no closing quotation; each quote needs its other one"),
    ("t --afer x", [], "unknown option --afer. Did you mean '--after'?"),
    ("t --retry-att 3", [], "unknown option --retry-att. Did you mean '--retry-attempts'?"),
    ("t --zzz=3", [], "unknown option --zzz. Options: --in --out"),
    ("t --tim 3", [], "Did you mean '--timeout'?"),
    ("t --timeout", [], "write --timeout SECONDS. How long an attempt may take."),
    ("t --try=yes", [], "write --try. Run this one task now."),
    ("t --timeout soon", [], "'soon' is no number of seconds above 0: give one, like 30 or 0.5"),
    ("t --timeout -3", [], "'-3' is no number of seconds"),
    ("t --timeout nan", [], "'nan' is no number of seconds"),
    ("t --retry-attempts 1.5", [], "'1.5' is no whole number of 0 or more: give one, like 3"),
    ("t --retry-attempts=-1", [], "'-1' is no whole number"),
    ("t --retry-backoff lin", [], "'lin' is not one of fixed, linear, exponential. Did you mean 'linear'?"),
    ("t --retry-condition x", [], "'x' is not one of never, transient, all."),
    ("t --retry-jitter perhaps", [], "'perhaps' is neither true nor false"),
    ("t --executor pool()", [], "'pool()' is neither of thread, process, nor the name of an executor"),
    ("t --dependencies a", [], "unknown option --dependencies. --after x,y adds tasks that it follows, --in a,b says"),
    ("t", [("dependencies", "a")], "Unknown option `#| dependencies`. --after x,y adds tasks that it follows"),
    ("t --cache always", [], "'always' is neither true nor false, nor a number of seconds above 0"),
    ("t --cache 0", [], "'0' is neither"),
    ("t --on-failure 'f()'", [], "'f()' is no name"),
    ("t --in a-b", [], "'a-b' is no Python name"),
    ("t --out c?", [], "'c?' has a question mark, which only --in knows"),
    ("t --trigger-rules task_faild('a')", [], "Did you mean 'task_failed'?"),
    ("t --retry p --retry-attempts 2", [], "give --retry or --retry-attempts, not both"),
    ("t --timeout 3", [("timeout", "4")], "--timeout is given 2 times"),
    ("t", [("timeoutt", "4")], "Unknown option `#| timeoutt`. Did you mean 'timeout'?"),
    ("t", [("try", "maybe")], "`#| try: maybe`: 'maybe' is neither true nor false"),
]


@pytest.mark.parametrize(("line", "comments", "message"), WRONG)
def test_what_is_wrong_is_said_with_the_fix(line, comments, message):
    with pytest.raises(CellError, match=re.escape(message)) as raised:
        parse_options(line, comments)
    assert "\n" not in str(raised.value)


def test_every_option_has_a_help_text_and_a_place():
    names = {one.name for one in fields(TaskOptions)}
    assert {option.name for option in OPTIONS} == names - {"optional"}
    assert all(option.help.endswith((".", "'.")) and option.flag == f"--{option.key}" for option in OPTIONS)


def test_every_option_of_the_decorator_exists_in_dashes():
    parameters = signature(task).parameters.values()
    theirs = {one.name for one in parameters if one.kind is one.KEYWORD_ONLY} - {"id"}  # the name behind the magic
    ours = {option.name for option in OPTIONS} - {"in_", "out", "after", "try_", "debug"}
    for name in theirs - ours:
        with pytest.raises(CellError, match="--after x,y adds tasks that it follows, --in a,b says what it reads"):
            parse_options(f"t --{name} a")
    assert theirs - ours == {"dependencies"}


def test_given_are_the_decorators_options():
    _, options = parse_options("t --after x --in a --timeout 3 --retry-jitter no --try")
    assert options.given() == {"retry_jitter": False, "timeout": 3}


def test_named_are_the_options_that_the_notebook_has_values_for():
    _, options = parse_options("t --on-failure alerts.tell --retry process --executor pool")
    assert options.named() == {"on_failure": "alerts.tell", "retry": "process", "executor": "pool"}
    for word in ("thread", "process"):
        _, options = parse_options(f"t --executor {word}")
        assert (options.executor, options.named()) == (word, {})


def test_decorator_arguments_are_python():
    _, options = parse_options(
        "t --retry-backoff fixed --retry-jitter no --on-success say --trigger-rules always() --executor pool"
    )
    assert list(decorator_arguments("t", options, None)) == [
        'id="t"',
        'retry_backoff="fixed"',
        "retry_jitter=False",
        "on_success=say",
        "trigger_rules=cloaca.always()",
        "executor=pool",
    ]
    assert list(decorator_arguments("t", TaskOptions(), [])) == ['id="t"', "dependencies=[]"]

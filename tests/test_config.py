"""The configuration of a runner: its fields, their defaults, and what is refused."""

import pytest

from cloaca_nb.config import DefaultRunnerConfig
from cloaca_nb.errors import DefinitionError

DEFAULTS = {
    "max_concurrent_tasks": 4,
    "scheduler_poll_interval_ms": 100,
    "task_timeout_seconds": 300,
    "workflow_timeout_seconds": 3600,
    "db_pool_size": 10,
    "enable_recovery": True,
    "enable_cron_scheduling": True,
    "cron_poll_interval_seconds": 30,
    "cron_max_catchup_executions": 100,
    "cron_enable_recovery": True,
    "cron_recovery_interval_seconds": 300,
    "cron_lost_threshold_minutes": 10,
    "cron_max_recovery_age_seconds": 86400,
    "cron_max_recovery_attempts": 3,
}
OURS = {"secret_keys": ""}


def test_the_defaults():
    assert DefaultRunnerConfig().to_dict() == DEFAULTS | OURS
    assert DefaultRunnerConfig.default() == DefaultRunnerConfig()


@pytest.mark.parametrize("name", DEFAULTS)
def test_fields_are_given_read_and_set(name):
    value = not DEFAULTS[name] if isinstance(DEFAULTS[name], bool) else DEFAULTS[name] + 1
    config = DefaultRunnerConfig(**{name: value})
    assert getattr(config, name) == value
    assert config.to_dict() == DEFAULTS | OURS | {name: value}
    setattr(config, name, DEFAULTS[name])
    assert config == DefaultRunnerConfig()


RIGHT = [
    ("workflow_timeout_seconds", None),
    ("task_timeout_seconds", None),
    ("task_timeout_seconds", 0.5),
    ("cron_max_catchup_executions", 0),
    ("cron_max_recovery_attempts", 0),
    ("secret_keys", None),
    ("secret_keys", "^pin$"),
]


@pytest.mark.parametrize(("name", "value"), RIGHT)
def test_what_makes_sense_is_accepted(name, value):
    assert getattr(DefaultRunnerConfig(**{name: value}), name) == value


WRONG = [
    ("secret_keys", "(", "secret_keys is '(', but must be a regular expression, or None"),
    ("secret_keys", 3, "must be a regular expression"),
    ("max_concurrent_tasks", 0, "max_concurrent_tasks is 0, but must be a whole number, at least 1"),
    ("max_concurrent_tasks", True, "must be a whole number"),
    ("max_concurrent_tasks", None, "must be a whole number"),
    ("db_pool_size", 0, "at least 1"),
    ("scheduler_poll_interval_ms", 0, "at least 1"),
    ("cron_max_recovery_attempts", -1, "at least 0"),
    ("task_timeout_seconds", 0, "must be a number of seconds above 0, or None"),
    ("workflow_timeout_seconds", float("inf"), "must be a number of seconds above 0, or None"),
    ("enable_recovery", 1, "True or False"),
]


@pytest.mark.parametrize(("name", "value", "text"), WRONG, ids=[f"{case[0]}={case[1]}" for case in WRONG])
def test_what_makes_no_sense_is_refused(name, value, text):
    for attempt in (lambda: DefaultRunnerConfig(**{name: value}), lambda: setattr(DefaultRunnerConfig(), name, value)):
        with pytest.raises(DefinitionError) as caught:
            attempt()
        assert str(caught.value).startswith("Invalid configuration")
        assert text in str(caught.value)
        assert isinstance(caught.value, ValueError)


def test_a_field_that_is_not_there_cannot_be_set():
    with pytest.raises(AttributeError, match="pool"):
        DefaultRunnerConfig().pool = 3
    with pytest.raises(TypeError, match="pool"):
        DefaultRunnerConfig(pool=3)


def test_how_it_looks():
    assert repr(DefaultRunnerConfig()) == (
        "DefaultRunnerConfig(max_concurrent_tasks=4, enable_cron_scheduling=True, db_pool_size=10)"
    )

"""How a runner executes: the settings of the reference library, checked as they are set."""

import math
import re
from dataclasses import dataclass, fields
from typing import Any, Final

from cloaca_nb.errors import DefinitionError

__all__ = ["DefaultRunnerConfig"]

TIMEOUTS: Final = ("task_timeout_seconds", "workflow_timeout_seconds")  # None: no limit
FROM_ZERO: Final = ("cron_max_catchup_executions", "cron_max_recovery_attempts")  # none at all makes sense


@dataclass(kw_only=True, slots=True)
class DefaultRunnerConfig:
    """How a runner executes. Fields may be set until a runner is made with it: the runner reads them then.

    Without a config a runner has defaults of its own: cores + 4 tasks at once (at most 32), and no timeouts.

    Attributes:
        max_concurrent_tasks: how many plain task bodies run at once.
        scheduler_poll_interval_ms: changes nothing: this engine doesn't poll.
        task_timeout_seconds: for each attempt of a task that names no `timeout` of its own; None: no limit.
        workflow_timeout_seconds: for a run that is given no `timeout` of its own; None: no limit.
        db_pool_size: changes nothing: history needs no pool of connections.
        enable_recovery: changes nothing: a run whose process died is always shown as Interrupted, and can be resumed.
        enable_cron_scheduling: changes nothing: a runner has no schedules; nor do the `cron_` fields.
        secret_keys: of ours: a regular expression that tells more keys whose values are never shown or kept than the
            usual ones, which have a word like password, secret, credentials or api_key, or end with token; None: only
            those that a workflow names, by `WorkflowBuilder.secret`.
        cron_poll_interval_seconds: see `enable_cron_scheduling`.
        cron_max_catchup_executions: see `enable_cron_scheduling`.
        cron_enable_recovery: see `enable_cron_scheduling`.
        cron_recovery_interval_seconds: see `enable_cron_scheduling`.
        cron_lost_threshold_minutes: see `enable_cron_scheduling`.
        cron_max_recovery_age_seconds: see `enable_cron_scheduling`.
        cron_max_recovery_attempts: see `enable_cron_scheduling`.

    Raises:
        DefinitionError: a ValueError that says "Invalid configuration", here and when a field is set.

    >>> config = DefaultRunnerConfig(max_concurrent_tasks=2)
    >>> config.workflow_timeout_seconds = None
    >>> config
    DefaultRunnerConfig(max_concurrent_tasks=2, enable_cron_scheduling=True, db_pool_size=10)
    """

    max_concurrent_tasks: int = 4
    scheduler_poll_interval_ms: int = 100
    task_timeout_seconds: float | None = 300
    workflow_timeout_seconds: float | None = 3600
    db_pool_size: int = 10
    enable_recovery: bool = True
    enable_cron_scheduling: bool = True
    cron_poll_interval_seconds: int = 30
    cron_max_catchup_executions: int = 100
    cron_enable_recovery: bool = True
    cron_recovery_interval_seconds: int = 300
    cron_lost_threshold_minutes: int = 10
    cron_max_recovery_age_seconds: int = 86_400
    cron_max_recovery_attempts: int = 3
    secret_keys: str | None = ""

    @classmethod
    def default(cls) -> "DefaultRunnerConfig":
        """Return a config with all defaults."""
        return cls()

    def to_dict(self) -> dict[str, Any]:
        """Return all fields by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self.__dataclass_fields__:  # any other is refused by name
            _check(name, value)
        object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        shown = ("max_concurrent_tasks", "enable_cron_scheduling", "db_pool_size")
        return f"DefaultRunnerConfig({', '.join(f'{name}={getattr(self, name)!r}' for name in shown)})"


def _check(name: str, value: Any) -> None:
    if name in TIMEOUTS:
        holds = value is None or (_is_number(value, float) and value > 0)
        _require(name, value, holds, "a number of seconds above 0, or None")
    elif name == "secret_keys":
        holds = value is None or (isinstance(value, str) and _is_pattern(value))
        _require(name, value, holds, "a regular expression, or None")
    elif "enable" in name:
        _require(name, value, isinstance(value, bool), "True or False")
    else:
        least = 0 if name in FROM_ZERO else 1
        _require(name, value, _is_number(value, int) and value >= least, f"a whole number, at least {least}")


def _require(name: str, value: Any, holds: bool, what: str) -> None:  # noqa: FBT001 - the condition that is required
    if not holds:
        raise DefinitionError(f"Invalid configuration: {name} is {value!r}, but must be {what}.")


def _is_pattern(text: str) -> bool:
    try:
        re.compile(text)
    except re.error:
        return False
    return True


def _is_number(value: Any, kind: type[int | float]) -> bool:
    return isinstance(value, int | kind) and not isinstance(value, bool) and abs(value) < math.inf

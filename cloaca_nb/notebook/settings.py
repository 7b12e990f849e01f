"""`%config Cloaca`: what a person sets once for a notebook, or in `ipython_config.py` for all of them."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

import traitlets
from traitlets.config import Configurable

from cloaca_nb.config import DefaultRunnerConfig
from cloaca_nb.core.run_id import short
from cloaca_nb.core.secret import SecretKeys
from cloaca_nb.engine.echo import PER_RUN, PER_TASK, Echo
from cloaca_nb.engine.engine import default_concurrency
from cloaca_nb.errors import ConfigurationError, DefinitionError, near_miss
from cloaca_nb.history.location import parse_url
from cloaca_nb.runner import DURABILITIES, DefaultRunner, check_durability

__all__ = ["Cloaca", "RunnerSettings"]

PANEL: Final = ("auto", "on", "off")


def _in_logs(task_id: str, run_id: str) -> str:
    return f"%cloaca_logs {task_id} --run {short(run_id)}"


class RunnerSettings(NamedTuple):
    """What a runner is made with."""

    history: str | None
    max_concurrent_tasks: int | None
    echo_per_task: int
    echo_per_run: int
    secret_keys: str | None
    durability: str

    def runner(self, on_error: Callable[[str, str, BaseException], object]) -> DefaultRunner:
        """Make a runner; see `DefaultRunner` for `on_error`, and for the errors that it raises itself."""
        config = DefaultRunnerConfig(
            max_concurrent_tasks=self.max_concurrent_tasks or default_concurrency(),
            task_timeout_seconds=None,
            workflow_timeout_seconds=None,
            secret_keys=self.secret_keys,
        )
        echo = Echo(self.echo_per_task, self.echo_per_run, _in_logs).observe
        return DefaultRunner(
            self.history, config=config, echo_output=echo, on_error=on_error, durability=self.durability
        )


class Cloaca(Configurable):
    """The settings of cloaca_nb in this notebook. They hold from the next run on."""

    history = traitlets.Unicode(
        None,
        allow_none=True,
        help="Where runs are kept: a path, duckdb:///file.duckdb or :memory:. None: CLOACA_HISTORY, "
        "else the nearest .cloaca/history.duckdb upward, else a new one.",
    ).tag(config=True)
    max_concurrent_tasks = traitlets.Int(
        None, allow_none=True, help="How many tasks run at once. None: cores + 4, at most 32."
    ).tag(config=True)
    panel = traitlets.Any(
        "auto",
        help="The panel of a run: 'auto' shows it where a person looks on, 'on' always, 'off' never "
        "(nor progress as text).",
    ).tag(config=True)
    durability = traitlets.Unicode(
        DURABILITIES[0],
        help="When a task is on disk: 'run', at the latest when its run ends (a kill costs at most the last "
        "20 ms, and large values that were still being written); "
        "'task', before anything that depends on it starts, for tasks that must not run twice.",
    ).tag(config=True)
    echo_per_task = traitlets.Int(
        PER_TASK, help="How many characters each task may print below its cell. History always has the whole."
    ).tag(config=True)

    echo_per_run = traitlets.Int(
        PER_RUN, help="How many characters all tasks of a run together may print below its cell."
    ).tag(config=True)
    secret_keys = traitlets.Unicode(
        "",
        allow_none=True,
        help="A regular expression that tells more keys whose values are never shown or kept than the usual ones, like "
        "password and api_token. None: only those that %%cloaca_params --secret names.",
    ).tag(config=True)

    def secrets(self) -> SecretKeys:
        """Return which keys are secret, whatever the workflow."""
        return SecretKeys(self.secret_keys)

    def of_runner(self) -> RunnerSettings:
        """Return what a runner is made with now."""
        counts = (self.max_concurrent_tasks, self.echo_per_task, self.echo_per_run)
        return RunnerSettings(self.history, *counts, self.secret_keys, self.durability)

    @traitlets.validate("history")
    def _check_history(self, proposal: Any) -> str | None:
        try:
            parse_url(proposal.value, environ=os.environ, cwd=Path.cwd())
        except ConfigurationError as error:
            raise traitlets.TraitError(f"Cloaca.history: {error}") from error
        value: str | None = proposal.value
        return value

    @traitlets.validate("durability")
    def _check_durability(self, proposal: Any) -> str:
        try:
            check_durability(proposal.value)
        except DefinitionError as error:
            raise traitlets.TraitError(f"Cloaca.durability: {error}") from error
        return str(proposal.value)

    @traitlets.validate("secret_keys")
    def _check_secret_keys(self, proposal: Any) -> str | None:
        try:
            return SecretKeys(proposal.value).pattern
        except DefinitionError as error:
            raise traitlets.TraitError(f"Cloaca.secret_keys: {error}") from error

    @traitlets.validate("max_concurrent_tasks")
    def _check_count(self, proposal: Any) -> int | None:
        if proposal.value is not None and proposal.value < 1:
            raise traitlets.TraitError(
                f"Cloaca.max_concurrent_tasks is a whole number of 1 or more, not {proposal.value}."
            )
        return proposal.value  # type: ignore[no-any-return]  # an Int trait's

    @traitlets.validate("echo_per_task", "echo_per_run")
    def _check_echo(self, proposal: Any) -> int:
        if proposal.value < 0:
            raise traitlets.TraitError(
                f"Cloaca.{proposal.trait.name} is a number of characters, 0 or more, not {proposal.value}."
            )
        return proposal.value  # type: ignore[no-any-return]  # an Int trait's

    @traitlets.validate("panel")
    def _check_panel(self, proposal: Any) -> str:
        value = {True: "on", False: "off"}.get(proposal.value, proposal.value)
        if value not in PANEL:
            raise traitlets.TraitError(
                f"Cloaca.panel is one of {', '.join(map(repr, PANEL))}, not {value!r}.{near_miss(str(value), PANEL)}"
            )
        return str(value)

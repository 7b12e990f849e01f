"""Values from outside: environment variables that a package reads where it runs."""

import os
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final

from cloaca_nb.core.graph import Workflow
from cloaca_nb.errors import ContextKeyError, DefinitionError, near_miss

__all__ = ["PREFIX", "given_variables", "secrets_for", "var", "var_or", "variables"]

PREFIX: Final = "CLOACINA_VAR_"


def var(name: str) -> str:
    """Return the environment variable ``CLOACINA_VAR_<name>``, read now.

    Raises:
        KeyError: if it isn't set; an empty text is a value.
    """
    if not isinstance(name, str):
        raise TypeError(f"A variable is named by a text, not {name!r}: var('DATA_SOURCE').")
    try:
        return os.environ[PREFIX + name]
    except KeyError:
        error = ContextKeyError(f"required variable {name!r} not set (expected env var {PREFIX}{name})")
        close = near_miss(name, given_variables()).replace("?", ", which is set?")
        error.add_note(f"In a shell: cloaca-nb run … --var {name}=…; in a notebook: %env {PREFIX}{name}=….{close}")
        raise error from None


def var_or(name: str, default: str) -> str:
    """Return the environment variable ``CLOACINA_VAR_<name>``, or `default` if it isn't set."""
    return os.environ.get(PREFIX + name, default)


def given_variables(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return what `var` would find now, by name; `environ`: where, None for this process's environment."""
    found = os.environ if environ is None else environ
    names = [name for name in found if name.startswith(PREFIX)]  # first: each run looks, and a lookup has its price
    return {name.removeprefix(PREFIX): found[name] for name in names if name in found}


def secrets_for(workflow: Workflow, initial: Mapping[str, Any]) -> dict[str, str]:
    """Return the secrets that a workflow names and its initial context lacks, from the environment.

    Raises:
        DefinitionError: a ValueError, if a task needs one that isn't there, and none sets it.
    """
    lacking = [key for key in workflow.secret if key not in initial and key not in workflow.parameters]
    given = given_variables() if lacking else {}
    found = {key: given[key] for key in lacking if key in given}
    needed = {key: task for task in workflow.tasks for key in task.keys.reads if key in lacking} if lacking else {}
    for key in sorted(needed.keys() - found - {key for task in workflow.tasks for key in task.keys.sets}):
        raise DefinitionError(
            f"Task {needed[key].named} needs the secret {key!r}, which has no value. Give it for this run: "
            f"--param {key}=…, context={{{key!r}: …}}, or the environment variable {PREFIX}{key}."
        )
    return found


def variables(settings: Sequence[str], environ: MutableMapping[str, str] | None = None) -> AbstractContextManager[None]:
    """Return a block in which `var` finds these values, here and in processes that are started meanwhile.

    Args:
        settings: ``NAME=VALUE`` texts.
        environ: where they are put; None: this process's environment.

    Raises:
        DefinitionError: for a text that is none, or a name that stands there twice.
    """
    given: dict[str, str] = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals or not name or "\0" in setting:
            raise DefinitionError(f"A variable is given as NAME=VALUE, not {setting!r}.")
        if PREFIX + name in given:
            raise DefinitionError(f"Variable {name!r} is given twice: as {given[PREFIX + name]!r} and as {value!r}.")
        given[PREFIX + name] = value
    return _set(given, os.environ if environ is None else environ)


@contextmanager
def _set(given: dict[str, str], environ: MutableMapping[str, str]) -> Iterator[None]:
    before = {name: environ.get(name) for name in given}
    environ.update(given)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                environ.pop(name, None)
            else:
                environ[name] = value

"""Values from outside: environment variables that a package reads where it runs."""

import os
from collections.abc import Iterator, MutableMapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Final

from cloaca_nb.errors import ContextKeyError, DefinitionError

__all__ = ["var", "var_or", "variables"]

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
        raise ContextKeyError(f"required variable {name!r} not set (expected env var {PREFIX}{name})") from None


def var_or(name: str, default: str) -> str:
    """Return the environment variable ``CLOACINA_VAR_<name>``, or `default` if it isn't set."""
    return os.environ.get(PREFIX + name, default)


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

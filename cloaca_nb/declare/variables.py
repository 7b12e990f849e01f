"""Values from outside: environment variables that a package reads where it runs."""

import os
from typing import Final

from cloaca_nb.errors import ContextKeyError

__all__ = ["var", "var_or"]

PREFIX: Final = "CLOACINA_VAR_"


def var(name: str) -> str:
    """Return the environment variable ``CLOACINA_VAR_<name>``, read now.

    Raises:
        KeyError: if it isn't set; an empty text is a value.
    """
    try:
        return os.environ[PREFIX + name]
    except KeyError:
        raise ContextKeyError(f"required variable {name!r} not set (expected env var {PREFIX}{name})") from None


def var_or(name: str, default: str) -> str:
    """Return the environment variable ``CLOACINA_VAR_<name>``, or `default` if it isn't set."""
    return os.environ.get(PREFIX + name, default)

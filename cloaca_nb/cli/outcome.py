"""How a command ends: its exit code, and what an error says on stderr."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import typer

from cloaca_nb.core.status import Status
from cloaca_nb.errors import CloacaError, ConfigurationError, TaskNotFoundError, WorkflowNotFoundError

__all__ = ["EXIT_CODES", "FAILED", "WRONG_USAGE", "readable_errors"]

FAILED: Final = 1
WRONG_USAGE: Final = 2
CANCELLED: Final = 130  # 128 + SIGINT
EXIT_CODES: Final = {Status.COMPLETED: 0, Status.FAILED: FAILED, Status.CANCELLED: CANCELLED}


@contextmanager
def readable_errors() -> Iterator[None]:
    """Turn an error of ours into one message on stderr and an exit code."""
    try:
        yield
    except CloacaError as error:
        typer.echo(f"Error: {error}", err=True)
        is_wrong_usage = isinstance(error, ConfigurationError | TaskNotFoundError | WorkflowNotFoundError)
        raise SystemExit(WRONG_USAGE if is_wrong_usage else FAILED) from None

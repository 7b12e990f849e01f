"""Every exception that cloaca_nb raises, as one tree under `CloacaError`.

Each is also the built-in that a caller would expect (a `ValueError` for a wrong value, a `KeyError` for an absent key),
so code written for the `cloaca` library keeps its `except` clauses.
"""

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "CellError",
    "CloacaError",
    "ConfigurationError",
    "ContextKeyError",
    "DefinitionError",
    "DuplicateKeyError",
    "ExportError",
    "HistoryError",
    "MissingExtraError",
    "NobodyToAskError",
    "PackageError",
    "RunFailedError",
    "TaskCrashedError",
    "TaskNotFoundError",
    "TaskReturnError",
    "TaskTimeoutError",
    "WorkflowNotFoundError",
    "WorkflowValidationError",
    "near_miss",
]


class CloacaError(Exception):
    """The root of the tree: catches everything that cloaca_nb itself raises."""


class ConfigurationError(CloacaError, RuntimeError):
    """A runner can't be set up as asked, e.g. an unsupported database URL."""


class ContextKeyError(CloacaError, KeyError):
    """A context has no such key."""

    def __str__(self) -> str:
        """Return the message as it is: `KeyError` would quote it."""
        return str(self.args[0]) if self.args else ""


class DuplicateKeyError(CloacaError, ValueError):
    """`Context.insert` met a key that is there already."""


class DefinitionError(CloacaError, ValueError):
    """A task, rule, retry policy or configuration is defined with a wrong value."""


class CellError(DefinitionError):
    """A task cell can't be understood; the message names the line and the fix."""


class TaskNotFoundError(CloacaError, ValueError):
    """No task of that id is known where it was looked for."""


class WorkflowNotFoundError(CloacaError, ValueError):
    """No workflow of that name is known."""


class WorkflowValidationError(CloacaError, ValueError):
    """The tasks don't make a workflow: a circle, a missing dependency, a duplicate, or no task at all."""


class TaskReturnError(CloacaError, TypeError):
    """A task's body returned something other than its context or None."""


class TaskCrashedError(CloacaError, RuntimeError):
    """The process in which an attempt ran has ended in the middle of it."""


class NobodyToAskError(CloacaError, RuntimeError):
    """A task's body asked for input; the message says how a task gets what it needs to know."""


class TaskTimeoutError(CloacaError, TimeoutError):
    """An attempt took longer than the task's `timeout`."""


class RunFailedError(CloacaError, RuntimeError):
    """A run ended Failed where the caller asked for success, e.g. under `%cloaca_run`."""


class HistoryError(CloacaError, RuntimeError):
    """History can't be opened, read or written."""


class ExportError(CloacaError, ValueError):
    """Something that a task needs can't be carried into a package."""


class PackageError(CloacaError, ValueError):
    """A `.cloacina` archive is refused, or can't be made.

    Attributes:
        problems: every reason, each as one sentence or two.
    """

    def __init__(self, message: str, problems: "Sequence[str]" = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems) or (message,)


class MissingExtraError(CloacaError, ImportError):
    """An optional library is missing; the message says what to install."""


def near_miss(wrong: str, known: "Iterable[str]") -> str:
    """Return ``" Did you mean 'clean'?"`` for the name closest to `wrong`, or an empty string.

    >>> near_miss("claen", ["clean", "load"])
    " Did you mean 'clean'?"
    >>> near_miss("zzz", ["clean", "load"])
    ''
    """
    close = get_close_matches(wrong, list(known), n=1)
    return f" Did you mean {close[0]!r}?" if close else ""

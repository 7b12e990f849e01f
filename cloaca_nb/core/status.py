"""The words for how a run, and a task of it, stands or ended."""

from enum import StrEnum

__all__ = ["Outcome", "Status"]


class _Word(StrEnum):
    """A word that also equals its lower-case form, which some callers of the reference API compare with."""

    def __eq__(self, other: object) -> bool:
        return str.__eq__(self, other) is True or (isinstance(other, str) and str.__eq__(self.lower(), other) is True)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return str.__hash__(self)


class Status(_Word):
    """How a run stands."""

    RUNNING = "Running"
    COMPLETED = "Completed"
    FAILED = "Failed"
    CANCELLED = "Cancelled"
    INTERRUPTED = "Interrupted"  # its process died; only readers of history see it


class Outcome(_Word):
    """How a task stands in a run; the last four are final."""

    WAITING = "Waiting"
    RUNNING = "Running"
    RETRYING = "Retrying"
    COMPLETED = "Completed"
    FAILED = "Failed"
    SKIPPED = "Skipped"
    CANCELLED = "Cancelled"

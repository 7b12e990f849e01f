"""What is said of a run with its secrets hidden; what was printed has been masked before it is said."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from cloaca_nb.core import events
from cloaca_nb.core.mask import Mask

__all__ = ["masked_event", "masked_failure"]


def masked_event(event: events.Event, mask: Mask) -> events.Event:
    """Return a fact with the secrets that a mask knows hidden."""
    hide = HIDE.get(type(event))
    return hide(mask, event) if hide else event


def masked_failure(failure: events.Failure, mask: Mask) -> events.Failure:
    """Return why an attempt failed with the secrets that a mask knows hidden."""
    return events.Failure(*map(mask.text, failure))


def _run_started(mask: Mask, event: events.RunStarted) -> events.Event:
    return event._replace(initial=mask.values(event.initial))


def _progress_made(mask: Mask, event: events.ProgressMade) -> events.Event:
    return event._replace(message=mask.text(event.message))


def _attempt_failed(mask: Mask, event: events.AttemptFailed) -> events.Event:
    return event._replace(failure=masked_failure(event.failure, mask))


def _task_finished(mask: Mask, event: events.TaskFinished) -> events.Event:
    return event._replace(
        changes=mask.values(event.changes),
        failure=masked_failure(event.failure, mask) if event.failure else None,
        reason=mask.text(event.reason),
        reads=mask.values(event.reads),
    )


def _run_finished(mask: Mask, event: events.RunFinished) -> events.Event:
    return event._replace(final=mask.values(event.final), error=mask.text(event.error))


HIDE: Final[Mapping[type, Callable[[Mask, Any], events.Event]]] = {
    events.RunStarted: _run_started,
    events.ProgressMade: _progress_made,
    events.AttemptFailed: _attempt_failed,
    events.TaskFinished: _task_finished,
    events.RunFinished: _run_finished,
}

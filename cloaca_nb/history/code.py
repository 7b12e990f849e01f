"""What the code of a workflow's tasks is now, so that history can say what of it was changed since."""

import logging
from collections.abc import Mapping
from typing import Final

from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.task import Task
from cloaca_nb.declare.fingerprint import CodeFingerprint, Fingerprints
from cloaca_nb.history.accounts import text_of
from cloaca_nb.values.digests import content_digest

__all__ = ["fingerprints"]

logger = logging.getLogger(__name__)
_reported: Final[set[tuple[str, type]]] = set()


def fingerprints(workflow: Workflow) -> Mapping[str, CodeFingerprint]:
    """Return what the code of a workflow's tasks is now, by task."""
    made = Fingerprints(content_digest)
    return {task.id: _fingerprint_of(task, made) for task in workflow.tasks}


def _fingerprint_of(task: Task, made: Fingerprints) -> CodeFingerprint:
    """Return what a task's code is; code that can't be looked at must not cost the run its history."""
    try:
        return made.of(task)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a value's own code may raise anything
        if (kind := (task.named, type(error))) not in _reported:  # the same again in each of a thousand runs
            _reported.add(kind)
            logger.exception("The code of task %s can't be told from an earlier one.", task.named)
        return CodeFingerprint("", {}, (f"its code can't be looked at ({type(error).__name__}{text_of(error)}).",))

"""What the code of a workflow's tasks is now, so that history can say what of it was changed since."""

import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, NamedTuple

from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.task import Task
from cloaca_nb.declare.fingerprint import CodeFingerprint, Fingerprints
from cloaca_nb.history.accounts import text_of
from cloaca_nb.values.digests import content_digest

__all__ = ["WorkflowCode", "fingerprints"]

logger = logging.getLogger(__name__)
_reported: Final[set[tuple[str, type]]] = set()


class WorkflowCode(NamedTuple):
    """What the code of a workflow is, as of one moment.

    Attributes:
        tasks: by id the fingerprint of a task.
        behind: given a task's id, and the classes and modules that a value which it reads leads to: theirs.
    """

    tasks: Mapping[str, CodeFingerprint]
    behind: Callable[[str, frozenset[type | str]], CodeFingerprint]


def fingerprints(workflow: Workflow, secret_digest: Callable[[str], str]) -> WorkflowCode:
    """Return what the code of a workflow's tasks is now, and of what they read.

    Args:
        workflow: whose tasks.
        secret_digest: makes of the digest of what holds a secret one that tells nobody else anything.
    """
    made = Fingerprints(content_digest)

    def behind(task_id: str, code: frozenset[type | str]) -> CodeFingerprint:
        task = workflow[task_id]
        return _fingerprint_of(task, lambda: made.behind(task, code)).hidden(secret_digest)

    tasks = {task.id: _fingerprint_of(task, partial(made.of, task)).hidden(secret_digest) for task in workflow.tasks}
    return WorkflowCode(tasks, behind)


def _fingerprint_of(task: Task, look: Callable[[], CodeFingerprint]) -> CodeFingerprint:
    """Return what a code is; one that can't be looked at must not cost the run its history."""
    try:
        return look()
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a value's own code may raise anything
        if (kind := (task.named, type(error))) not in _reported:  # the same again in each of a thousand runs
            _reported.add(kind)
            logger.exception("The code of task %s can't be told from an earlier one.", task.named)
        return CodeFingerprint("", {}, (f"its code can't be looked at ({type(error).__name__}{text_of(error)}).",))

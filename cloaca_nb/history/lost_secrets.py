"""Secrets that an earlier run was given: history keeps none, so whoever goes on with it gives them again."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.parameters import following
from cloaca_nb.core.run_id import short
from cloaca_nb.core.task import Task
from cloaca_nb.declare.variables import PREFIX, given_variables
from cloaca_nb.errors import HistoryError

__all__ = ["secrets_again"]


def secrets_again(
    workflow: Workflow, tasks: Collection[Task], needed: Mapping[str, bool], given: Collection[str], run_id: str
) -> dict[str, Any]:
    """Return the secrets of an earlier run that are there again without being given; those that nobody reads may lack.

    Args:
        workflow: what goes on with it.
        tasks: those of it that may be executed.
        needed: see `Given.secrets`.
        given: the keys that are given again.
        run_id: of the earlier run.

    Raises:
        HistoryError: if a task may read one that isn't there; it names all of them, and how they are given.
    """
    variables = given_variables()
    found: dict[str, Any] = {}
    lost = []
    for key, is_there in needed.items():
        if key in given:
            continue
        if is_there:
            found[key] = workflow.parameters[key]
        elif key in variables:
            found[key] = variables[key]
        elif _is_read(tasks, {key, *following(workflow.derived, [key])}):
            lost.append(key)
    if lost:
        raise HistoryError(_asked_for(lost, run_id))
    return found


def _is_read(tasks: Iterable[Task], keys: Collection[str]) -> bool:
    """Say whether a task may read one of some keys; its callbacks and its rule are given the whole context."""
    return any(
        task.keys.computed
        or not {*task.keys.reads, *task.keys.optional}.isdisjoint(keys)
        or any(one is not None for one in (task.on_success, task.on_failure, task.rule))
        for task in tasks
    )


def _asked_for(keys: Sequence[str], run_id: str) -> str:
    many = len(keys) > 1
    named = " and ".join(map(repr, keys))
    settings = " ".join(f"--param {key}=…" for key in keys)
    context = ", ".join(f"{key!r}: …" for key in keys)
    variables = " and ".join(PREFIX + key for key in keys)
    return (
        f"Run {short(run_id)} began with the secret{'s' if many else ''} {named}, and history keeps none. Give "
        f"{'them' if many else 'it'} again: {settings}, context={{{context}}} in Python, or the environment "
        f"variable{'s' if many else ''} {variables}."
    )

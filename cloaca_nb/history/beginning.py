"""With what a run begins: its initial context, and what it takes from earlier runs."""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.parameters import following as follow_from
from cloaca_nb.core.recall import Recall
from cloaca_nb.declare.variables import given_variables
from cloaca_nb.history.history import History
from cloaca_nb.history.lost_secrets import secrets_again
from cloaca_nb.history.recall import TakenAsTheyAre, UnchangedOnly, check_reads, is_taken

__all__ = ["Beginning"]


class Beginning(NamedTuple):
    """What the engine is given to start a run.

    Attributes:
        workflow: what is executed.
        initial: the initial context.
        recall: asked what is taken instead of being executed; None: nothing is.
        resumed_from: the id of the run that this one goes on with; empty if there is none.
        kind: "run"; "try" and "check" never count as the latest run.
        given: keys of the initial context that somebody gave, for this run or for the one that it goes on with.
    """

    workflow: Workflow
    initial: Mapping[str, Any]
    recall: Recall | None = None
    resumed_from: str = ""
    kind: str = "run"
    given: Collection[str] = ()

    @classmethod
    def afresh(
        cls, history: History, workflow: Workflow, given: dict[str, Any], *, cached: bool, kind: str
    ) -> "Beginning":
        """Begin with the values given; tasks that ask for it, with `cached` all, are taken if they are unchanged."""
        looks_back = cached or workflow.has_caches
        recall = UnchangedOnly(history.memory(workflow), every=cached) if looks_back else None
        return cls(workflow, given, recall, kind=kind, given=given.keys())

    @classmethod
    def resumed(cls, history: History, workflow: Workflow, given: dict[str, Any], run_id: str) -> "Beginning":
        """Go on with a run: what has completed and is unchanged is taken, and its initial context is that run's.

        Of the parameters it has those that the run was given, unless the workflow has got other values for them since.

        Raises:
            HistoryError: if its initial context can't be given back.
        """
        before = history.given(run_id, workflow)
        secrets = secrets_again(workflow, workflow.tasks, before.secrets, given, run_id)
        named = {*given, *follow_from(workflow.derived, given), *before.own, *before.secrets}
        initial = {**history.initial(run_id, named=named, secrets=_secrets_at_hand(workflow)), **secrets, **given}
        recall = UnchangedOnly(history.memory(workflow, run_id))
        return cls(workflow, initial, recall, run_id, given=initial.keys())

    @classmethod
    def of_some(
        cls, history: History, workflow: Workflow, given: dict[str, Any], tasks: Collection[str], *, following: bool
    ) -> "Beginning":
        """Execute some tasks, and perhaps what follows them, on the values of the workflow's latest run that is over.

        Of the others only those are executed that these depend on, and that have no values to give.

        Raises:
            TaskNotFoundError: a KeyError, if the workflow has no such task.
            HistoryError: if it has no run that is over yet.
        """
        after = {later for task_id in tasks for later in workflow.descendants(task_id)} - set(tasks)
        run_id, _ = history.to_resume(None, workflow.name)
        executed = {*tasks, *(after if following else ())}
        needed = executed.union(*map(workflow.ancestors, executed))
        memory = history.memory(workflow, run_id)
        before = history.given(run_id, workflow)
        may_be = [workflow[one] for one in needed if one in executed or not is_taken(one, memory)]
        secrets = secrets_again(workflow, may_be, before.secrets, given, run_id)
        named = {*given, *follow_from(workflow.derived, given), *before.secrets}
        initial = {**history.initial(run_id, named=named, secrets=_secrets_at_hand(workflow)), **secrets, **given}
        reused = before.own - secrets.keys() - given.keys()  # that are given by nobody
        aside = workflow.by_id.keys() - needed
        recall = TakenAsTheyAre(memory, executed, after - executed, aside)
        return cls(workflow, initial, recall, run_id, given=initial.keys() - reused)

    @classmethod
    def of_a_try(cls, history: History, workflow: Workflow, given: dict[str, Any], task_id: str) -> "Beginning":
        """Execute one task on what the last run or try of each task before it has set.

        Raises:
            TaskNotFoundError: a KeyError, if the workflow has no such task.
            HistoryError: if the task reads a key that a task before it sets, and none has set it yet.
        """
        history.settle()  # what a task of a run that goes on has set counts as well
        found = workflow.up_to(task_id)
        initial = {**_initial_of_latest(history, found, task_id, given), **given}
        memory = history.memory(found, last=True)
        check_reads(found, task_id, initial, memory)
        unknown = found.by_id.keys() - memory.tasks.keys()
        return cls(
            found, initial, TakenAsTheyAre(memory, {task_id}, unknown - {task_id}), kind="try", given=initial.keys()
        )


def _initial_of_latest(history: History, workflow: Workflow, task_id: str, given: Collection[str]) -> Mapping[str, Any]:
    """Return the initial context of the latest run, if there is one, as a task needs it that nobody gives more."""
    run_id = history.latest(workflow.name)
    if run_id is None:
        return {}
    before = history.given(run_id, workflow).secrets
    lacking = {key: is_there for key, is_there in before.items() if key not in workflow.parameters}
    secrets = secrets_again(workflow, [workflow[task_id]], lacking, given, run_id)
    named = {*given, *workflow.parameters, *lacking}
    return {**history.initial(run_id, named=named, secrets=given_variables()), **secrets}


def _secrets_at_hand(workflow: Workflow) -> dict[str, Any]:
    """Return from where secrets are taken that an earlier run had from its workflow; history keeps none."""
    return {**given_variables(), **workflow.parameters.known}

"""What is taken from earlier runs instead of executing a task again."""

import time
from collections.abc import Callable, Collection, Iterable
from typing import Any

from cloaca_nb.core.context import ALL_KEYS, Context
from cloaca_nb.core.duration import duration
from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.merge import MISSING
from cloaca_nb.core.recall import LeftOut, Taken
from cloaca_nb.core.task import Task
from cloaca_nb.declare.fingerprint import CodeFingerprint
from cloaca_nb.errors import HistoryError
from cloaca_nb.history.memory import NOT_ASKED_FOR, Earlier, Memory
from cloaca_nb.history.opened import changed_since

__all__ = ["TakenAsTheyAre", "UnchangedOnly", "check_reads", "is_taken"]


class UnchangedOnly:
    """A `Recall`: takes a task that has completed, and whose code and inputs are what they were.

    Args:
        memory: of the runs that tasks are taken from.
        every: whether that holds for every task that says nothing of it; else only for those that ask for it.
        now: tells the time, in seconds since the Unix epoch.
    """

    def __init__(self, memory: Memory, *, every: bool = True, now: Callable[[], float] = time.time) -> None:
        self._memory = memory
        self._every = every
        self._now = now

    def __call__(self, task: Task, context: Context) -> Taken | str:
        """Take a task, or say why it is executed."""
        if task.cache is None and not self._every:
            return ""
        if task.cache is False:
            return "executed, as it says cache=False" if self._every else ""
        code = self._memory.code.tasks[task.id]
        if code.untracked:
            return f"executed, as a change might go unseen: {code.untracked[0]}"
        obstacle = "executed, as no earlier run has it"
        for number, earlier in enumerate(self._memory.tasks.get(task.id, ())):
            difference = self._difference(task, earlier, context) or self._too_old(task, earlier)
            if not difference:
                try:
                    reason = f"unchanged since {earlier.run}{self._unwatched(task, earlier)}"
                    return self._memory.taken(earlier, context, reason)
                except HistoryError as error:
                    difference = str(error)
            if number == 0:
                obstacle = f"executed, as {difference}"
        return obstacle

    def _difference(self, task: Task, earlier: Earlier, context: Context) -> str:
        """Say why a task has to be executed again; empty if it needn't be."""
        if earlier.outcome != "Completed":
            return f"it was {earlier.outcome} in {earlier.run}"
        code = self._memory.code.tasks[task.id]
        if earlier.code != code.digest:
            return self._differences(code, earlier.code) or "its code was changed"
        for key, digest in earlier.reads.items():
            if digest is None:
                return f"the value of {key!r} can't be compared with an earlier one"
            value = context.inherited_value(key)
            if not self._is_still(value, digest):
                return "other keys are there now" if key == ALL_KEYS else f"{key!r} has another value now"
            if difference := self._difference_behind(task, earlier, key, value):
                return difference
        return ""

    def _difference_behind(self, task: Task, earlier: Earlier, key: str, value: Any) -> str:
        """Say what else the classes of a value are made of now; of an equal value they have the same names."""
        before = None if earlier.behind is None else earlier.behind.get(key, "")
        behind = frozenset() if before == "" or value is MISSING else self._memory.accounts.describe(value).behind
        if not behind:
            return ""
        now = self._memory.code.behind(task.id, behind)
        if now.untracked:
            return f"a change behind {key!r} might go unseen: {now.untracked[0]}"
        if before is None:
            return f"{earlier.run} doesn't say which code was behind {key!r}" if now.parts else ""
        if now.digest == before:
            return ""
        said = self._differences(now, before)
        return f"the code behind {key!r} was changed" + (f": {said}" if said else "")

    def _differences(self, now: CodeFingerprint, before: str | None) -> str:
        return "; ".join(now.differences(parts)) if (parts := self._memory.parts.get(before or "")) else ""

    def _too_old(self, task: Task, earlier: Earlier) -> str:
        """Say that a task was executed too long ago for what it asks for; empty if it wasn't."""
        if task.cache is None or isinstance(task.cache, bool):
            return ""
        executed = self._memory.executed.get((earlier.run_id, task.id))
        if executed is None:
            return f"it isn't known how old it is in {earlier.run}"
        age = self._now() - executed
        limit = f"its cache={task.cache:g} allows {duration(task.cache)}"
        return f"it was executed {duration(age)} ago, and {limit}" if age > task.cache else ""

    def _unwatched(self, task: Task, earlier: Earlier) -> str:
        """Say which files that a task reads are newer than what it made of them; empty where none is known to be."""
        executed = self._memory.executed.get((earlier.run_id, task.id))
        changed = [] if executed is None else changed_since(task, executed)
        if not changed:
            return ""
        were, them = ("was", "it") if len(changed) == 1 else ("were", "them")
        return f", but {', '.join(changed)} {were} changed since: --from {task.id} reads {them} again"

    def _is_still(self, value: Any, digest: str) -> bool:
        if value is MISSING or not digest:
            return value is MISSING and not digest
        return self._memory.accounts.is_still(value, digest)


class TakenAsTheyAre:
    """A `Recall`: takes tasks as they were, whatever has changed since, but for those that are asked for.

    Args:
        memory: of the run whose values are taken.
        asked_for: ids of the tasks that are executed.
        left_out: ids of the tasks that are neither executed nor taken.
        aside: ids of the tasks that nothing asked for depends on: what can't be taken of them is left out.
    """

    def __init__(
        self, memory: Memory, asked_for: Iterable[str], left_out: Iterable[str] = (), aside: Iterable[str] = ()
    ) -> None:
        self._memory = memory
        self._asked_for = frozenset(asked_for)
        self._left_out = frozenset(left_out)
        self._aside = frozenset(aside)

    def __call__(self, task: Task, context: Context) -> Taken | LeftOut | str:
        """Take a task, leave it out, or have it executed."""
        if task.id in self._asked_for:
            return "executed, as it was asked for"
        if task.id in self._left_out:
            return LeftOut(NOT_ASKED_FOR)
        for earlier in self._memory.tasks.get(task.id, ()):
            if earlier.outcome == "Completed":
                try:
                    return self._memory.taken(earlier, context, f"taken as it was in {earlier.run}")
                except HistoryError as error:
                    return self._not_taken(task, str(error))
            if earlier.outcome == "Skipped":
                return LeftOut(f"because it was skipped in {earlier.run}")
        return self._not_taken(task, "no earlier run has completed it")

    def _not_taken(self, task: Task, why: str) -> LeftOut | str:
        return LeftOut(NOT_ASKED_FOR) if task.id in self._aside else f"executed, as {why}"


def is_taken(task_id: str, memory: Memory) -> bool:
    """Say whether a task that nobody asked for is there as it was, so that it needn't be executed; see above."""
    for earlier in memory.tasks.get(task_id, ()):
        if earlier.outcome == "Completed":
            return all(one.kept is None or one.kept.codec is not None for one in earlier.changes)
        if earlier.outcome == "Skipped":
            return True
    return False


def check_reads(workflow: Workflow, task_id: str, initial: Collection[str], memory: Memory) -> None:
    """Refuse to try a task that would ask in vain for a key that a task before it sets.

    Args:
        workflow: of the task and those before it.
        task_id: the task.
        initial: the keys of the initial context.
        memory: what those before it have set.

    Raises:
        HistoryError: it names the key, the task that sets it, and what to do.
    """
    there = {*initial, *workflow.parameters}
    there |= {change.key for known in memory.tasks.values() for earlier in known for change in earlier.changes}
    setters = {key: task.id for task in workflow.tasks if task.id != task_id for key in task.keys.sets}
    for key in workflow[task_id].keys.reads:
        if key in setters and key not in there:
            raise HistoryError(
                f"Task {task_id!r} reads {key!r}, which no run or try has set yet: task {setters[key]!r} sets it. "
                f"Try {setters[key]!r} first, or run the workflow."
            )

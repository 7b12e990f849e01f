"""What is taken from earlier runs instead of executing a task again."""

from collections.abc import Iterable
from typing import Any

from cloaca_nb.core.context import ALL_KEYS, Context
from cloaca_nb.core.merge import MISSING
from cloaca_nb.core.recall import LeftOut, Taken
from cloaca_nb.core.task import Task
from cloaca_nb.declare.fingerprint import CodeFingerprint
from cloaca_nb.errors import HistoryError
from cloaca_nb.history.memory import Earlier, Memory

__all__ = ["TakenAsTheyAre", "UnchangedOnly"]


class UnchangedOnly:
    """A `Recall`: takes a task that has completed, and whose code and inputs are what they were."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def __call__(self, task: Task, context: Context) -> Taken | str:
        """Take a task, or say why it is executed."""
        code = self._memory.code[task.id]
        if code.untracked:
            return f"executed, as a change might go unseen: {code.untracked[0]}"
        obstacle = "executed, as no earlier run has it"
        for number, earlier in enumerate(self._memory.tasks.get(task.id, ())):
            difference = self._difference(earlier, code, context)
            if not difference:
                try:
                    return self._memory.taken(earlier, context, f"unchanged since {earlier.run}")
                except HistoryError as error:
                    difference = str(error)
            if number == 0:
                obstacle = f"executed, as {difference}"
        return obstacle

    def _difference(self, earlier: Earlier, code: CodeFingerprint, context: Context) -> str:
        """Say why a task has to be executed again; empty if it needn't be."""
        if earlier.outcome != "Completed":
            return f"it was {earlier.outcome} in {earlier.run}"
        if earlier.code != code.digest:
            parts = self._memory.parts.get(earlier.code or "", {})
            return "; ".join(code.differences(parts)) if parts else "its code was changed"
        for key, digest in earlier.reads.items():
            if digest is None:
                return f"the value of {key!r} can't be compared with an earlier one"
            if self._digest(context.inherited_value(key)) != digest:
                return "other keys are there now" if key == ALL_KEYS else f"{key!r} has another value now"
        return ""

    def _digest(self, value: Any) -> str | None:
        if value is MISSING:
            return ""
        described = self._memory.accounts.describe(value)
        return described.digest if described.exact else None


class TakenAsTheyAre:
    """A `Recall`: takes tasks as they were, whatever has changed since, but for those that are asked for.

    Args:
        memory: of the run whose values are taken.
        asked_for: ids of the tasks that are executed.
        left_out: ids of the tasks that are neither executed nor taken.
    """

    def __init__(self, memory: Memory, asked_for: Iterable[str], left_out: Iterable[str] = ()) -> None:
        self._memory = memory
        self._asked_for = frozenset(asked_for)
        self._left_out = frozenset(left_out)

    def __call__(self, task: Task, context: Context) -> Taken | LeftOut | str:
        """Take a task, leave it out, or have it executed."""
        if task.id in self._asked_for:
            return "executed, as it was asked for"
        if task.id in self._left_out:
            return LeftOut("because it was not asked for")
        for earlier in self._memory.tasks.get(task.id, ()):
            if earlier.outcome == "Completed":
                try:
                    return self._memory.taken(earlier, context, f"taken as it was in {earlier.run}")
                except HistoryError as error:
                    return f"executed, as {error}"
            if earlier.outcome == "Skipped":
                return LeftOut(f"because it was skipped in {earlier.run}")
        return "executed, as no earlier run has completed it"

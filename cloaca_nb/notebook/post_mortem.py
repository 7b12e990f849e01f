"""The frames of the last failed run, for `%debug`: let go of when the next run starts, as they may hold gigabytes."""

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Final, NoReturn

from cloaca_nb.engine.result import WorkflowResult
from cloaca_nb.notebook.failure import OURS, RunFailed, is_own

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["PostMortem"]

LAST: Final = ("last_type", "last_value", "last_traceback", "last_exc")  # of `sys`: what IPython's %debug opens


class PostMortem:
    """What a debugger is shown of the last failed run: its first failure.

    Args:
        shell: whose debugger it is.
    """

    def __init__(self, shell: "InteractiveShell") -> None:
        self._shell = shell
        self._pdb: bool | None = None  # what %pdb was before a cell of ours has set it
        self._run_id = ""
        self._error: BaseException | None = None
        self._shown: RunFailed | None = None

    def keep(self, run_id: str, _task_id: str, error: BaseException) -> None:
        """Keep the first failure of a run, in place of that of another; see `Engine`."""
        if run_id != self._run_id:
            self._run_id, self._error = run_id, error

    def fail(self, result: WorkflowResult, *, debug: bool = False, advice: str = "") -> NoReturn:
        """Fail the cell of a failed run; `%debug` opens the task's own frame then.

        Args:
            result: of the run.
            debug: whether the debugger opens by itself.
            advice: what to do now, in a line.

        Raises:
            RunFailed: always.
        """
        __tracebackhide__ = True
        if debug:
            self._pdb, self._shell.call_pdb = bool(self._shell.call_pdb), True
        raise self.failure_of(result, advice)

    def cell_ends(self) -> None:
        """Set %pdb to what it was before the cell."""
        if self._pdb is not None:
            self._pdb, self._shell.call_pdb = None, self._pdb

    def failure_of(self, result: WorkflowResult, advice: str = "") -> RunFailed:
        """Return what to raise for a failed run, see `fail`: a debugger opens it in the user's own frame.

        Where the user's code has called a library, what lies below is reached by the debugger's `exceptions`.
        """
        failed = RunFailed(result, advice)
        if result.run_id == self._run_id and self._error is not None:
            own = _own_frames(self._error.__traceback__)
            failed.__cause__ = self._error.with_traceback(_from_own(self._error.__traceback__))
            failed = failed.with_traceback(own)
        self._shown = failed
        return failed

    def show(self, result: WorkflowResult) -> None:
        """Have `%debug` open the failure of a run that failed in the background."""
        failed = self.failure_of(result)
        if failed.__traceback__ is not None:
            for name, value in zip(LAST, (type(failed), failed, failed.__traceback__, failed), strict=True):
                setattr(sys, name, value)

    def forget(self) -> None:
        """Let go of all frames."""
        self._run_id, self._error = "", None
        if self._shown is None:
            return
        self._shown.__traceback__ = self._shown.__cause__ = None  # IPython holds the error of the last cell
        if getattr(sys, "last_value", None) is self._shown:
            for name in LAST:
                vars(sys).pop(name, None)
        self._shown = None


def _from_own(trace: TracebackType | None) -> TracebackType | None:
    """Return a traceback from its first frame on that is not ours: the body's; all of it, if there is none."""
    found = trace
    while found is not None and found.tb_frame.f_code.co_filename.startswith(OURS):
        found = found.tb_next
    return found or trace


def _own_frames(trace: TracebackType | None) -> TracebackType | None:
    """Return a traceback that ends in the innermost frame of the user's code."""
    parts = []
    rest = _from_own(trace)
    while rest is not None:
        parts.append(rest)
        rest = rest.tb_next
    while len(parts) > 1 and not is_own(parts[-1].tb_frame.f_code.co_filename):
        parts.pop()
    for one in reversed(parts):
        rest = TracebackType(rest, one.tb_frame, one.tb_lasti, one.tb_lineno)
    return rest

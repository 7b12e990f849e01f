"""A failed run as a notebook shows it: the task's own traceback, and none of ours."""

from cloaca_nb.engine.result import WorkflowResult
from cloaca_nb.errors import RunFailedError

__all__ = ["RunFailed"]


class RunFailed(RunFailedError):
    """A run that a cell started has failed: so does the cell."""

    def __init__(self, result: WorkflowResult) -> None:
        super().__init__(result.error_message)
        self.result = result

    def _render_traceback_(self) -> list[str]:
        """Return the lines that IPython prints instead of a traceback through the engine."""
        error = self.result.error
        return [*(error.traceback.splitlines() if error else []), "", str(self)]

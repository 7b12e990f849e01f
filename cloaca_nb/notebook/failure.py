"""How errors look in a notebook: the user's own lines and the message, and none of the way through our code."""

import sysconfig
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from cloaca_nb.declare.place import file_label
from cloaca_nb.engine.result import WorkflowResult
from cloaca_nb.errors import CloacaError, RunFailedError

__all__ = ["OURS", "RunFailed", "hide_our_frames", "is_own", "own_lines"]

OURS: Final = str(Path(__file__).parent.parent)
# Code is taken for the user's if it lies in none of these; "<string>" is what the standard library makes as it runs.
LIBRARIES: Final = (OURS, "<string>", sysconfig.get_path("stdlib"))
INSTALLED: Final = frozenset({"site-packages", "dist-packages"})  # an environment may see those of another one
MAGIC: Final = ("run_line_magic", "run_cell_magic")


class RunFailed(RunFailedError):  # noqa: N818 - its name heads what the cell shows
    """A run that a cell started has failed: so does the cell.

    Args:
        result: of the run.
        advice: what to do now, in a line.
    """

    def __init__(self, result: WorkflowResult, advice: str = "") -> None:
        super().__init__(result.error_message)
        self.result = result
        self._advice = advice

    def _render_traceback_(self) -> list[str]:
        """Return the lines that IPython prints instead of a traceback through the engine.

        Which task, where and why: each is said once. `str` of this error says it all in a sentence.
        """
        error = self.result.error
        if error is None or not error.traceback:  # the run as a whole failed: its time was up
            return [str(self)]
        advice = ["", self._advice] if self._advice else []
        return [f"Task {error.task!r} failed.", *error.traceback.splitlines(), *advice]


def is_own(filename: str) -> bool:
    """Say whether code of that file is the user's."""
    return not filename.startswith(LIBRARIES) and INSTALLED.isdisjoint(Path(filename).parts)


def own_lines(error: BaseException) -> list[str]:
    """Return what to print for an error: where the user's own code raised it, and its message.

    The line of a magic is left out: the message of what a magic refuses says it all.
    """
    cause = error.__cause__
    before = [*own_lines(cause), ""] if cause and _own_frames(cause) else []
    notes = getattr(error, "__notes__", ())
    return [*before, *_places(_own_frames(error)), *_message(error).splitlines(), *notes]


def _message(error: BaseException) -> str:
    text = str(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _own_frames(error: BaseException) -> list[traceback.FrameSummary]:
    """Return the frames of the user's code; what it called in other libraries follows, unless the error is ours."""
    frames = traceback.extract_tb(error.__traceback__)
    magic = max((number for number, frame in enumerate(frames) if frame.name in MAGIC), default=-1)
    own = [number for number, frame in enumerate(frames) if number > magic and is_own(frame.filename)]
    if not own:
        return []
    last = own[-1] if isinstance(error, CloacaError) else len(frames)
    return [frame for frame in frames[own[0] : last + 1] if not frame.filename.startswith(OURS)]


def _places(frames: Sequence[traceback.FrameSummary]) -> Iterator[str]:
    if frames:
        yield "Traceback (most recent call last):"
    for frame in frames:
        yield f"  {file_label(frame.filename)}, line {frame.lineno}, in {frame.name}"
        if frame.line:
            yield f"    {frame.line.strip()}"


def hide_our_frames(error: BaseException) -> None:
    """Have IPython print `own_lines` for this error, which the user's code raised under ours."""
    error._render_traceback_ = lambda: own_lines(error)  # type: ignore[attr-defined]

"""The log of a run piece by piece, also while it goes on, and in another process."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from cloaca_nb.core.status import Status

if TYPE_CHECKING:
    import pandas as pd

    from cloaca_nb.history.history import History

__all__ = ["Piece", "followed", "pieces_of"]


class Piece(NamedTuple):
    """What an attempt wrote at once: whole lines, but for its last words; or its traceback."""

    task_id: str
    attempt: int  # from 1
    stream: str  # "stdout", "stderr", "display" or "traceback"
    text: str


def pieces_of(frame: "pd.DataFrame") -> Iterator[Piece]:
    """Yield what a frame of `History.logs` holds."""
    return map(Piece._make, frame[list(Piece._fields)].itertuples(index=False))


def followed(history: "History", task: str | None, run_id: str, pause: Callable[[], object] | None) -> Iterator[Piece]:
    """Yield what the tasks of a run have written, and then what they write, until the run is over.

    Args:
        history: the history.
        task: one task's id; None: all of them.
        run_id: the run's whole id.
        pause: waits a moment before the next look; None: one look is enough.

    Raises:
        HistoryError: if there is no such run or task.
    """
    told: Counter[tuple[str, int]] = Counter()  # tasks may write at once, so only each one's own order is certain
    while True:
        is_over = pause is None or _is_over(history, run_id)  # asked first: nothing is written after the end
        seen: Counter[tuple[str, int]] = Counter()
        for piece in pieces_of(history.logs(task, run_id, failures=True)):
            who = piece.task_id, piece.attempt
            seen[who] += 1
            if seen[who] > told[who]:
                yield piece
        told = seen
        if is_over or pause is None:
            return
        pause()


def _is_over(history: "History", run_id: str) -> bool:
    runs = history.runs()
    return bool((runs.loc[runs["run_id"] == run_id, "status"] != Status.RUNNING.value).all())

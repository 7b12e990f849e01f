"""Which run is meant in a notebook: where none is named, the latest of the notebook's own workflow."""

from typing import TYPE_CHECKING, NamedTuple

from cloaca_nb.errors import HistoryError

if TYPE_CHECKING:
    from cloaca_nb.history.history import History
    from cloaca_nb.notebook.definitions import Definitions

__all__ = ["Meant", "meant"]


class Meant(NamedTuple):
    """A run that an answer is about.

    Attributes:
        run_id: its whole id.
        heading: what is to stand above the answer; empty for the latest run of the workflow that task cells join.
    """

    run_id: str
    heading: str


def meant(history: "History", definitions: "Definitions", run: str | None = None) -> Meant:
    """Return the run that is meant.

    Args:
        history: the history.
        definitions: what the notebook defines; where that is no workflow, the latest run of all is meant.
        run: its id, or a beginning that only it has; None: the latest of the current workflow.

    Raises:
        HistoryError: if there is no such run, or the workflow has none yet.
    """
    current = definitions.current_name()
    latest = history.latest(current or definitions.name_to_be)
    if run is None and current is not None and latest is None:
        raise HistoryError(
            f"Workflow {current!r} has no run yet: %cloaca_run makes the first. %cloaca_history lists the runs of all "
            "workflows; name one of them to see it."
        )
    run_id = history.resolve(run or latest)
    is_obvious = run_id == latest and current in {None, definitions.name_to_be}
    return Meant(run_id, "" if is_obvious else history.heading(run_id))

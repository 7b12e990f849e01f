"""The history that is meant where none is named: that of the notebook, else that of the working directory."""

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from cloaca_nb.declare.place import file_label
from cloaca_nb.errors import HistoryError
from cloaca_nb.history.history import History
from cloaca_nb.history.location import Location, parse_url

__all__ = ["history", "history_of_notebook"]

_opened: Final[dict[tuple[Location, str | None], History]] = {}
_opening: Final = threading.Lock()
_notebooks: Final[list[Callable[[], History]]] = []  # at most one: that of the extension that was loaded last


def history(url: str | os.PathLike[str] | None = None, *, schema: str | None = None) -> History:
    """Return the history of this notebook, or of the working directory, to ask it and to prune it.

    It is the one that the magics show and `cloaca-nb history` too: `history().runs()`, `history().diff()`. It needs no
    closing; asked again, it is the same object. docs/usage.md lists what it answers.

    Args:
        url: another history: a path, or ``duckdb:///file.duckdb``. None: where `%load_ext cloaca_nb` was executed, what
            `%config Cloaca.history` says, else ``CLOACA_HISTORY``, else the nearest ``.cloaca/history.duckdb`` upward.
        schema: the name under which `DefaultRunner.with_schema` keeps a history apart in the same database.

    Raises:
        HistoryError: if there is none, or it can't be opened; looking makes none.
        ConfigurationError: for a URL that is not supported.
    """
    if url is None and schema is None and _notebooks:
        return _notebooks[0]()
    location = parse_url(url, environ=os.environ, cwd=Path.cwd())
    _check_there(location)
    with _opening:
        found = _opened.get((location, schema))
        if found is None or found.is_closed:
            found = _opened[location, schema] = History.open(url, schema=schema)
        return found


def history_of_notebook(found: Callable[[], History] | None) -> None:
    """Have `history()` mean that of a notebook from now on; None: that of the working directory again."""
    _notebooks[:] = [] if found is None else [found]


def _check_there(location: Location) -> None:
    if location.path is None:
        raise HistoryError("A history in memory is that of its runner alone: ask runner.history().")
    if not location.path.is_file():
        where = file_label(str(location.path))
        raise HistoryError(f"There is no history at {where} yet: %cloaca_run, execute() or `cloaca-nb run` begins one.")

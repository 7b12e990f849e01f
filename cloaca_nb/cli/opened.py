"""A history that is there, for a command that reads it: looking makes none."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from cloaca_nb.cli.outcome import readable_errors
from cloaca_nb.declare.place import file_label
from cloaca_nb.errors import HistoryError
from cloaca_nb.history.history import History
from cloaca_nb.history.location import parse_url

__all__ = ["opened"]


@contextmanager
def opened(url: str | None) -> Iterator[History]:
    """Open a history for the block; an error of ours becomes a message and an exit code."""
    with readable_errors():
        location = parse_url(url, environ=os.environ, cwd=Path.cwd())
        if location.path is None:
            raise HistoryError("There is no history in memory: that ends with its process.")
        if not location.path.is_file():
            raise HistoryError(f"There is no history at {file_label(str(location.path))}: `cloaca-nb run` begins one.")
        if location.note:
            typer.echo(location.note, err=True)
        with History.open(url) as history:
            yield history

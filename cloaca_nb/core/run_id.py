"""A run's id as people read and type it: its end, as its beginning is the time, which runs of one day share."""

from typing import Final

__all__ = ["SHORT", "is_meant", "short"]

SHORT: Final = 8  # characters


def short(run_id: str) -> str:
    """Return the name by which every message and table calls a run.

    >>> short("01a1fd70-8038-764f-8bfc-518d739dbdbf")
    '739dbdbf'
    """
    return run_id[-SHORT:]


def is_meant(run_id: str, text: str) -> bool:
    """Say whether somebody who typed `text` may mean the run: by a beginning of its id, or an end like `short`.

    >>> is_meant("01a1fd70-8038-764f-8bfc-518d739dbdbf", "739dbdbf")
    True
    >>> is_meant("01a1fd70-8038-764f-8bfc-518d739dbdbf", "dbf")
    False
    """
    return run_id.startswith(text) or (len(text) >= SHORT and run_id.endswith(text))
